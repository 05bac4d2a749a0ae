"""The population: a scenario's groups as accounts and as the commands that set them up.

Each account's size, cushion and place in line is drawn from the seed (`sampling`). A size is the
value of what an account deposits, at the prices of the start; those of a group are scaled so that
their sum is what median and spread lead to, so that a market does not change with the luck of the
draw. An account that owes takes a loan such that

    weighted collateral = (1 + cushion) * (debt + its maintenance)

at the prices of the moment; the borrowed tokens leave, sold or spent elsewhere. One that loops
spends them on more of its collateral, and owes on that as well. So an account is liquidated when
its collateral has fallen against its debt by cushion / (1 + cushion). Initial margin and the
leverage limit allow a large account less debt than a small one: where they allow less than the
drawn cushion leads to, the account takes what they allow, and `notes` say how many did. A group
whose median account could not have even its largest cushion is refused.

`--accounts N` keeps the groups' shares of the market and scales their number; depth, providers and
the fund scale with it (`crowd`).

Accounts of all groups are mixed in line, since an engine that visits accounts by number would
otherwise treat one group first.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from solvent.domain.commands import (
    UNCHANGED,
    Borrow,
    Command,
    Deposit,
    Lend,
    OpenAccount,
    OrderType,
    PlaceOrder,
    Repay,
    Side,
    TimeInForce,
    UpdateSettings,
    Withdraw,
)
from solvent.domain.units import (
    FINE_PER_VALUE,
    RATIO,
    RATIO_DECIMALS,
    divide_up,
    format_decimal,
    quantity_down,
    value_down,
)
from solvent.lab.people.sampling import draw_between, draw_size, draw_word, exponential
from solvent.lab.prices.feed import PriceAt
from solvent.lab.scenario.model import Action, Deed, Group, Holding, Scenario
from solvent.reference.limits import largest_passing, smallest_passing
from solvent.reference.margin import margin_fraction_up, weighted_down
from solvent.reference.waterfall.policies import apportion

PricesAfter = Callable[[int], PriceAt]
"""Prices so many microseconds after the start."""

SIZE, CUSHION, LINE = range(3)
"""What a draw is for."""

CUSHION_STEP = RATIO // 10_000
MOST_CUSHION = 100 * RATIO
"""How finely the least possible cushion is told, and how far it is looked for."""

HAIR = RATIO * 1 // 1000
"""Loans stay a thousandth below what initial margin allows, for the entry fee and rounding."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many accounts there are: per group, and as a ratio of the scenario's own number."""

    counts: tuple[int, ...]
    accounts: int
    usual: int

    def scaled(self, amount: int) -> int:
        """An amount that grows with the number of accounts, rounded down."""
        return amount * self.accounts // self.usual


def crowd(scenario: Scenario, accounts: int | None) -> Crowd:
    """Share `accounts` among the groups by largest remainder, one at least, taken from the largest.

    Where there are no groups, nothing is scaled.

    InputError when there are fewer accounts than groups.
    """
    usual = scenario.accounts
    if not scenario.groups:
        return Crowd((), 1, 1)
    wanted = usual if accounts is None else accounts
    groups = scenario.groups
    if wanted < len(groups):
        reason = f"must be at least {len(groups)}, one for each group, is {wanted}"
        raise scenario.error("accounts", reason)
    counts = apportion(wanted, [group.count for group in groups], [wanted] * len(groups))
    while 0 in counts:
        counts[counts.index(max(counts))] -= 1
        counts[counts.index(0)] += 1
    return Crowd(tuple(counts), wanted, usual)


@dataclass(frozen=True, slots=True)
class Member:
    """One account: its group, what it holds (asset, atoms, lent) and what it wants to owe."""

    account: int
    group: Group
    holdings: tuple[tuple[Holding, int], ...]
    debt: int

    def held(self, asset: int) -> int:
        """Atoms of `asset` that it deposits."""
        return sum(quantity for holding, quantity in self.holdings if holding.asset == asset)


class Population:
    """All members, in order of account number, and what they say to the engine.

    `first` is the first free account number; `prices(after)` gives prices that long after the
    start. InputError where groups cannot exist together.
    """

    def __init__(
        self, scenario: Scenario, crowd: Crowd, seed: int, first: int, prices: PricesAfter
    ) -> None:
        self._scenario = scenario
        self._parameters = scenario.parameters
        self._seed = seed
        self._prices = prices
        places = [
            (number, place) for number, count in enumerate(crowd.counts) for place in range(count)
        ]
        places.sort(key=lambda key: (draw_word(seed, *key, LINE), key))
        self._crowd = crowd
        self._held_back: Counter[str] = Counter()
        for number, group in enumerate(scenario.groups):
            self._check_cushion(number, group)
        sizes = [self._sizes(number, count) for number, count in enumerate(crowd.counts)]
        drafts = [
            self._member(first + line, number, place, sizes[number][place])
            for line, (number, place) in enumerate(places)
        ]
        self.members = self._filled(drafts)
        self._borrowers = sorted(
            (member for member in self.members if member.group.debt is not None and member.debt),
            key=lambda member: member.group.borrow_after,
        )
        self._by_group = {group.name: list[Member]() for group in scenario.groups}
        for member in self.members:
            self._by_group[member.group.name].append(member)

    def _sizes(self, number: int, count: int) -> list[int]:
        """Sizes of a group's members, which together make the group's share of the market.

        A share and not as many average sizes: a few accounts would round it up or down.
        """
        group = self._scenario.groups[number]
        drawn = [
            draw_size(group.median, group.spread, self._seed, number, place, SIZE)
            for place in range(count)
        ]
        half_variance = group.spread * group.spread // (2 * RATIO)
        total = self._crowd.scaled(group.count * group.median * exponential(half_variance) // RATIO)
        return apportion(total, drawn, [total] * count)

    @property
    def notes(self) -> tuple[str, ...]:
        """How many accounts start with more cushion than was drawn for them, in one sentence."""
        count = sum(self._held_back.values())
        if not count:
            return ()
        groups = ", ".join(f"{name} {each}" for name, each in self._held_back.items() if each)
        borrowers = sum(len(self._by_group[name]) for name in self._held_back)
        return (
            f"{count} of {borrowers} borrowers start with more cushion than drawn, for initial"
            f" margin or the leverage limit allows no larger loan ({groups})",
        )

    def _check_cushion(self, number: int, group: Group) -> None:
        """InputError where not even the median account may come as close as is written."""
        if group.debt is None:
            return
        median, wide = self._draft(0, group, group.median), group.cushion[1]

        def possible(steps: int) -> bool:
            return not self._loan(median, steps * CUSHION_STEP)[1]

        if self._loan(median, wide)[1]:
            least = smallest_passing(possible, MOST_CUSHION // CUSHION_STEP) * CUSHION_STEP
            said, could = (format_decimal(each, RATIO_DECIMALS) for each in (wide, least))
            reason = (
                f"{said} is closer to liquidation than initial margin or the leverage limit lets an"
                f" account of this size come; write at least {could}, or lower those"
            )
            raise self._scenario.error(f"groups[{number}].cushion", reason)

    def _draft(self, account: int, group: Group, size: int) -> Member:
        """A member of this size before it owes anything."""
        start = self._prices(0)
        holdings = []
        for holding in group.holdings:
            decimals = self._parameters.assets[holding.asset].decimals
            value = max(1, size * holding.share // RATIO)
            holdings.append((holding, quantity_down(value, start(holding.asset), decimals)))
        return Member(account, group, tuple(holdings), 0)

    def _member(self, account: int, number: int, place: int, size: int) -> Member:
        group = self._scenario.groups[number]
        member = self._draft(account, group, size)
        if group.debt is None:
            return member
        cushion = draw_between(*group.cushion, self._seed, number, place, CUSHION)
        debt, held_back = self._loan(member, cushion)
        assert group.debt is not None
        decimals = self._parameters.assets[group.debt].decimals
        for _ in range(group.loops):
            worth = value_down(debt, self._prices(group.borrow_after)(group.debt), decimals)
            member = self._draft(account, group, size + worth)
            debt, held_back = self._loan(member, cushion)
        self._held_back[group.name] += held_back
        return replace(member, debt=debt)

    def _loan(self, member: Member, cushion: int) -> tuple[int, bool]:
        """Atoms of debt that leave the cushion over maintenance, and initial margin kept.

        With it whether initial margin or the leverage limit asked for more than the cushion does.
        """
        group = member.group
        assert group.debt is not None
        prices = self._prices(group.borrow_after)
        asset = self._parameters.assets[group.debt]
        collateral = sum(
            weighted_down(self._parameters.assets[each.asset], quantity, prices(each.asset))
            for each, quantity in member.holdings
        )
        collateral //= FINE_PER_VALUE
        limit = group.settings.leverage_limit or self._parameters.max_leverage

        def wished(value: int) -> int:
            """What the cushion asks of collateral, in 10^-18 of a loan; more where it is larger."""
            return (RATIO + cushion) * (RATIO + margin_fraction_up(asset.maintenance, value))

        def allowed(value: int) -> int:
            """What initial margin and the leverage limit ask, in the same unit."""
            initial = margin_fraction_up(asset.initial, value)
            return (RATIO + max(initial, divide_up(RATIO * RATIO, limit)) + HAIR) * RATIO

        def asked(value: int) -> int:
            return max(wished(value), allowed(value))

        def bearable(value: int) -> bool:
            return value * asked(value) <= collateral * RATIO * RATIO

        # What the largest loan there is asks is enough for any; what that leaves asks the least.
        low = collateral * RATIO * RATIO // asked(collateral)
        high = collateral * RATIO * RATIO // asked(low)
        value = low + largest_passing(lambda more: bearable(low + more), high - low)
        return quantity_down(value, prices(group.debt), asset.decimals), allowed(value) > wished(
            value
        )

    def _filled(self, members: list[Member]) -> tuple[Member, ...]:
        """Scale the groups that fill a pool to the utilization they are to leave."""
        for number, group in enumerate(self._scenario.groups):
            if group.utilization is None:
                continue
            asset = group.holdings[0].asset
            owed = sum(
                member.debt
                for member in members
                if member.group.debt == asset and not member.group.borrow_after
            )
            lent = sum(
                quantity
                for member in members
                for holding, quantity in member.holdings
                if holding.asset == asset and holding.lent and member.group is not group
            )
            missing = divide_up(owed * RATIO, group.utilization) - lent
            if missing <= 0:
                symbol = self._parameters.assets[asset].symbol
                reason = f"cannot be reached: what others lend and owe of {symbol} leaves it lower"
                raise self._scenario.error(f"groups[{number}].utilization", reason)
            members = _rescaled(members, group, missing)
        return tuple(members)

    def setup(self) -> Iterator[Command]:
        """Deposits, then lends, in line; prices must have been given before."""
        for member in self.members:
            yield from _settings(member)
        for member in self.members:
            for holding, quantity in member.holdings:
                if quantity:
                    yield Deposit(member.account, holding.asset, quantity)
        for member in self.members:
            for holding, quantity in member.holdings:
                if holding.lent and quantity:
                    yield Lend(member.account, holding.asset, quantity)

    def open(self) -> Iterator[Command]:
        """Open every account."""
        for member in self.members:
            yield OpenAccount(member.account)

    def loans(self, since: int, until: int) -> Iterator[Command]:
        """Loans taken after `since` and up to `until` microseconds from the start, in line."""
        first, end = (
            bisect_right(self._borrowers, time, key=lambda member: member.group.borrow_after)
            for time in (since, until)
        )
        due = sorted(self._borrowers[first:end], key=lambda member: member.account)
        for member in due:
            yield _loan_command(member, member.debt)

    def actions(self, action: Action, since: int, until: int) -> Iterator[Command]:
        """What a group does of an action after `since` and up to `until`, in line.

        The deed of the k-th of n accounts falls due k/n of `spread_over` after the action's time,
        and where the action repeats at every step after that.
        """
        actors = self._by_group[action.group]
        for place, member in enumerate(actors):
            due = action.after + action.spread_over * place // len(actors)
            if since < due <= until or (action.repeats and due <= since):
                yield from self._deed(member, action)

    def _deed(self, member: Member, action: Action) -> Iterator[Command]:
        account, asset = member.account, action.asset
        owed = member.debt if member.group.debt == asset else 0
        base = owed if action.deed in (Deed.REPAY, Deed.BORROW) else member.held(asset)
        quantity = base * action.share // RATIO
        if not quantity:
            return
        if action.deed is Deed.WITHDRAW:
            yield Withdraw(account, asset, quantity, auto_lend_redeem=True)
        elif action.deed is Deed.REPAY:
            yield Deposit(account, asset, quantity)
            yield Repay(account, asset, quantity)
        elif action.deed is Deed.TOP_UP:
            yield Deposit(account, asset, quantity)
        elif action.deed is Deed.LEND:
            yield Deposit(account, asset, quantity)
            yield Lend(account, asset, quantity)
        elif action.deed is Deed.UNWIND:
            market = self._parameters.assets[asset].market
            assert market is not None
            yield PlaceOrder(
                account,
                asset,
                Side.ASK,
                order_type=OrderType.MARKET,
                time_in_force=TimeInForce.IOC,
                quantity=max(market.min_quantity, quantity // market.lot * market.lot),
                auto_borrow_repay=True,
                auto_lend_redeem=True,
            )
        else:
            yield _loan_command(member, quantity)


def _rescaled(members: list[Member], group: Group, total: int) -> list[Member]:
    """The members with a group's one holding scaled to `total` atoms together."""
    places = [place for place, member in enumerate(members) if member.group is group]
    weights = [members[place].holdings[0][1] for place in places]
    parts = apportion(total, weights, [total] * len(places))
    scaled = list(members)
    for place, part in zip(places, parts, strict=True):
        holding, _ = members[place].holdings[0]
        scaled[place] = replace(members[place], holdings=((holding, part),))
    return scaled


def _settings(member: Member) -> Iterator[Command]:
    settings = member.group.settings
    changed = (
        settings.auto_lend,
        settings.auto_repay_borrows,
        settings.auto_borrow_settlements,
        settings.leverage_limit is not None,
    )
    if any(changed):
        yield UpdateSettings(
            member.account,
            auto_lend=int(settings.auto_lend),
            auto_repay_borrows=int(settings.auto_repay_borrows),
            auto_borrow_settlements=int(settings.auto_borrow_settlements),
            leverage_limit=settings.leverage_limit or UNCHANGED,
        )


def _loan_command(member: Member, quantity: int) -> Command:
    """Take a loan: the tokens leave at once, or stay where the group keeps them."""
    assert member.group.debt is not None
    if member.group.keeps_loan:
        return Borrow(member.account, member.group.debt, quantity)
    return Withdraw(member.account, member.group.debt, quantity, auto_borrow=True)
