"""A simulated market as records: what the sequencer would have been asked for."""

from dataclasses import replace
from functools import cache
from random import Random
from typing import NamedTuple

from nacl.signing import SigningKey

from solvent.domain import commands as c
from solvent.domain.commands import (
    NO_CLIENT_ID,
    Command,
    ParameterField,
    PlaceOrder,
    PlaceTrigger,
    encode_command,
)
from solvent.domain.parameters import EngineParameters
from solvent.engine.engine import FastEngine
from solvent.service.authority.acts import (
    AdmitKey,
    AnyAct,
    Approve,
    ChangeParameter,
    RemoveKey,
    encode_act,
)
from solvent.service.authority.model import HOUSE, Terms
from solvent.service.core.keys import Role
from solvent.service.core.market import FirstKey, Market, encode_head
from solvent.service.core.records import Record, RecordKind, commands_record
from tests.history.market_records import simulated

NOW_MS = 2_000_000_000_000
"""Behind all times of a simulation: nothing is forgotten."""
CHANGE = c.ChangeParameter(0, ParameterField.PRICE_MAX_AGE, 77_000_000)
PROPOSE = ChangeParameter(encode_command(CHANGE))
STAFF = [
    FirstKey(bytes(SigningKey(bytes([number]) * 32).verify_key), role)
    for number, role in enumerate(
        (Role.RISK_ADMIN, Role.RISK_ADMIN, Role.OPERATOR, Role.OPERATOR), 101
    )
]
"""Their numbers are 1 to 4."""
FOREVER = 10**16
"""Microseconds that a proposal of a played market waits: none is made."""


class Played(NamedTuple):
    """The head of a market, its records, and the commands that the records hold."""

    parameters: EngineParameters
    head: bytes
    records: list[Record]
    commands: list[Command]

    def market(self, records: int | None = None) -> Market:
        """A market in which so many records happened, one at a time."""
        market = Market(self.head, FastEngine)
        for record in self.records[:records]:
            market.carry_out([record])
        return market


@cache
def played(seed: int, commands: int = 600) -> Played:
    """A simulation, cut into requests of one command or of several; with keys and proposals."""
    told = simulated(seed)
    rng = Random(seed)
    records: list[Record] = []
    all_commands: list[Command] = []
    place = 0
    while place < commands:
        count = rng.choice((1, 1, 1, 2, 7))
        rows = told.records[place : min(place + count, commands)]
        place += len(rows)
        group = [
            _named(number, command)
            for _, transcript, _ in rows
            for number, command, _ in transcript
        ]
        time, _, memo = rows[0]
        records.append(
            commands_record(
                time,
                group,
                account=2,
                is_batch=len(group) > 1,
                digest=place.to_bytes(16, "big") if place % 3 else b"",
                expires=NOW_MS + place,
                memo=(memo[0], memo[1], memo[2]) if memo and len(group) == 1 else None,
            )
        )
        all_commands += group
        if rng.random() < 0.05:
            records += _aside(len(records), time)
    return Played(
        told.parameters,
        encode_head(told.parameters, Terms(2, FOREVER), STAFF),
        records,
        all_commands,
    )


def _named(number: int, command: Command) -> Command:
    """Orders have client ids, two in three; an account uses some of them again and again.

    What waits for a price may wait to the end: none of them is used again.
    """
    if isinstance(command, PlaceOrder | PlaceTrigger):
        is_own = number % 2 or isinstance(command, PlaceTrigger)
        client_id = number if is_own else number % 8
        return replace(command, client_id=client_id if number % 3 else NO_CLIENT_ID)
    return command


def _aside(number: int, time: int) -> list[Record]:
    """Records that hold no command."""
    key = bytes(SigningKey(number.to_bytes(32, "big")).verify_key)
    acts: list[tuple[AnyAct, int]] = [
        (AdmitKey(key, Role.USER, 5), HOUSE),
        (PROPOSE, 1),
        (Approve(1), 2),
        (AdmitKey(key, Role.AUDITOR), 3),
    ]
    if number % 2:
        acts.append((RemoveKey(key), 4))
    return [
        Record(
            RecordKind.ACT,
            time,
            body=encode_act(act),
            actor=actor,
            digest=(number * 8 + place).to_bytes(16, "little"),
            expires=NOW_MS,
        )
        for place, (act, actor) in enumerate(acts)
    ]
