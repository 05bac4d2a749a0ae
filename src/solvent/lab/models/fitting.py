"""Four price models of one price file, as a scenario's `[prices]` would have them.

    bootstrap   blocks of `BLOCK` of the file's own moves
    copula      the file's moves for each asset, joined by a t copula
    jumps       moves beyond `FAR` robust deviations are jumps, common to all; the rest diffuses
    shock       one joint move in `SHOCK` moves' time, as wide as the file's moves over that time

All start at the file's first prices. A fit is a text, rounded to 10^-9, and a sweep's plan keeps it
as any other value of a field: a row hangs on the text, not on whoever fitted it.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

import numpy as np

from solvent.domain.units import PRICE_DECIMALS, RATIO, RATIO_DECIMALS, SECOND, format_decimal
from solvent.lab.paths.arithmetic import Numbers
from solvent.lab.paths.drawing import history_of
from solvent.lab.paths.model import Bootstrap, FromFile, Jumps, Shock
from solvent.lab.paths.moves import DAY
from solvent.lab.prices.paths import read_prices
from solvent.lab.scenario.model import Scenario

BLOCK, SHOCK, DEGREES = 20, 10, 4
FAR = 4.0
MOST_JUMPS_A_DAY = 900.0
NORMAL_OVER_MAD = 1.4826
"""A normal law's standard deviation over its median absolute deviation."""


def fitted(scenario: Scenario) -> Mapping[str, str]:
    """The value of `prices` by the model's name. InputError where the scenario names no file."""
    source = scenario.prices
    file = source.model.file if isinstance(source.model, FromFile) else source.file
    if file is None:
        raise scenario.error("prices", "names no price file that models could be fitted to")
    resolution = _resolution(scenario, file)
    model = Bootstrap(file.resolve(), source.names, resolution, BLOCK * resolution)
    first, moves = history_of(scenario, model)
    symbols = [asset.symbol for asset in scenario.parameters.assets[1:]]
    said = f"file = '{file.resolve()}'"
    texts = {
        "bootstrap": f"{said}, block_seconds = {model.block // SECOND}",
        "copula": f"{said}, degrees = {DEGREES}",
        "jumps": _jump_text(symbols, fit_jumps(first, moves, resolution)),
        "shock": _shock_text(symbols, fit_shock(first, moves, resolution)),
    }
    seconds = f"resolution_seconds = {resolution // SECOND}"
    return {
        kind: f'{{ model = {{ kind = "{kind}", {seconds}, {text} }} }}'
        for kind, text in texts.items()
    }


def _resolution(scenario: Scenario, file: Path) -> int:
    """The usual distance between prices of the asset that has fewest, in whole seconds.

    The scenario's step where that is wider.
    """
    path = read_prices(file).in_unit_of_account()
    usual = [int(np.median(np.diff(np.array(times)))) for times in path.prints if len(times) > 1]
    return max([scenario.step, *(ceil(each / SECOND) * SECOND for each in usual)])


def fit_jumps(first: tuple[int, ...], moves: Numbers, resolution: int) -> Jumps:
    """A diffusion and common jumps with the moments of these moves, (steps, assets)."""
    middle = np.median(moves, axis=0)
    wide = NORMAL_OVER_MAD * np.median(np.abs(moves - middle), axis=0)
    far = (np.abs(moves - middle) > FAR * np.where(wide > 0.0, wide, np.inf)).any(axis=1)
    calm, jumps = moves[~far], moves[far]
    days, none = len(moves) * resolution / DAY, np.zeros(moves.shape[1])
    return Jumps(
        first=first,
        resolution=resolution,
        volatility=_ratios(calm.std(axis=0) * np.sqrt(DAY / resolution)),
        loading=_ratios(loadings(calm)),
        intensity=round(min(MOST_JUMPS_A_DAY, len(jumps) / days) * RATIO),
        mean=_ratios(jumps.mean(axis=0) if len(jumps) else none),
        deviation=_ratios(jumps.std(axis=0) if len(jumps) else none),
        jump_loading=_ratios(loadings(jumps)),
    )


def fit_shock(first: tuple[int, ...], moves: Numbers, resolution: int) -> Shock:
    """One move as wide as these moves are over `SHOCK` steps, half of which comes back."""
    over = min(SHOCK, len(moves))
    sums = np.cumsum(np.vstack([np.zeros(moves.shape[1]), moves]), axis=0)
    wide = (sums[over:] - sums[:-over]).std(axis=0)
    # Student's deviation is sqrt(d / (d - 2)) times its scale.
    scale = _ratios(wide * np.sqrt((DEGREES - 2) / DEGREES))
    together = _ratios(loadings(moves))
    return Shock(first, resolution, scale, together, DEGREES, over * resolution, RATIO // 2)


def _jump_text(symbols: list[str], model: Jumps) -> str:
    tables = {
        "volatility": model.volatility,
        "loading": model.loading,
        "jump_mean": model.mean,
        "jump_deviation": model.deviation,
        "jump_loading": model.jump_loading,
    }
    said = [f"{name} = {_table(symbols, row)}" for name, row in tables.items()]
    rate = format_decimal(model.intensity, RATIO_DECIMALS)
    start = _table(symbols, model.first, PRICE_DECIMALS)
    return ", ".join([f"start = {start}", f"jumps_a_day = {rate}", *said])


def _shock_text(symbols: list[str], model: Shock) -> str:
    return (
        f"start = {_table(symbols, model.first, PRICE_DECIMALS)},"
        f" scale = {_table(symbols, model.scale)}, loading = {_table(symbols, model.loading)},"
        f" degrees = {model.degrees}, over_seconds = {model.over // SECOND},"
        f" back = {format_decimal(model.back, RATIO_DECIMALS)}"
    )


def loadings(moves: Numbers) -> Numbers:
    """Correlations with the first principal component, at most 0.99; 0 where nothing moves."""
    count = moves.shape[1]
    if len(moves) <= count or not (moves.std(axis=0) > 0.0).all():
        return np.zeros(count)
    values, vectors = np.linalg.eigh(np.corrcoef(moves.T))
    found = vectors[:, -1] * np.sqrt(values[-1])
    signed: Numbers = np.clip(found * (1.0 if found.sum() >= 0.0 else -1.0), -0.99, 0.99)
    return signed


def _table(symbols: list[str], values: Sequence[int], decimals: int = RATIO_DECIMALS) -> str:
    texts = (format_decimal(value, decimals) for value in values)
    pairs = ", ".join(f"{name} = {text}" for name, text in zip(symbols, texts, strict=True))
    return f"{{ {pairs} }}"


def _ratios(row: Numbers) -> tuple[int, ...]:
    return tuple(round(float(x) * RATIO) for x in row)
