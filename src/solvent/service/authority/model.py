"""The model: who may ask for which act, who else must agree, and whether it waits.

    act               asks            a second person        waits
    ChangeParameter   risk admin      another risk admin     the delay
    AdmitKey          operator        another operator       the delay
    RemoveKey         operator        -                      -
    RotateKey         everybody       -                      -
    OpenAccount       operator        -                      -
    BookDeposit       funder          above the hourly limit:
                                      a funder or operator   -
    CollectFees       operator        -                      -
    HaltPrice         oracle          -                      -
    PaceReplay        operator        -                      -

A removal takes power away and must be quick, so one person is enough for it; a new account has
nothing that a first key could take. Whoever may approve may reject, and a proposer may withdraw.
`desk` is the one place that asks this table.
"""

from collections.abc import Mapping
from typing import NamedTuple

from solvent.service.authority.acts import (
    Act,
    AdmitKey,
    BookDeposit,
    ChangeParameter,
    CollectFees,
    HaltPrice,
    OpenAccount,
    PaceReplay,
    RemoveKey,
    RotateKey,
)
from solvent.service.core.keys import Role

HOUSE = 0
"""In place of a key's number: whoever has the folder on the disk. May do everything alone."""
CLOCK = -1
"""The service itself, which may only carry out what was decided."""
HOUR = 3600 * 10**6
"""Microseconds: the limit of funding counts anew with each hour of the clock."""


class Terms(NamedTuple):
    """What a market asks for: keys behind an act, its proposer's among them; how long it waits.

    `delay` is microseconds; `funding` whole USDC an hour that funders may book alone, None for any.
    """

    approvals: int = 2
    delay: int = HOUR
    funding: int | None = 100_000


class Rule(NamedTuple):
    """Roles that ask for an act and roles that may agree; none: nobody else is needed."""

    asks: frozenset[Role]
    agrees: frozenset[Role] = frozenset()
    waits: bool = False


_RISK, _OPERATOR = frozenset({Role.RISK_ADMIN}), frozenset({Role.OPERATOR})

RULES: Mapping[type[Act], Rule] = {
    ChangeParameter: Rule(_RISK, _RISK, waits=True),
    AdmitKey: Rule(_OPERATOR, _OPERATOR, waits=True),
    RemoveKey: Rule(_OPERATOR),
    RotateKey: Rule(frozenset(Role)),
    OpenAccount: Rule(_OPERATOR),
    BookDeposit: Rule(frozenset({Role.FUNDER}), frozenset({Role.FUNDER, Role.OPERATOR})),
    CollectFees: Rule(_OPERATOR),
    HaltPrice: Rule(frozenset({Role.ORACLE})),
    PaceReplay: Rule(_OPERATOR),
}
AUDIT_ROLES = frozenset({Role.RISK_ADMIN, Role.OPERATOR, Role.FUNDER, Role.AUDITOR})
"""Roles that read proposals, keys and the audit log."""
DECIDERS = frozenset[Role]().union(
    *(rule.agrees | rule.asks for rule in RULES.values() if rule.agrees)
)
"""Roles that approve or reject some proposal."""
