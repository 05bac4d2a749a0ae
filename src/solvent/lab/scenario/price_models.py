"""[prices.model]: how a scenario's prices are drawn, as `paths.model` has it.

    kind = "bootstrap"   file, block_seconds
    kind = "copula"      file, degrees
    kind = "jumps"       start, volatility, loading, jumps_a_day, jump_mean, jump_deviation,
                         jump_loading
    kind = "shock"       start, scale, loading, degrees, over_seconds, back

and `resolution_seconds`, the scenario's step by default. Tables are by symbol, every asset but USDC
in each.
"""

from collections.abc import Sequence
from pathlib import Path

from solvent.domain.units import INT64_MAX, PRICE_DECIMALS, RATIO, RATIO_DECIMALS
from solvent.lab.paths.model import Bootstrap, Copula, Jumps, PriceModel, Shock
from solvent.lab.scenario.fields import Fields

KINDS = ("bootstrap", "copula", "jumps", "shock")
MOST_DEGREES = 30
MOST_PRICE = INT64_MAX // 4
MOST_A_DAY = 1000 * RATIO
MOST_MOVE = 5 * RATIO
MOST_POINTS = 1_000_000


def read_price_model(
    fields: Fields,
    folder: Path,
    names: tuple[tuple[str, ...], ...],
    symbols: Sequence[str],
    step: int,
    span: int,
) -> PriceModel:
    """The model of a [prices.model] table; `symbols` are the assets but USDC."""
    kind = fields.text("kind")
    if kind not in KINDS:
        raise fields.error("kind", f"{kind!r} is unknown; choose from {', '.join(KINDS)}")
    resolution = fields.seconds("resolution_seconds", step, high=span)
    if span // resolution > MOST_POINTS:
        raise fields.error("resolution_seconds", f"gives over {MOST_POINTS} prices; make it longer")
    table = _Tables(fields, symbols)
    model: PriceModel
    if kind == "bootstrap":
        block = fields.seconds("block_seconds", high=366 * 86_400 * 10**6)
        if block < resolution:
            raise fields.error("block_seconds", "must not be less than resolution_seconds")
        model = Bootstrap(folder / fields.text("file"), names, resolution, block)
    elif kind == "copula":
        model = Copula(folder / fields.text("file"), names, resolution, _degrees(fields))
    elif kind == "jumps":
        model = Jumps(
            first=table.prices("start"),
            resolution=resolution,
            volatility=table.ratios("volatility", 0, MOST_MOVE),
            loading=table.ratios("loading", -RATIO, RATIO),
            intensity=fields.ratio("jumps_a_day", high=MOST_A_DAY),
            mean=table.ratios("jump_mean", -MOST_MOVE, MOST_MOVE),
            deviation=table.ratios("jump_deviation", 0, MOST_MOVE),
            jump_loading=table.ratios("jump_loading", -RATIO, RATIO),
        )
    else:
        model = Shock(
            first=table.prices("start"),
            resolution=resolution,
            scale=table.ratios("scale", 0, MOST_MOVE),
            loading=table.ratios("loading", -RATIO, RATIO),
            degrees=_degrees(fields),
            over=fields.seconds("over_seconds", high=span),
            back=fields.ratio("back", 0, high=RATIO),
        )
    fields.close()
    return model


def _degrees(fields: Fields) -> int:
    degrees = fields.number("degrees", 0, low=2, high=MOST_DEGREES)
    if degrees % 2:
        reason = f"must be even, is {degrees}: Student's distribution is then exact in arithmetic"
        raise fields.error("degrees", reason)
    return degrees


class _Tables:
    """Tables by symbol, every one with all assets but USDC."""

    def __init__(self, fields: Fields, symbols: Sequence[str]) -> None:
        self._fields = fields
        self._symbols = symbols

    def prices(self, field: str) -> tuple[int, ...]:
        """A price above zero each."""
        return self._numbers(field, PRICE_DECIMALS, 1, MOST_PRICE)

    def ratios(self, field: str, low: int, high: int) -> tuple[int, ...]:
        """A ratio each."""
        return self._numbers(field, RATIO_DECIMALS, low, high)

    def _numbers(self, field: str, decimals: int, low: int, high: int) -> tuple[int, ...]:
        table = self._fields.table(field)
        found = tuple(
            table.number(symbol, decimals, low=low, high=high) for symbol in self._symbols
        )
        table.close()
        return found
