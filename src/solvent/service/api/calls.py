"""Calls: a request on its way through a handler, and the reply that it gets.

A handler is a coroutine of a call. It reads the market under `reading`, the past from the views, or
hands commands to the sequencer; what it raises as ApiError is said to the client.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from solvent.domain.commands import Command
from solvent.domain.parameters import EngineParameters
from solvent.service.api.intake import Intake, Toll
from solvent.service.api.params import Params, bad_request
from solvent.service.api.signing import Verified
from solvent.service.authority.acts import AnyAct, encode_act
from solvent.service.core.idempotency import Answer
from solvent.service.core.intents import Intent, encode_intent
from solvent.service.core.keys import NO_ACCOUNT, Principal
from solvent.service.core.node import Node
from solvent.service.core.records import NOBODY, Record, RecordKind, commands_record
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import RECORD_BYTES
from solvent.service.strict_json import JsonValue, encode

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"


class Reply(NamedTuple):
    """Status, body and headers of a response."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Sequence[tuple[str, str]] = ()


def json_reply(value: object, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """An object of the API, or a list of them, as JSON."""
    return Reply(200, encode(value), JSON_TYPE, headers)


def text_reply(text: str, status: int = 200, content_type: str = TEXT_TYPE) -> Reply:
    """A text."""
    return Reply(status, text.encode(), content_type)


def answer_reply(answer: Answer) -> Reply:
    """What the sequencer answered."""
    return Reply(answer.status, answer.body)


class Call(NamedTuple):
    """One request: where it goes, what it says, who asks, and what is paid for it."""

    intake: Intake
    query: Mapping[str, JsonValue]
    body: JsonValue
    lists: Mapping[str, Sequence[str]]
    verified: Verified | None
    toll: Toll

    @property
    def node(self) -> Node:
        """The running node, which whoever reads the market asks."""
        assert isinstance(self.intake, Node)
        return self.intake

    @property
    def parameters(self) -> EngineParameters:
        """The market's parameters in force."""
        return self.intake.market.parameters

    @property
    def params(self) -> Params:
        """The fields of query and body."""
        fields = dict(self.query)
        if isinstance(self.body, dict):
            fields |= {name: value for name, value in self.body.items() if value is not None}
        return Params(fields, self.parameters)

    def item(self, fields: JsonValue) -> Params:
        """The fields of one item of a batch."""
        if not isinstance(fields, dict):
            raise bad_request("each item must be a JSON object")
        return Params(fields, self.parameters)

    @property
    def principal(self) -> Principal:
        """Who signed."""
        assert self.verified is not None
        return self.verified.principal

    @property
    def account(self) -> int:
        """The account that the key acts for or reads. Raises ApiError where it has none."""
        account = self.principal.account
        if account < 0:
            raise ApiError(403, ApiErrorCode.FORBIDDEN, "the key has no account")
        return account

    def record(
        self,
        commands: Sequence[Command] | bytes,
        *,
        is_batch: bool = False,
        memo: tuple[str, str, str] | None = None,
    ) -> Record:
        """The record of this request; commands may come encoded."""
        verified = self.verified
        return commands_record(
            self.intake.clock(),
            commands,
            account=verified.principal.account if verified else NOBODY,
            is_batch=is_batch,
            digest=verified.digest if verified else b"",
            expires=verified.expires_ms if verified else 0,
            memo=memo,
            actor=verified.principal.number if verified else NOBODY,
        )

    async def carry_out(
        self,
        *commands: Command,
        is_batch: bool = False,
        memo: tuple[str, str, str] | None = None,
    ) -> Reply:
        """Hand commands to the sequencer and reply with what it answers."""
        return await self.hand_in(self.record(commands, is_batch=is_batch, memo=memo))

    async def intend(self, intent: Intent) -> Reply:
        """Hand in what is wanted, which the market resolves, and reply with what it answers."""
        return await self._hand_in_body(RecordKind.INTENT, encode_intent(intent))

    async def act(self, act: AnyAct) -> Reply:
        """Hand in an act of staff, which the desk decides, and reply with what it answers."""
        return await self._hand_in_body(RecordKind.ACT, encode_act(act))

    async def _hand_in_body(self, kind: RecordKind, body: bytes) -> Reply:
        """Hand in what is said by a body in place of commands."""
        return await self.hand_in(replace(self.record(b""), kind=kind, body=body))

    async def hand_in(self, record: Record) -> Reply:
        """Hand a record to the sequencer and reply with what it answers."""
        signed = self.verified
        if signed is not None:
            # What the journal grows by is paid for by who signed.
            who = signed.principal
            name = f"key {who.number}" if who.account == NO_ACCOUNT else who.account
            self.toll.pay("journal", name, len(record.commands) + len(record.body) + RECORD_BYTES)
        return answer_reply(await self.intake.take(record, signed, self.toll))
