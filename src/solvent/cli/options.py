"""Options that `demo` and `run` share: their types, what they accept and what help says of them."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.running import EngineKind
from solvent.domain.parameters import Policy

LenderPolicy = Annotated[
    Policy | None, Parameter(help="How ADL picks the borrowers who pay a stuck lender (case L).")
]
DefaultPolicy = Annotated[
    Policy | None, Parameter(help="How ADL picks the lenders who settle a default (case B).")
]
Accounts = Annotated[
    int | None,
    Parameter(
        validator=Number(gte=1),
        help="How many accounts to populate the market with.",
    ),
]
Seed = Annotated[
    int | None,
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
