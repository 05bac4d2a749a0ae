"""ADL policies in kernels: how a quantity is split among the counterparties of a round.

As in `reference.waterfall.policies`: exactly the quantity, or every cap where the caps do not
reach; ties go by place, which is the order of account ids. Candidates are rows of named numbers.
Nothing is sorted: who is served last is found by selection, and only there does the order matter.
"""

from solvent.domain.parameters import Policy
from solvent.domain.units import RATIO
from solvent.engine.allot.apportionment import Places, apportion, apportion_by
from solvent.engine.allot.selection import Keys, fill_largest, room_listed
from solvent.engine.allot.water_filling import Level, Vessel, find_level
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up
from solvent.engine.waterfall.rows import Candidate
from solvent.kernels.language import (
    Wide,
    allocate,
    allocate_rows,
    huge,
    kernel,
    leading_zeros,
    narrow,
    release,
    shift_left,
    thin,
    wide,
)
from solvent.kernels.rows import Memory, Rows

_MAX_LEVERAGE_WEIGHT = 1000 * RATIO
_SHORT = 2**62
"""Two numbers below this, and the difference of two such products, have 128 bits."""
_KEY_UNIT = 2**63
_LEVERAGE_WORDS = 3
"""Two leverages that differ do so by more than 2^-126, for total values have 63 bits."""


@kernel
def allot(
    s: Store,
    policy: int,
    rows: Rows[Candidate],
    count: int,
    quantity: int,
    value: int,
    parts: Memory,
) -> None:
    """Write each candidate's atoms of `quantity`, which is worth `value` at the mark.

    Positions and caps are parts of one pool's claims or debts, so all together are below 2^63.
    """
    caps = allocate(count)
    for place in range(count):
        caps[place] = rows[place].cap
    places = Places(caps, parts, count)
    if policy == Policy.PRO_RATA:
        apportion_by(s, quantity, _position_weight, rows, places)
    elif policy == Policy.RISK_WEIGHTED:
        apportion_by(s, quantity, _risk_weight, rows, places)
    else:
        _allot_in_order(s, policy, rows, quantity, value, places)
    release(caps)


@kernel
def _allot_in_order(
    s: Store, policy: int, rows: Rows[Candidate], quantity: int, value: int, places: Places
) -> None:
    """By a policy that looks at some before others."""
    caps, parts, count = places.caps, places.parts, places.length
    reachable = 0
    for place in range(count):
        reachable += caps[place]
    if quantity >= reachable:
        for place in range(count):
            parts[place] = caps[place]
    elif policy == Policy.LEVERAGE:
        _leverage(s, rows, count, quantity, value, caps, parts)
    elif policy == Policy.QUEUE:
        _queue(s, rows, count, quantity, caps, parts)
    else:
        _largest_loan(s, rows, count, quantity, caps, parts)


@kernel
def _position_weight(rows: Rows[Candidate], place: int) -> Wide:
    return wide(rows[place].position)


@kernel
def _risk_weight(rows: Rows[Candidate], place: int) -> Wide:
    """Position times leverage, which counts as a thousand at most."""
    row = rows[place]
    leverage = wide(row.assets_value) * RATIO // row.total_value
    return wide(row.position) * narrow(min(leverage, _MAX_LEVERAGE_WEIGHT))


@kernel
def _queue(
    s: Store, rows: Rows[Candidate], count: int, quantity: int, caps: Memory, parts: Memory
) -> None:
    """By leverage A / TV, highest first, each to his cap: keys are the digits of A / TV."""
    most = 0
    for place in range(count):
        most = max(most, rows[place].assets_value)
        parts[place] = 0
    shift = max(0, leading_zeros(most) - 1)
    first = allocate(count)
    for place in range(count):
        row = rows[place]
        first[place] = shift_left(row.assets_value, shift) // row.total_value
    keys = Keys(first, count, _LEVERAGE_WORDS, shift)
    fill_largest(s, keys, _leverage_word, rows, room_listed, caps, quantity, parts)
    release(first)


@kernel
def _leverage_word(rows: Rows[Candidate], shift: int, place: int, number: int) -> int:
    """The word of this number of A / TV * 2^shift in binary, by long division."""
    row = rows[place]
    rest = shift_left(row.assets_value, shift) % row.total_value
    word = 0
    for _ in range(number):
        dividend = wide(rest) * _KEY_UNIT
        word = narrow(dividend // row.total_value)
        rest = narrow(dividend - wide(word) * row.total_value)
    return word


@kernel
def _largest_loan(
    s: Store, rows: Rows[Candidate], count: int, quantity: int, caps: Memory, parts: Memory
) -> None:
    """By position, largest first, each to his cap."""
    first = allocate(count)
    for place in range(count):
        first[place] = rows[place].position
        parts[place] = 0
    keys = Keys(first, count, 1, 0)
    fill_largest(s, keys, _leverage_word, rows, room_listed, caps, quantity, parts)
    release(first)


@kernel
def _leverage(
    s: Store,
    rows: Rows[Candidate],
    count: int,
    quantity: int,
    value: int,
    caps: Memory,
    parts: Memory,
) -> None:
    """Water-filling: values above the common level, then atoms in proportion to them."""
    value_caps = allocate(count)
    for place in range(count):
        if quantity:
            assets = rows[place].assets_value
            value_caps[place] = narrow(min(divide_up(wide(caps[place]) * value, quantity), assets))
    drained = allocate(count)
    drain_to_level(s, rows, count, value_caps, value, drained)
    apportion(s, quantity, drained, caps, count, parts)
    release(drained)
    release(value_caps)


@kernel
def drain_to_level(
    s: Store, rows: Rows[Candidate], count: int, value_caps: Memory, value: int, drained: Memory
) -> None:
    """Write values v = min(cap, max(0, A - level * TV)) that sum to `value`, rounded down."""
    vessels = allocate_rows(Vessel, count)
    reachable = wide(0)
    found = 0
    for place in range(count):
        cap = value_caps[place]
        drained[place] = cap if value else 0
        reachable += cap
        if cap:
            row = rows[place]
            vessel = vessels[found]
            vessel.top = row.assets_value
            vessel.floor = row.assets_value - cap
            vessel.area = row.total_value
            found += 1
    if value and reachable > value:
        level = find_level(s, vessels, found, value)
        for place in range(count):
            row = rows[place]
            drained[place] = _above_level(row, level, value_caps[place])
    release(vessels)


@kernel
def _above_level(row: Candidate, level: Level, cap: int) -> int:
    """max(0, min(cap, A - level * TV)), rounded down."""
    if level.top < _SHORT and level.bottom < _SHORT:
        divisor = narrow(level.bottom)
        above = wide(row.assets_value) * divisor - wide(row.total_value) * narrow(level.top)
        if above <= 0:
            return 0
        return cap if above >= wide(cap) * divisor else narrow(above // divisor)
    far_above = huge(level.bottom) * row.assets_value - huge(level.top) * row.total_value
    return narrow(thin(max(0, min(far_above // level.bottom, cap))))
