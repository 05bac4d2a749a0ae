"""A scenario file: TOML tables become a `Scenario`, or one line that says which field to mend.

    [scenario]    name, description, source, seed, start, end, step (seconds)
    [prices]      file (relative to the scenario's folder), ohlc, adverse, window; or
                  [prices.paths] and resolution_seconds; or [prices.model], see `price_models`
    [waterfall] [fees] [limits]     see `scenario_assets`; each optional
    [[assets]]    USDC first; symbol, decimals, haircut, initial, maintenance, pool, market, price,
                  price_symbols (names of the asset in price files; its symbol by default)
    [[groups]]    accounts alike: name, count, size, spread, collateral, debt, cushion, ...
    [depth]       scale, inventory, bands, thinning, recovery_seconds, basis (what was measured)
    [[providers]] backstop providers: name, count, equity, commitments
    [fund]        balance and treasury: USDC that the fund and the treasury start with
    [[actions]]   what groups do later: at or when, group, do, asset, share, spread_over, repeats
    [[changes]]   parameters that change: at, asset, field, value, index
    [impact] [[oracle]]             see `market_tables`; each optional

Unknown fields are errors. Nothing is written and nothing is guessed.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from solvent.domain.commands import ChangeParameter, ParameterField
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import (
    USDC,
    AssetParameters,
    EngineParameters,
    ParameterError,
)
from solvent.domain.units import INT64_MAX, PRICE_DECIMALS, RATIO, RATIO_DECIMALS, VALUE_DECIMALS
from solvent.lab.prices.layouts import Adverse
from solvent.lab.scenario.assets import read_asset, read_engine
from solvent.lab.scenario.brought import brought
from solvent.lab.scenario.fields import Fields, read_toml
from solvent.lab.scenario.governor_tables import read_governors
from solvent.lab.scenario.market_tables import read_impact, read_oracle
from solvent.lab.scenario.model import (
    Action,
    Change,
    Deed,
    Depth,
    DepthCurve,
    Group,
    Holding,
    PriceSource,
    Provider,
    Scenario,
    Settings,
    Trigger,
)
from solvent.lab.scenario.price_models import read_price_model
from solvent.lab.scenario.triggers import read_trigger

MOST_ACCOUNTS = 10_000_000
MOST_PROVIDERS = 1000
MOST_LOOPS = 20
MOST_SPREAD = 4 * RATIO
MOST_CUSHION = 100 * RATIO
BASIS_POINT = RATIO // 10_000
_SHA256 = re.compile("[0-9a-f]{64}")
WIDEST_BAND = 5000 * BASIS_POINT
BAND_DECIMALS = 5
NO_BASIS = "the scenario does not say what was measured: take all of it for an assumption"
NO_DEBT = "is of a debt; name the `debt`, or leave it out"
LONGEST_RUN = 366 * 24 * 3600 * 10**6

_ADVERSE: dict[str, Adverse] = {"low": "low", "high": "high"}
_FIELD_DECIMALS = {
    ParameterField.POOL_STATE: 0,
    ParameterField.CURVE_UTILIZATION: RATIO_DECIMALS,
    ParameterField.BOOK_LIMIT: VALUE_DECIMALS,
    ParameterField.PRICE_MAX_AGE: 6,
    ParameterField.LENDER_POLICY: 0,
    ParameterField.DEFAULT_POLICY: 0,
    ParameterField.PATIENCE: 0,
    ParameterField.COMMITMENT_NOTICE: 6,
}
"""Decimals of the parameters that are no ratio."""


def read_scenario(path: Path) -> Scenario:
    """The scenario that a file describes. Raises InputError, and nothing else."""
    return scenario_of(path, read_toml(path))


def scenario_of(path: Path, content: Mapping[str, Any]) -> Scenario:
    """The scenario of a file's content, as `read_toml` gives it; some may be changed since."""
    root = Fields(str(path), "", content)
    head = root.table("scenario")
    name, description = head.text("name"), head.text("description")
    source, seed = head.text("source"), head.number("seed", 0)
    start, end, step = head.time("start"), head.time("end"), head.step("step")
    head.close()
    if not start + step <= end <= start + LONGEST_RUN:
        raise head.error("end", "must be one step to 366 days after start")
    tables = root.tables("assets")
    names: list[tuple[str, ...]] = []
    assets: list[AssetParameters] = []
    for table in tables:
        asset = read_asset(table)
        own = (asset.symbol,)
        names.append(own if table.skip("price_symbols") else table.texts("price_symbols"))
        table.close()
        assets.append(asset)
    parameters = read_engine(root, tuple(assets), seed, start)
    for table, asset in zip(tables[1:], parameters.assets[1:], strict=True):
        if asset.price.max_age < step:
            raise table.error("price.max_age_seconds", "must not be less than scenario.step")
    reader = _Reader(root, parameters, start, end, step)
    depth = reader.depth()
    scenario = Scenario(
        file=str(path),
        name=name,
        description=description,
        source=source,
        start=start,
        end=end,
        step=step,
        parameters=parameters,
        prices=reader.prices(path.parent, tuple(names)),
        groups=reader.groups(),
        depth=depth,
        providers=reader.providers(),
        fund=reader.fund("balance"),
        treasury=reader.fund("treasury"),
        actions=reader.actions(),
        changes=reader.changes(),
        impact=read_impact(root, depth),
        oracle=read_oracle(
            root.tables("oracle", optional=True), parameters, reader.after, reader.asset
        ),
        governors=read_governors(root.tables("governors", optional=True), parameters, reader.asset),
    )
    reader.fund_table.close()
    root.close()
    return scenario


class _Reader:
    """Reads the tables that name assets by symbol and times by the clock."""

    def __init__(
        self, root: Fields, parameters: EngineParameters, start: int, end: int, step: int
    ) -> None:
        self.root = root
        self.parameters = parameters
        self.start = start
        self.end = end
        self.step = step
        self.fund_table = root.table("fund", optional=True)
        self.group_names: list[str] = []

    def asset(self, fields: Fields, field: str) -> int:
        """The number of the asset whose symbol a field holds."""
        return self._number(fields, field, fields.text(field))

    def _number(self, fields: Fields, field: str, symbol: str) -> int:
        symbols = [asset.symbol for asset in self.parameters.assets]
        if symbol not in symbols:
            raise fields.error(field, f"{symbol!r} is no asset; choose from {', '.join(symbols)}")
        return symbols.index(symbol)

    def after(self, fields: Fields, field: str) -> int:
        """Microseconds from the start to the moment that a field names, within the run."""
        time = fields.time(field)
        if not self.start <= time <= self.end:
            raise fields.error(field, "must lie between scenario.start and scenario.end")
        return time - self.start

    def prices(self, folder: Path, names: tuple[tuple[str, ...], ...]) -> PriceSource:
        """[prices]: a file, paths of points by symbol, or a model."""
        fields = self.root.table("prices")
        if sum(map(fields.has, ("file", "paths", "model"))) != 1:
            raise fields.error("file", "give either a file or paths or a model")
        if fields.has("model"):
            symbols = [asset.symbol for asset in self.parameters.assets[1:]]
            table, span = fields.table("model"), self.end - self.start
            model = read_price_model(table, folder, names, symbols, self.step, span)
            source = PriceSource(names, model=model)
        elif fields.has("paths"):
            finer = not fields.skip("resolution_seconds")
            resolution = fields.seconds("resolution_seconds") if finer else self.step
            points = self._paths(fields.table("paths"))
            source = PriceSource(names, points=points, resolution=resolution)
        else:
            adverse = fields.text("adverse", "low")
            if adverse not in _ADVERSE:
                raise fields.error("adverse", f"{adverse!r} is unknown; choose from low, high")
            bring, digest = fields.text("bring", ""), fields.text("sha256", "")
            if bring and not digest:
                raise fields.error("bring", "needs sha256, the hash of that file")
            if digest and not _SHA256.fullmatch(digest):
                raise fields.error("sha256", "must be 64 digits of 0 to 9 and a to f")
            name = fields.text("file")
            source = PriceSource(
                names,
                file=brought(name) if bring else folder / name,
                bring=bring,
                sha256=digest,
                ohlc=fields.flag("ohlc") if fields.has("ohlc") else None,
                adverse=_ADVERSE[adverse],
                window=None if fields.skip("window") else fields.text("window"),
                sort=fields.flag("sort"),
            )
        fields.close()
        return source

    def _paths(self, fields: Fields) -> tuple[tuple[tuple[int, int], ...], ...]:
        paths: list[tuple[tuple[int, int], ...]] = [()]
        for asset in self.parameters.assets[1:]:
            points = fields.pairs(asset.symbol, None, PRICE_DECIMALS, low=1, high=INT64_MAX // 4)
            if points[0][0] > self.start:
                raise fields.error(f"{asset.symbol}[0]", "must not come after scenario.start")
            paths.append(tuple((time - self.start, price) for time, price in points))
        fields.close()
        return tuple(paths)

    def groups(self) -> tuple[Group, ...]:
        """[[groups]]."""
        groups = [self._group(fields) for fields in self.root.tables("groups")]
        if sum(group.count for group in groups) > MOST_ACCOUNTS:
            raise self.root.error("groups", f"have more than {MOST_ACCOUNTS} accounts")
        return tuple(groups)

    def _group(self, fields: Fields) -> Group:
        name = fields.text("name")
        if name in self.group_names:
            raise fields.error("name", f"{name!r} is taken; give each group its own")
        self.group_names.append(name)
        settings = fields.table("settings", optional=True)
        highest = self.parameters.max_leverage
        limit = settings.ratio("leverage_limit", 0, low=RATIO, high=highest)
        group = Group(
            name=name,
            count=fields.number("count", 0, low=1, high=MOST_ACCOUNTS),
            median=fields.value("size", low=1),
            spread=fields.ratio("spread", 0, high=MOST_SPREAD),
            holdings=self._holdings(fields),
            debt=None if fields.skip("debt") else self.asset(fields, "debt"),
            cushion=(0, 0) if fields.skip("cushion") else fields.span("cushion", RATIO_DECIMALS),
            borrow_after=0 if fields.skip("borrow_at") else self.after(fields, "borrow_at"),
            keeps_loan=fields.flag("keeps_loan"),
            utilization=None
            if fields.skip("utilization")
            else fields.ratio("utilization", low=1, high=RATIO),
            loops=fields.number("loops", 0, 0, high=MOST_LOOPS),
            settings=Settings(
                settings.flag("auto_lend"),
                settings.flag("auto_repay_borrows"),
                settings.flag("auto_borrow_settlements"),
                limit or None,
            ),
        )
        settings.close()
        fields.close()
        _check_group(fields, group)
        return group

    def _holdings(self, fields: Fields) -> tuple[Holding, ...]:
        holdings = []
        for table in fields.tables("collateral"):
            asset = self.asset(table, "asset")
            share = table.ratio("share", RATIO, low=1, high=RATIO)
            holdings.append(Holding(asset, share, table.flag("lent")))
            table.close()
        if len({holding.asset for holding in holdings}) < len(holdings):
            raise fields.error("collateral", "names an asset twice; give each one share")
        if sum(holding.share for holding in holdings) != RATIO:
            raise fields.error("collateral", "has shares that do not add up to 1")
        return tuple(holdings)

    def depth(self) -> Depth:
        """[depth]: bands in basis points and cumulative USDC, and how they thin."""
        if not self.root.has("depth"):
            return Depth()
        fields = self.root.table("depth")
        bands = fields.table("bands")
        curves = []
        for symbol in bands.names():
            asset = self._number(bands, symbol, symbol)
            pairs = bands.pairs(symbol, BAND_DECIMALS, VALUE_DECIMALS, low=1)
            curves.append(DepthCurve(asset, self._curve(bands, symbol, pairs)))
            if asset == USDC:
                raise bands.error(symbol, "USDC has no market; leave it out")
        thinning = self._thinning(fields)
        scale = fields.ratio("scale", low=1)
        inventory = fields.ratio("inventory", low=RATIO)
        usual = Depth().recovery
        recovery = usual if fields.skip("recovery_seconds") else fields.seconds("recovery_seconds")
        basis = fields.text("basis", NO_BASIS)
        leaving = tuple(map(self._leaving, fields.tables("leaving", optional=True)))
        bands.close()
        fields.close()
        return Depth(tuple(curves), scale, inventory, thinning, recovery, basis, leaving)

    def _leaving(self, fields: Fields) -> tuple[Trigger, int]:
        trigger = read_trigger(fields, self.asset(fields, "asset"))
        left = fields.ratio("left", low=RATIO // 1000, high=RATIO)
        fields.close()
        return trigger, left

    def _curve(
        self, fields: Fields, symbol: str, pairs: tuple[tuple[int, int], ...]
    ) -> tuple[tuple[int, int], ...]:
        if not 0 < pairs[0][0] <= pairs[-1][0] <= WIDEST_BAND:
            raise fields.error(symbol, "bands must lie above 0 and up to 5000 basis points")
        depths = [value for _, value in pairs]
        if depths != sorted(depths):
            raise fields.error(symbol, "depth is cumulative and must not fall with distance")
        return tuple(
            (distance * BASIS_POINT // 10**BAND_DECIMALS, value) for distance, value in pairs
        )

    def _thinning(self, fields: Fields) -> tuple[tuple[int, int], ...]:
        if fields.skip("thinning"):
            return ((0, RATIO),)
        points = fields.pairs("thinning", None, RATIO_DECIMALS, low=RATIO // 1000, high=10 * RATIO)
        return tuple((time - self.start, multiplier) for time, multiplier in points)

    def providers(self) -> tuple[Provider, ...]:
        """[[providers]]."""
        return tuple(
            self._provider(fields) for fields in self.root.tables("providers", optional=True)
        )

    def _provider(self, fields: Fields) -> Provider:
        commitments = fields.table("commitments")
        promised = tuple(
            (self._number(commitments, symbol, symbol), commitments.value(symbol, low=1))
            for symbol in commitments.names()
        )
        provider = Provider(
            name=fields.text("name"),
            count=fields.number("count", 0, low=1, high=MOST_PROVIDERS),
            equity=fields.value("equity", low=1),
            commitments=promised,
            leaves=self._when(fields, "leaves"),
            loss_limit=None
            if fields.skip("loss_limit")
            else fields.ratio("loss_limit", low=1, high=RATIO),
            unwind=0 if fields.skip("unwind_seconds") else fields.seconds("unwind_seconds"),
        )
        commitments.close()
        fields.close()
        return provider

    def fund(self, field: str) -> int:
        """One balance of [fund]."""
        return self.fund_table.value(field, 0)

    def actions(self) -> tuple[Action, ...]:
        """[[actions]], in order of time."""
        actions = [self._action(each) for each in self.root.tables("actions", optional=True)]
        return tuple(sorted(actions, key=lambda action: action.after))

    def _action(self, fields: Fields) -> Action:
        group = fields.text("group")
        if group not in self.group_names:
            names = ", ".join(self.group_names)
            raise fields.error("group", f"{group!r} is no group; choose from {names}")
        trigger = self._when(fields, "when")
        if trigger is not None and fields.has("at"):
            raise fields.error("at", "does not go with `when`; leave one of them out")
        action = Action(
            after=0 if trigger else self.after(fields, "at"),
            group=group,
            deed=fields.choice("do", Deed),
            asset=self.asset(fields, "asset"),
            share=fields.ratio("share", RATIO, low=1, high=100 * RATIO),
            spread_over=0 if fields.skip("spread_over") else fields.seconds("spread_over"),
            trigger=trigger,
            repeats=fields.flag("repeats"),
        )
        fields.close()
        if action.deed is Deed.UNWIND and not action.asset:
            raise fields.error("asset", "USDC has no market to be sold in; name another")
        return action

    def _when(self, fields: Fields, field: str) -> Trigger | None:
        """A trigger as a table of its own, None where there is none."""
        if fields.skip(field):
            return None
        table = fields.table(field)
        trigger = read_trigger(table, self.asset(table, "asset"))
        table.close()
        return trigger

    def changes(self) -> tuple[Change, ...]:
        """[[changes]], in order of time; each must be valid on top of those before it."""
        tables = self.root.tables("changes", optional=True)
        changes = sorted(
            ((self._change(each), each) for each in tables), key=lambda pair: pair[0].after
        )
        parameters = self.parameters
        for change, fields in changes:
            try:
                parameters = changed_parameters(parameters, change.command)
            except ParameterError as error:
                raise fields.error("value", f"{error.field} {error.reason}") from None
        return tuple(change for change, _ in changes)

    def _change(self, fields: Fields) -> Change:
        kind = fields.choice("field", ParameterField)
        asset = self.asset(fields, "asset")
        decimals = _FIELD_DECIMALS.get(kind, RATIO_DECIMALS)
        if kind is ParameterField.OPEN_BORROW_LEND_LIMIT:
            decimals = self.parameters.assets[asset].decimals
        value, index = fields.number("value", decimals), fields.number("index", 0, 0)
        change = Change(self.after(fields, "at"), ChangeParameter(asset, kind, value, index))
        fields.close()
        return change


def _check_group(fields: Fields, group: Group) -> None:
    """What must fit together within a group."""
    rules: tuple[tuple[str, Callable[[], bool], str], ...] = (
        (
            "cushion",
            lambda: group.debt is None or fields.has("cushion"),
            "is missing; add it",
        ),
        ("cushion", lambda: group.debt is not None or not fields.has("cushion"), NO_DEBT),
        ("borrow_at", lambda: group.debt is not None or not group.borrow_after, NO_DEBT),
        ("loops", lambda: group.debt is not None or not group.loops, NO_DEBT),
        ("cushion", lambda: group.cushion[1] <= MOST_CUSHION, "must not exceed 100"),
        ("debt", lambda: not _both_sides(group), "is among the collateral; owe another asset"),
        ("utilization", lambda: _only_lends_one(group), "is for groups that only lend one asset"),
    )
    for field, holds, reason in rules:
        if not holds():
            raise fields.error(field, reason)


def _both_sides(group: Group) -> bool:
    return any(holding.asset == group.debt for holding in group.holdings)


def _only_lends_one(group: Group) -> bool:
    if group.utilization is None:
        return True
    return group.debt is None and len(group.holdings) == 1 and group.holdings[0].lent
