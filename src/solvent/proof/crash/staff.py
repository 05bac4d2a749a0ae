"""What operator, oracle and risk admins ask for: accounts, deposits, prices, approved changes."""

from collections.abc import Sequence

from solvent.domain.commands import ParameterField
from solvent.domain.units import PRICE_DECIMALS
from solvent.proof.crash.script import (
    NOBODY,
    PRICE,
    REMOVAL,
    RISK_DESK,
    USD,
    Fields,
    Op,
    Place,
    Plan,
    name_of,
    usd,
)
from solvent.proof.crash.signed import Ask, proof, public_key
from solvent.service.authority.possession import NEW_ACCOUNT
from solvent.service.core.keys import Role
from solvent.service.wire import format_decimal

OPERATOR, FUNDER, ORACLE = "operator", "funder", "oracle"
MARKET = b"a market to kill"
"""Its identity."""
RISK_ADMINS = ("risk admin who proposes", "risk admin who approves")
STAFF = {
    OPERATOR: Role.OPERATOR,
    FUNDER: Role.FUNDER,
    ORACLE: Role.ORACLE,
    **dict.fromkeys(RISK_ADMINS, Role.RISK_ADMIN),
}
"""The first keys, by the names of those who have them."""
DEPOSIT = 10_000 * USD
ENDOWMENT = 100
"""Tokens that each of a pair begins with; every order is for one token."""
PRICES = 20
"""The oracle's price rises from PRICE by so many ticks and begins again."""
OPENINGS = 12
"""Every so many steps the operator opens another account; its key is removed in the next round."""
CHANGE = "change"
"""What an approved proposal does."""


class Operator:
    """Opens accounts, and then books deposits with the funder's key without end."""

    def __init__(self, place: Place, accounts: Sequence[int], endowed: Sequence[int]) -> None:
        self._place = place
        self._accounts = accounts
        self._begin = [
            *map(self._open, accounts),
            *(
                self._deposit(account, place.base, str(ENDOWMENT), "endow", ENDOWMENT)
                for account in endowed
            ),
            *map(self._fund, accounts),
        ]

    @property
    def set_up(self) -> int:
        """After how many steps every client has what it needs."""
        return len(self._begin)

    def plan(self, step: int) -> Plan:
        """The set-up, then deposits, now and then an account, and later an end to its key."""
        if step < self.set_up:
            return self._begin[step]
        round_, turn = divmod(step - self.set_up, OPENINGS)
        if turn == OPENINGS - 1:
            return self._open(self._accounts[-1] + 1 + round_)
        if turn == OPENINGS // 2 and round_:
            return self._remove(self._accounts[-1] + round_)
        return self._fund(self._accounts[step % len(self._accounts)])

    def _open(self, account: int) -> Plan:
        name = name_of(account)
        shown = proof(name, MARKET, Role.USER, NEW_ACCOUNT)
        fields = {"publicKey": public_key(name), "proof": shown}
        ask = Ask("POST", "/solvent/v1/admin/accounts", "adminOpen", fields, signs_digest=True)
        return Plan(OPERATOR, ask, (Op(account, "open"),), b'{"account":%d}' % account)

    def _remove(self, account: int) -> Plan:
        fields = {"publicKey": public_key(name_of(account))}
        path, instruction = "/solvent/v1/admin/keys", "adminKeyRemove"
        ask = Ask("DELETE", path, instruction, fields, signs_digest=True)
        return Plan(OPERATOR, ask, (Op(account, REMOVAL),))

    def _fund(self, account: int) -> Plan:
        return self._deposit(account, self._place.usdc, usd(DEPOSIT), "deposit", DEPOSIT)

    def _deposit(self, account: int, symbol: str, quantity: str, verb: str, number: int) -> Plan:
        fields: Fields = {"account": account, "symbol": symbol, "quantity": quantity}
        ask = Ask("POST", "/solvent/v1/admin/deposits", "adminDeposit", fields)
        return Plan(FUNDER, ask, (Op(account, verb, number),))


class Oracle:
    """Prices of all sources at once."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def plan(self, step: int) -> Plan:
        """The next price."""
        price = PRICE + step % PRICES * self._place.tick
        text = format_decimal(price, PRICE_DECIMALS)
        quote: Fields = {"symbol": self._place.base, "bid": text, "ask": text, "last": text}
        sources = range(self._place.sources)
        fields: Fields = {"prices": [{**quote, "source": source} for source in sources]}
        ask = Ask("POST", "/solvent/v1/oracle/prices", "oraclePrices", fields, signs_digest=True)
        return Plan(ORACLE, ask, tuple(Op(NOBODY, "price", price) for _ in sources))


class RiskDesk:
    """Proposes a fee and approves it, and then another one; no account is touched by it."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def plan(self, step: int) -> Plan:
        """One key proposes, the other one approves; proposals are numbered from 1."""
        turn, is_proposed = divmod(step, 2)
        number = turn + 1
        if is_proposed:
            path = "/solvent/v1/proposals/approvals"
            ask = Ask("POST", path, "proposalApprove", {"proposal": number})
            ops: tuple[Op, ...] = (Op(RISK_DESK, CHANGE, number),)
        else:
            fields: Fields = {
                "symbol": self._place.base,
                "field": ParameterField.POOL_FEE.name,
                "value": number,
            }
            ask, ops = Ask("POST", "/solvent/v1/risk/proposals", "riskPropose", fields), ()
        return Plan(RISK_ADMINS[is_proposed], ask, ops, b'"proposal":%d' % number)
