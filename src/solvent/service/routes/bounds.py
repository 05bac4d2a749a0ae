"""Bounds: the most that may be asked for, and which limit it is that binds, as objects.

The limit has the name of the one that refuses the next larger amount. Where what refuses is no
limit of an amount it has the name of the refusal, and nothing refuses a market order that takes all
there is (`BookLiquidity`) or a repayment of everything (`OutstandingDebt`).
"""

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.parameters import EngineParameters
from solvent.domain.readings import AmountCommand, Bound
from solvent.domain.rejections import Limit, Refusal
from solvent.service.api.shapes import Object, quantity_text
from solvent.service.errors import ApiError, from_refusal
from solvent.service.routes.histories import words

_BOOK = "BookLiquidity"


def refusal_error(
    parameters: EngineParameters, command: AmountCommand, refusal: Refusal, largest: int
) -> ApiError:
    """The error that the command would be answered with."""
    kind = c.COMMAND_KINDS.index(type(command))
    refused = Refused(kind, command.account, command.asset, refusal.code, refusal.limit, largest)
    return from_refusal(refused, parameters, command)


def bound_object(parameters: EngineParameters, command: AmountCommand, bound: Bound) -> Object:
    """A bound as `Bound`: the quantity, the limit, and what asking for more is answered with."""
    shape: Object = {
        "quantity": quantity_text(parameters, command.asset, bound.largest),
        "limit": _limit_name(command, bound.refusal),
    }
    if bound.refusal is not None:
        error = refusal_error(parameters, command, bound.refusal, bound.largest)
        shape |= {"code": error.code.value, "message": error.message}
    return shape


def _limit_name(command: AmountCommand, refusal: Refusal | None) -> str:
    if refusal is None:
        return words(Limit.OUTSTANDING_DEBT.name) if isinstance(command, c.Repay) else _BOOK
    return words((refusal.limit or refusal.code).name)
