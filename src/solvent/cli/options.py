"""Options that several commands share: their types, what they accept and what help says of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from solvent.cli.runs.running import EngineKind
from solvent.domain.parameters import Policy

INT32_MAX = 2**31 - 1


def whole_number(_type: object, tokens: Sequence[Token]) -> int:
    """The whole number of an option. ValueError for a fraction, which nothing here rounds."""
    return int(tokens[0].value)


def named_path(_type: object, tokens: Sequence[Token]) -> Path:
    """The path of an option. ValueError for an empty one, which would mean the current folder."""
    if not tokens[0].value:
        raise ValueError("Must not be empty.")
    return Path(tokens[0].value)


def named_paths(kind: object, tokens: Sequence[Token]) -> list[Path]:
    """The paths of an option that may be given several times."""
    return [named_path(kind, [token]) for token in tokens]


WHOLE = Parameter(converter=whole_number)
NAMED = Parameter(converter=named_path)
ALL_NAMED = Parameter(converter=named_paths)
COUNT = Parameter(validator=Number(gte=1, lte=INT32_MAX))
"""What a number of accounts, runs or readings may be."""

LenderPolicy = Annotated[
    Policy | None, Parameter(help="How ADL picks the borrowers that pay a stuck lender (case L).")
]
DefaultPolicy = Annotated[
    Policy | None, Parameter(help="How ADL picks the lenders that settle a default (case B).")
]
Accounts = Annotated[
    int | None,
    WHOLE,
    COUNT,
    Parameter(
        help="How many accounts to populate the market with.",
    ),
]
Seed = Annotated[
    int | None,
    WHOLE,
    Parameter(
        validator=Number(gte=0),
        help="Seed of the population and of the liquidation engine's draws.",
    ),
]
Json = Annotated[
    bool,
    Parameter(help="Print one JSON object with all figures, and nothing else, on standard output."),
]
EngineOption = Annotated[
    EngineKind,
    Parameter(help="The fast engine, or the reference, which gives the same bytes more slowly."),
]
