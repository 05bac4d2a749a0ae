"""ADL policies in kernels: how a quantity is split among the counterparties of a round.

As in `reference.policies`: exactly the quantity, or every cap where the caps do not reach; ties go
by place, which is the order of account ids. Candidates are rows of named numbers. Weights are asked
for by a kernel, since those of `risk_weighted` have up to 100 bits; where a product of three
columns could pass 128 bits it is made with 256.
"""

from collections.abc import Callable

from solvent.domain.parameters import Policy
from solvent.domain.units import RATIO
from solvent.engine.language import (
    Memory,
    Store,
    Wide,
    allocate,
    huge,
    kernel,
    narrow,
    release,
    thin,
    wide,
)
from solvent.engine.sorting import sort_by
from solvent.engine.units import divide_up

CANDIDATE = 0
"""Account."""
POSITION = 1
"""Atoms lent or owed."""
CAP = 2
ASSETS_VALUE = 3
"""10^-6 USDC."""
TOTAL_VALUE = 4
"""10^-6 USDC, above 0."""
CANDIDATE_WIDTH = 5

Weight = Callable[[Memory, int], Wide]
"""(row, place) -> the weight at that place."""

_MAX_LEVERAGE_WEIGHT = 1000 * RATIO
_SHORT = 2**62
"""Two numbers below this have a product of 128 bits."""
_CAPS = 0
_WEIGHTS = 1


@kernel
def allot(
    s: Store, policy: int, rows: Memory, count: int, quantity: int, value: int, parts: Memory
) -> None:
    """Write each candidate's atoms of `quantity`, which is worth `value` at the mark."""
    caps = allocate(count)
    reachable = wide(0)
    for place in range(count):
        caps[place] = rows[place * CANDIDATE_WIDTH + CAP]
        reachable += caps[place]
    if quantity >= reachable:
        for place in range(count):
            parts[place] = caps[place]
    elif policy == Policy.LEVERAGE:
        _leverage(s, rows, count, quantity, value, caps, parts)
    elif policy == Policy.PRO_RATA:
        apportion_by(s, quantity, _position_weight, rows, caps, count, parts)
    elif policy == Policy.QUEUE:
        _greedy(s, quantity, rows, _is_more_levered, caps, count, parts)
    elif policy == Policy.LARGEST_LOAN:
        _greedy(s, quantity, rows, _is_larger_position, caps, count, parts)
    else:
        apportion_by(s, quantity, _risk_weight, rows, caps, count, parts)
    release(caps)


@kernel
def _position_weight(rows: Memory, place: int) -> Wide:
    return wide(rows[place * CANDIDATE_WIDTH + POSITION])


@kernel
def _risk_weight(rows: Memory, place: int) -> Wide:
    """Position times leverage, which counts as a thousand at most."""
    row = rows.at(place * CANDIDATE_WIDTH)
    leverage = wide(row[ASSETS_VALUE]) * RATIO // row[TOTAL_VALUE]
    return wide(row[POSITION]) * narrow(min(leverage, _MAX_LEVERAGE_WEIGHT))


@kernel
def _plain_weight(weights: Memory, place: int) -> Wide:
    return wide(weights[place])


@kernel
def apportion(
    s: Store, total: int, weights: Memory, caps: Memory, count: int, parts: Memory
) -> None:
    """Split `total` in proportion to `weights`, each part at most its cap, exactly."""
    apportion_by(s, total, _plain_weight, weights, caps, count, parts)


@kernel
def apportion_by(
    s: Store, total: int, weigh: Weight, rows: Memory, caps: Memory, count: int, parts: Memory
) -> None:
    """Split `total` in proportion to weights by water-filling over the caps, exactly.

    What rounding leaves goes by largest remainder, then by place.
    """
    reachable = wide(0)
    for place in range(count):
        parts[place] = 0
        reachable += caps[place]
    left = narrow(min(reachable, total))
    order = allocate(count)
    active = 0
    weight_left = wide(0)
    # What the order is asked with: caps and weights side by side, the weight as two numbers.
    table = allocate(3 * count)
    for place in range(count):
        weight = weigh(rows, place)
        row = table.at(3 * place)
        row[_CAPS] = caps[place]
        row[_WEIGHTS] = narrow(weight // _SHORT)
        row[_WEIGHTS + 1] = narrow(weight % _SHORT)
        if weight and caps[place]:
            order[active] = place
            active += 1
            weight_left += weight
    sort_by(s, order, active, _is_sooner_full, table)
    start = 0
    while start < active:
        place = order[start]
        weight = weigh(rows, place)
        if _is_less(left, weight, caps[place], weight_left):
            break
        parts[place] = caps[place]
        left -= caps[place]
        weight_left -= weight
        start += 1
    left = _share(s, left, weigh, rows, order.at(start), active - start, weight_left, table, parts)
    release(table)
    release(order)
    for place in range(count):
        extra = min(left, caps[place] - parts[place])
        parts[place] += extra
        left -= extra


@kernel
def _share(
    s: Store,
    spread: int,
    weigh: Weight,
    rows: Memory,
    order: Memory,
    count: int,
    weight_left: Wide,
    table: Memory,
    parts: Memory,
) -> int:
    """Give the places of `order` their share of `spread`; return what is left of it."""
    left = spread
    for number in range(count):
        place = order[number]
        product = huge(weigh(rows, place)) * spread
        if weight_left < _SHORT and product < huge(wide(_SHORT)) * _SHORT:
            short = thin(product)
            part = short // narrow(weight_left)
            rest = short % narrow(weight_left)
        else:
            part = thin(product // weight_left)
            rest = thin(product % weight_left)
        parts[place] = narrow(part)
        left -= parts[place]
        row = table.at(3 * place)
        row[_WEIGHTS] = narrow(rest // _SHORT)
        row[_WEIGHTS + 1] = narrow(rest % _SHORT)
    if left:
        sort_by(s, order, count, _has_larger_rest, table)
    for number in range(min(left, count)):
        parts[order[number]] += 1
    return left - min(left, count)


@kernel
def _is_less(left: int, weight: Wide, cap: int, weight_left: Wide) -> bool:
    """left * weight < cap * weight_left."""
    if weight < _SHORT and weight_left < _SHORT:
        return wide(left) * narrow(weight) < wide(cap) * narrow(weight_left)
    return huge(weight) * left < huge(weight_left) * cap


@kernel
def _weight_in(row: Memory) -> Wide:
    return wide(row[_WEIGHTS]) * _SHORT + row[_WEIGHTS + 1]


@kernel
def _is_sooner_full(s: Store, table: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """By cap per weight, then by place."""
    first, second = table.at(3 * one), table.at(3 * other)
    if first[_WEIGHTS] == 0 and second[_WEIGHTS] == 0:
        left = wide(first[_CAPS]) * second[_WEIGHTS + 1]
        right = wide(second[_CAPS]) * first[_WEIGHTS + 1]
        return one < other if left == right else left < right
    more = huge(_weight_in(second)) * first[_CAPS]
    less = huge(_weight_in(first)) * second[_CAPS]
    return one < other if more == less else more < less


@kernel
def _has_larger_rest(s: Store, table: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """By remainder, largest first, then by place."""
    first, second = _weight_in(table.at(3 * one)), _weight_in(table.at(3 * other))
    return one < other if first == second else first > second


Before = Callable[[Store, Memory, int, int], bool]


@kernel
def _greedy(
    s: Store, total: int, rows: Memory, before: Before, caps: Memory, count: int, parts: Memory
) -> None:
    """Fill places in an order, each to its cap, until `total` is used up."""
    order = allocate(count)
    for place in range(count):
        order[place] = place
    sort_by(s, order, count, before, rows)
    left = total
    for number in range(count):
        place = order[number]
        parts[place] = min(left, caps[place])
        left -= parts[place]
    release(order)


@kernel
def _is_more_levered(s: Store, rows: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """By leverage A / TV, highest first, then by place."""
    first, second = rows.at(one * CANDIDATE_WIDTH), rows.at(other * CANDIDATE_WIDTH)
    left = wide(first[ASSETS_VALUE]) * second[TOTAL_VALUE]
    right = wide(second[ASSETS_VALUE]) * first[TOTAL_VALUE]
    return one < other if left == right else left > right


@kernel
def _is_larger_position(s: Store, rows: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """By position, largest first, then by place."""
    first = rows[one * CANDIDATE_WIDTH + POSITION]
    second = rows[other * CANDIDATE_WIDTH + POSITION]
    return one < other if first == second else first > second


@kernel
def _leverage(
    s: Store, rows: Memory, count: int, quantity: int, value: int, caps: Memory, parts: Memory
) -> None:
    """Water-filling: values above the common level, then atoms in proportion to them."""
    value_caps = allocate(count)
    for place in range(count):
        value_caps[place] = 0
        if quantity:
            assets = rows[place * CANDIDATE_WIDTH + ASSETS_VALUE]
            value_caps[place] = narrow(min(divide_up(wide(caps[place]) * value, quantity), assets))
    drained = allocate(count)
    drain_to_level(s, rows, count, value_caps, value, drained)
    apportion(s, quantity, drained, caps, count, parts)
    release(drained)
    release(value_caps)


_TOP = 0
_BOTTOM = 1
_LEAVING = 2
_PLACE = 3
_POINT_WIDTH = 4


@kernel
def drain_to_level(
    s: Store, rows: Memory, count: int, value_caps: Memory, value: int, drained: Memory
) -> None:
    """Write values v = min(cap, max(0, A - level * TV)) that sum to `value`, rounded down."""
    points = allocate(2 * count * _POINT_WIDTH)
    order = allocate(2 * count)
    breaks = 0
    for place in range(count):
        if value_caps[place] > 0:
            row = rows.at(place * CANDIDATE_WIDTH)
            for leaving in range(2):
                point = points.at(breaks * _POINT_WIDTH)
                point[_TOP] = row[ASSETS_VALUE] - leaving * value_caps[place]
                point[_BOTTOM] = row[TOTAL_VALUE]
                point[_LEAVING] = leaving
                point[_PLACE] = place
                order[breaks] = breaks
                breaks += 1
    sort_by(s, order, breaks, _is_higher, points)
    assets = wide(0)
    total_values = wide(0)
    capped = wide(0)
    for number in range(breaks):
        point = points.at(order[number] * _POINT_WIDTH)
        above = capped + assets - value
        # Sum at this level: capped + assets - level * total_values, with level = top / bottom.
        if total_values and huge(above) * point[_BOTTOM] >= huge(total_values) * point[_TOP]:
            break
        row = rows.at(point[_PLACE] * CANDIDATE_WIDTH)
        if point[_LEAVING]:
            assets -= row[ASSETS_VALUE]
            total_values -= row[TOTAL_VALUE]
            capped += value_caps[point[_PLACE]]
        else:
            assets += row[ASSETS_VALUE]
            total_values += row[TOTAL_VALUE]
    release(order)
    release(points)
    level = capped + assets - value
    for place in range(count):
        row = rows.at(place * CANDIDATE_WIDTH)
        if total_values == 0:
            drained[place] = value_caps[place]
        else:
            drained[place] = _above_level(row, level, total_values, value_caps[place])


@kernel
def _above_level(row: Memory, level: Wide, total_values: Wide, cap: int) -> int:
    """max(0, min(cap, A - level / total_values * TV)), rounded down."""
    if total_values < _SHORT and -_SHORT < level < _SHORT:
        short = total_values * row[ASSETS_VALUE] - level * row[TOTAL_VALUE]
        return narrow(max(0, min(short // narrow(total_values), cap)))
    above = huge(total_values) * row[ASSETS_VALUE] - huge(level) * row[TOTAL_VALUE]
    return narrow(thin(max(0, min(above // total_values, cap))))


@kernel
def _is_higher(s: Store, points: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """By level, highest first; then who comes in before who leaves, then by place."""
    first, second = points.at(one * _POINT_WIDTH), points.at(other * _POINT_WIDTH)
    left = wide(first[_TOP]) * second[_BOTTOM]
    right = wide(second[_TOP]) * first[_BOTTOM]
    if left != right:
        return left > right
    if first[_LEAVING] != second[_LEAVING]:
        return first[_LEAVING] < second[_LEAVING]
    return first[_PLACE] < second[_PLACE]
