"""What staff asks for: accounts, deposits, prices, approved changes, and keys that come and go."""

from collections.abc import Mapping, Sequence

from solvent.domain.commands import ParameterField
from solvent.proof.crash.script import (
    DESK,
    PRICE,
    REMOVAL,
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
from solvent.service.core.keys import NO_ACCOUNT, Role

OPERATOR, SECOND = "operator", "operator who approves"
FUNDER, ORACLE = "funder", "oracle"
KEYS = "/solvent/v1/admin/keys"
MARKET = b"a market to kill"
"""Its identity."""
RISK_ADMINS = ("risk admin who proposes", "risk admin who approves")
STAFF = {
    OPERATOR: Role.OPERATOR,
    SECOND: Role.OPERATOR,
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

    def __init__(self, place: Place, accounts: Sequence[int], endowed: Mapping[int, Place]) -> None:
        self._place = place
        self._accounts = accounts
        self._begin = [
            *map(self._open, accounts),
            *(
                self._deposit(account, of.base, str(ENDOWMENT), "endow", ENDOWMENT)
                for account, of in endowed.items()
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
        return _removal(name_of(account), Op(account, REMOVAL))

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
        return Plan(ORACLE, *self._place.quotes(PRICE + step % PRICES * self._place.tick))


class Desk:
    """Acts that two people stand behind, and keys that change in the midst of them.

    A round: one risk admin proposes a fee, one of the two takes another key, the other one
    approves; one operator proposes an auditor's key, the other one takes another key and approves;
    the auditor takes another key, and that is removed. Proposals are numbered from 1, two a round.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turns = (
            self._propose,
            self._rotate_admin,
            self._approve,
            self._admit,
            self._rotate_operator,
            self._approve_key,
            self._rotate_auditor,
            self._remove_auditor,
        )

    def plan(self, step: int) -> Plan:
        """The turn that it is."""
        round_, at = divmod(step, len(self._turns))
        return self._turns[at](round_)

    def waiting(self, step: int) -> set[int]:
        """Which proposals wait for their second person after so many steps."""
        round_, at = divmod(step, len(self._turns))
        change, key = {2 * round_ + 1}, {2 * round_ + 2}
        return {1: change, 2: change, 4: key, 5: key}.get(at, set())

    def acting(self, step: int) -> dict[str, int]:
        """Keys of staff that act after so many steps, by name, with their numbers; 0 for any."""
        round_, at = divmod(step, len(self._turns))
        found = {name: number for number, name in enumerate(STAFF, 1)}
        for admin, name in enumerate(RISK_ADMINS):
            rounds = round_ + (at > ROTATED_ADMIN)
            found[_key(name, _rotations(admin, rounds))] = found.pop(name)
        operators = round_ + (at > ROTATED_OPERATOR)
        found[_key(SECOND, operators)] = found.pop(SECOND)
        if at > ADMITTED:
            found[_key(_auditor(round_), at - ADMITTED - 1)] = 0
        return found

    def retired(self, step: int) -> str:
        """A key that last acted before this many steps and may act no more; empty for none."""
        round_, at = divmod(step, len(self._turns))
        rounds = round_ + (at > ROTATED_OPERATOR)
        return _key(SECOND, rounds - 1) if rounds else ""

    def _propose(self, round_: int) -> Plan:
        fields: Fields = {
            "symbol": self._place.base,
            "field": ParameterField.POOL_FEE.name,
            "value": round_ + 1,
        }
        ask = Ask("POST", "/solvent/v1/risk/proposals", "riskPropose", fields)
        return Plan(_admin(0, round_), ask, says=_says(2 * round_ + 1))

    def _rotate_admin(self, round_: int) -> Plan:
        admin = round_ % 2
        return _rotation(_admin(admin, round_), _admin(admin, round_ + 1), Role.RISK_ADMIN)

    def _approve(self, round_: int) -> Plan:
        change = Op(DESK, CHANGE, round_ + 1)
        return _approval(_admin(1, round_ + 1), 2 * round_ + 1)._replace(ops=(change,))

    def _admit(self, round_: int) -> Plan:
        name = _auditor(round_)
        shown = proof(name, MARKET, Role.AUDITOR, NO_ACCOUNT)
        fields = {"role": Role.AUDITOR.value, "publicKey": public_key(name), "proof": shown}
        ask = Ask("POST", KEYS, "adminKey", fields, signs_digest=True)
        return Plan(OPERATOR, ask, says=_says(2 * round_ + 2))

    def _rotate_operator(self, round_: int) -> Plan:
        return _rotation(_key(SECOND, round_), _key(SECOND, round_ + 1), Role.OPERATOR)

    def _approve_key(self, round_: int) -> Plan:
        return _approval(_key(SECOND, round_ + 1), 2 * round_ + 2)

    def _rotate_auditor(self, round_: int) -> Plan:
        name = _auditor(round_)
        return _rotation(name, _key(name, 1), Role.AUDITOR)

    def _remove_auditor(self, round_: int) -> Plan:
        return _removal(_key(_auditor(round_), 1))


ROTATED_ADMIN, ROTATED_OPERATOR, ADMITTED = 1, 4, 5
"""Places of these turns in a round."""


def _says(proposal: int) -> bytes:
    return b'"proposal":%d' % proposal


def _key(name: str, rotations: int) -> str:
    """The name under which somebody signs who took another key so many times."""
    return f"{name}, key {rotations + 1}" if rotations else name


def _rotations(admin: int, rounds: int) -> int:
    """How often a risk admin took another key: they take turns."""
    return (rounds + 1 - admin) // 2


def _admin(admin: int, rounds: int) -> str:
    return _key(RISK_ADMINS[admin], _rotations(admin, rounds))


def _auditor(round_: int) -> str:
    return f"auditor {round_ + 1}"


def _rotation(old: str, new: str, role: Role) -> Plan:
    shown = proof(new, MARKET, role, NO_ACCOUNT)
    fields = {"publicKey": public_key(new), "proof": shown}
    ask = Ask("POST", "/solvent/v1/keys/rotation", "keyRotate", fields, signs_digest=True)
    return Plan(old, ask, retires=True)


def _approval(name: str, proposal: int) -> Plan:
    ask = Ask("POST", "/solvent/v1/proposals/approvals", "proposalApprove", {"proposal": proposal})
    return Plan(name, ask, says=_says(proposal))


def _removal(name: str, *ops: Op) -> Plan:
    """One operator is enough."""
    ask = Ask("DELETE", KEYS, "adminKeyRemove", {"publicKey": public_key(name)}, signs_digest=True)
    return Plan(OPERATOR, ask, ops)
