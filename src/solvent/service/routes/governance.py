"""Governance: the oracle's prices, risk admins' parameters, the operator's accounts and deposits.

Each role has its own keys and may do nothing else. What staff asks for is an act in the journal;
whether it is carried out, waits for another person or is refused is decided by the desk
(`solvent.service.authority`), whose model says here, too, who is let in.
"""

import msgspec

from solvent.domain import commands as c
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint, Handler
from solvent.service.api.objects import governance as o
from solvent.service.api.objects.base import ApiObject, Request
from solvent.service.api.objects.orders import BatchCommandOrderResult
from solvent.service.api.objects.pages import FAR
from solvent.service.api.pages import page_headers, page_of
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import audit_row, speed_text
from solvent.service.authority.acts import (
    Act,
    AdmitKey,
    Approve,
    BookDeposit,
    ChangeParameter,
    CollectFees,
    HaltPrice,
    OpenAccount,
    Reject,
    RemoveKey,
    RotateKey,
    fingerprint,
)
from solvent.service.authority.model import AUDIT_ROLES, DECIDERS, RULES
from solvent.service.authority.possession import NEW_ACCOUNT, check_possession, possession_text
from solvent.service.authority.proposals import Proposal
from solvent.service.core.idempotency import OK
from solvent.service.core.keys import NO_ACCOUNT, Role, parse_public_key
from solvent.service.core.market import Market
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import BATCH_COMMANDS, PAGE_DEFAULT, PAGE_MOST
from solvent.service.routes.ahead.rehearsals import asked_change, effect_of, rehearsal_of
from solvent.service.strict_json import JsonValue
from solvent.service.wire import naive_time

TAG = "House"
_CONFLICT = 409


async def prices(call: Call) -> Reply:
    """One quote each of some assets' sources, which take effect together."""
    items = call.body.get("prices") if isinstance(call.body, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH_COMMANDS:
        raise bad_request(f"prices must be a list of 1 to {BATCH_COMMANDS} quotes")
    quotes = c.one_moment(_quote(call, item) for item in items)
    return await call.carry_out(*quotes, is_batch=True)


_QUOTE = frozenset(o.Quote.__struct_encode_fields__)


def _quote(call: Call, item: JsonValue) -> c.UpdatePrice:
    unknown = sorted(set(item) - _QUOTE) if isinstance(item, dict) else []
    if unknown:
        raise bad_request(f"prices: unknown field {unknown[0]!r}")
    fields = call.item(item)
    return c.UpdatePrice(
        fields.asset(),
        fields.integer("source", 0, 0, o.MOST_SOURCE),
        fields.price("bid"),
        fields.price("ask"),
        fields.price("last"),
    )


async def halt(call: Call) -> Reply:
    """Declare a price unusable, or usable again."""
    fields = call.params
    return await call.act(HaltPrice(fields.asset(), fields.flag("halted")))


async def propose(call: Call) -> Reply:
    """Propose another value of a parameter; answered when it was rehearsed."""
    command = asked_change(call.params)
    reply = await call.act(ChangeParameter(c.encode_command(command)))
    if reply.status == OK:
        taken = msgspec.json.decode(reply.body, type=o.ActTaken)
        if taken.proposal is not msgspec.UNSET:
            await call.node.rehearsals.wait_for(taken.proposal)
    return reply


async def approve(call: Call) -> Reply:
    """Stand behind somebody else's proposal."""
    number = call.params.integer("proposal", 0, 1, FAR)
    if call.node.market.desk.lacks_rehearsal(number):
        raise ApiError(
            _CONFLICT,
            ApiErrorCode.PRECONDITION_FAILED,
            "the change is being rehearsed: look at what it would do, then approve it",
            retry_after=1,
        )
    return await call.act(Approve(number))


async def reject(call: Call) -> Reply:
    """End a proposal; by its proposer it is withdrawn."""
    return await call.act(Reject(call.params.integer("proposal", 0, 1, FAR)))


async def proposals(call: Call) -> Reply:
    """Acts that wait and acts that were decided, the latest first."""
    fields = call.params
    state = fields.choice("state", o.ProposalState)
    async with call.node.reading():
        market = call.node.market
        found = [each for each in market.desk.all() if state is None or each.state is state]
        page = page_of(fields)
        shown = found[::-1][page.offset : page.offset + page.limit]
        rows = [_proposal(market, each) for each in shown]
    return json_reply(rows, page_headers(fields, len(found)))


def _proposal(market: Market, proposal: Proposal) -> o.ProposalRow:
    act = proposal.decoded
    row = o.ProposalRow(
        proposal=proposal.number,
        act=type(act).__name__,
        state=proposal.state,
        approved=market.desk.is_approved(proposal, market),
        proposer=proposal.proposer,
        approvers=list(proposal.approvers),
        due=naive_time(proposal.due),
        expires=naive_time(proposal.expires),
        reason=proposal.reason,
    )
    for name, value in act.subject(market).items():
        setattr(row, name, value)
    rehearsal = rehearsal_of(proposal)
    if rehearsal is not None:
        row.rehearsal = rehearsal
    effect = effect_of(market.parameters, proposal)
    if effect is not None:
        row.effect = effect
    failure = proposal.rehearsal.failure or proposal.effect.failure
    if failure:
        row.not_rehearsed = failure
    return row


async def audit(call: Call) -> Reply:
    """The audit log: every act of staff and what became of it."""
    fields = call.params
    limit = fields.integer("limit", PAGE_DEFAULT, 1, PAGE_MOST)
    log = call.node.market.desk.audit
    first = fields.integer("from", max(1, log.count - limit + 1), 1, FAR)
    entries = await call.node.audit_from(first, limit)
    return json_reply([audit_row(each) for each in entries])


async def identity(call: Call) -> Reply:
    """Which market this is, for what its own clients sign, and whether it is a demo."""
    node = call.node
    player = node.demo.player if node.demo else None
    return json_reply(
        o.MarketIdentity(
            market=node.market.identity,
            demo=node.demo is not None,
            scenario=player.scenario if player else "",
            speed=speed_text(player.speed) if player else "1",
        )
    )


def _new_key(call: Call, role: Role, account: int | str) -> bytes:
    """The key of a request, whose owner showed that he has it. Raises ApiError."""
    text = call.params.need("publicKey")
    key = parse_public_key(text)
    signed = possession_text(call.node.market.identity, text, role, account)
    check_possession(key, call.params.need("proof"), signed)
    return key


async def open_account(call: Call) -> Reply:
    """Open the next account and let a key act for it."""
    given = call.params.choice("role", o.AccountRole, o.AccountRole.USER) or o.AccountRole.USER
    role = Role(given.value)
    return await call.act(OpenAccount(_new_key(call, role, NEW_ACCOUNT), role))


async def add_key(call: Call) -> Reply:
    """Let a key act in a role, for an account where the role has one."""
    fields = call.params
    role = fields.choice("role", Role)
    if role is None:
        raise bad_request("role is missing")
    account = fields.integer("account", NO_ACCOUNT, 0, o.MOST_ACCOUNT)
    return await call.act(AdmitKey(_new_key(call, role, account), role, account))


async def remove_key(call: Call) -> Reply:
    """Let a key act no more; whatever listens with it is cut off."""
    return await call.act(RemoveKey(parse_public_key(call.params.need("publicKey"))))


async def rotate_key(call: Call) -> Reply:
    """Let another key take the place of the one that signs."""
    held = call.principal
    return await call.act(RotateKey(_new_key(call, held.role, held.account)))


async def keys(call: Call) -> Reply:
    """The keys that act, by number, role and account."""
    rows = []
    for key, held in call.node.market.keys.all():
        row = o.KeyRow(number=held.number, role=held.role, fingerprint=fingerprint(key))
        if held.account != NO_ACCOUNT:
            row.account = held.account
        rows.append(row)
    return json_reply(rows)


async def deposit(call: Call) -> Reply:
    """Tokens of an account came in from outside; above the hourly limit another person agrees."""
    fields = call.params
    asset = fields.asset()
    account = fields.integer("account", -1, 0, o.MOST_ACCOUNT)
    return await call.act(BookDeposit(account, asset, fields.quantity("quantity", asset)))


async def collect_fees(call: Call) -> Reply:
    """A pool's fees go to the treasury."""
    return await call.act(CollectFees(call.params.asset()))


def _act(
    act: type[Act],
    method: str,
    path: str,
    handler: Handler,
    instruction: str,
    body: type[Request],
) -> Endpoint:
    """An act's endpoint, open to those who may ask for it."""
    return _endpoint(method, path, handler, instruction, RULES[act].asks, body)


def _endpoint(
    method: str,
    path: str,
    handler: Handler,
    instruction: str,
    roles: frozenset[Role],
    body: type[Request],
) -> Endpoint:
    return Endpoint(
        TAG,
        method,
        f"/solvent/v1/{path}",
        handler,
        instruction,
        body=body,
        returns=o.ActTaken,
        roles=roles,
        mutates=True,
    )


def _query(
    path: str,
    handler: Handler,
    instruction: str,
    query: type[Request] | None,
    returns: type[ApiObject],
) -> Endpoint:
    return Endpoint(
        TAG,
        "GET",
        f"/solvent/v1/{path}",
        handler,
        instruction,
        query=query,
        returns=list[returns],  # type: ignore[valid-type]
        roles=AUDIT_ROLES,
    )


ENDPOINTS = [
    _endpoint(
        "POST", "oracle/prices", prices, "oraclePrices", frozenset({Role.ORACLE}), o.OraclePrices
    )._replace(signs_digest=True, returns=list[BatchCommandOrderResult]),
    _act(HaltPrice, "POST", "oracle/halt", halt, "oracleHalt", o.OracleHalt),
    _act(ChangeParameter, "POST", "risk/proposals", propose, "riskPropose", o.RiskProposal),
    _query("proposals", proposals, "proposalQuery", o.ProposalQuery, o.ProposalRow),
    _endpoint(
        "POST", "proposals/approvals", approve, "proposalApprove", DECIDERS, o.ProposalDecision
    ),
    _endpoint(
        "POST", "proposals/rejections", reject, "proposalReject", DECIDERS, o.ProposalDecision
    ),
    _act(OpenAccount, "POST", "admin/accounts", open_account, "adminOpen", o.NewAccount)._replace(
        returns=o.AccountOpened, signs_digest=True
    ),
    _query("admin/keys", keys, "adminKeyQuery", None, o.KeyRow),
    _act(AdmitKey, "POST", "admin/keys", add_key, "adminKey", o.NewKey)._replace(signs_digest=True),
    _act(RemoveKey, "DELETE", "admin/keys", remove_key, "adminKeyRemove", o.OldKey)._replace(
        signs_digest=True
    ),
    _act(RotateKey, "POST", "keys/rotation", rotate_key, "keyRotate", o.RotatedKey)._replace(
        signs_digest=True
    ),
    _act(BookDeposit, "POST", "admin/deposits", deposit, "adminDeposit", o.AdminDeposit)._replace(
        reduces_risk=True
    ),
    _act(CollectFees, "POST", "admin/fees", collect_fees, "adminFees", o.FeesCollection),
    _query("audit", audit, "auditQuery", o.AuditQuery, o.AuditRow),
    Endpoint(TAG, "GET", "/solvent/v1/identity", identity, returns=o.MarketIdentity),
]
