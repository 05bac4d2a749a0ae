"""What a scenario may say of how its prices are drawn: four models, each a record of data.

    Bootstrap   blocks of a price file in another order (Politis and Romano's stationary bootstrap)
    Copula      the file's own moves for each asset, joined by a t copula fitted to the file
    Jumps       a diffusion with one common factor, and jumps that hit all assets together
    Shock       one joint fall, drawn from a multivariate t, at a moment that is drawn too

Ratios are 10^-9, prices 10^-10 USDC, times microseconds. A tuple by asset leaves USDC out: its
first element is that of asset 1. Two assets' correlation is the product of their loadings on the
common factor.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FromFile:
    """What the models that are made of a price file share."""

    file: Path
    names: tuple[tuple[str, ...], ...]
    resolution: int


@dataclass(frozen=True, slots=True)
class Bootstrap(FromFile):
    """Blocks of mean length `block`, each from a place that is drawn evenly."""

    block: int


@dataclass(frozen=True, slots=True)
class Copula(FromFile):
    """A t copula of so many degrees of freedom, an even number; each step is drawn anew."""

    degrees: int


@dataclass(frozen=True, slots=True)
class Jumps:
    """Volatility a day, `intensity` jumps a day of log size `mean` and `deviation` each asset."""

    first: tuple[int, ...]
    resolution: int
    volatility: tuple[int, ...]
    loading: tuple[int, ...]
    intensity: int
    mean: tuple[int, ...]
    deviation: tuple[int, ...]
    jump_loading: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shock:
    """A joint log move of these scales within `over`, of which `back` of 10^9 comes back."""

    first: tuple[int, ...]
    resolution: int
    scale: tuple[int, ...]
    loading: tuple[int, ...]
    degrees: int
    over: int
    back: int


PriceModel = Bootstrap | Copula | Jumps | Shock
