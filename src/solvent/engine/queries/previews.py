"""Previews: the largest amounts that commands may ask for now, and what refuses more.

As `reference.queries` has them, to the atom: each asks the command's own refusal again and again.
`refusal` and `bound` say which limit it is that binds. Nothing is changed by asking (I37).
"""

from typing import Protocol

from solvent.domain.commands import PlaceOrder
from solvent.domain.parameters import EngineParameters
from solvent.domain.queries import Queries
from solvent.domain.readings import AmountCommand
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.command_rows import Words, encode_batch
from solvent.engine.memory.rows import Globals
from solvent.engine.refusals import refusal_code, refusal_limit


class Readable(Protocol):
    """What queries need of an engine."""

    columns: Columns

    def read(self, name: str, *arguments: int, **instead: Words) -> int:
        """Call a kernel that reads; `instead` are columns it gets copies of."""
        ...


class Previews(Queries):
    """Asks an engine what it would accept."""

    def __init__(self, engine: Readable) -> None:
        self._engine = engine

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        return self._engine.columns.parameters

    def accounts(self) -> int:
        """How many accounts there are; they are numbered from 0."""
        return int(self._engine.columns["globals"][Globals.accounts])

    def max_lend(self, account: int, asset: int) -> int:
        """The most that a `Lend` may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_lend", account, asset)

    def max_redeem(self, account: int, asset: int) -> int:
        """The most that a `Redeem` may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_redeem", account, asset)

    def max_borrow(self, account: int, asset: int) -> int:
        """The most that a `Borrow` may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_borrow", account, asset)

    def max_repay(self, account: int, asset: int) -> int:
        """The most that a `Repay` takes now, as far as it buys back a share."""
        self._check(account, asset)
        return self._engine.read("max_repay", account, asset)

    def max_withdraw(
        self, account: int, asset: int, *, auto_lend_redeem: bool, auto_borrow: bool
    ) -> int:
        """The most that a `Withdraw` with these flags may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_withdraw", account, asset, auto_lend_redeem, auto_borrow)

    def max_order_like(self, command: PlaceOrder) -> int:
        """The largest quantity with which the order may be placed now; 0 when none passes.

        For a market order, which fills what there is, the largest that the impact band holds.
        """
        self._check(command.account, command.asset)
        row = encode_batch([command])
        return self._engine.read("max_order", row.ctypes.data)

    def refusal(self, command: AmountCommand) -> Refusal | None:
        """Why the command would be refused now, its largest amount left out; None: it would not."""
        self._check(command.account, command.asset)
        row = encode_batch([command])
        refusal = self._engine.read("refusal_now", row.ctypes.data)
        if not refusal:
            return None
        return Refusal(RejectionCode(refusal_code(refusal)), Limit(refusal_limit(refusal)))
