"""Bounds: the most that may be asked for, and which limit it is that binds, as objects.

The limit has the name of the one that refuses the next larger amount. Where what refuses is no
limit of an amount it has the name of the refusal, and nothing refuses a market order that takes all
there is (`BookLiquidity`) or a repayment of everything (`OutstandingDebt`).
"""

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.parameters import EngineParameters
from solvent.domain.readings import AmountCommand
from solvent.domain.readings import Bound as Found
from solvent.domain.rejections import Refusal
from solvent.service.api.objects.enums import LimitName
from solvent.service.api.objects.insight import Bound
from solvent.service.api.shapes import quantity_text, words
from solvent.service.errors import ApiError, from_refusal


def refusal_error(
    parameters: EngineParameters, command: AmountCommand, refusal: Refusal, largest: int
) -> ApiError:
    """The error that the command would be answered with."""
    kind = c.COMMAND_KINDS.index(type(command))
    refused = Refused(kind, command.account, command.asset, refusal.code, refusal.limit, largest)
    return from_refusal(refused, parameters, command)


def bound_object(parameters: EngineParameters, command: AmountCommand, bound: Found) -> Bound:
    """A bound: the quantity, the limit, and what asking for more is answered with."""
    shape = Bound(
        quantity=quantity_text(parameters, command.asset, bound.largest),
        limit=_limit_name(command, bound.refusal),
    )
    if bound.refusal is not None:
        error = refusal_error(parameters, command, bound.refusal, bound.largest)
        shape.code, shape.message = error.code, error.message
    return shape


def _limit_name(command: AmountCommand, refusal: Refusal | None) -> LimitName:
    if refusal is None:
        is_repay = isinstance(command, c.Repay)
        return LimitName.OUTSTANDING_DEBT if is_repay else LimitName.BOOK_LIQUIDITY
    return LimitName(words((refusal.limit or refusal.code).name))
