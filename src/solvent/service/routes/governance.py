"""Governance: the oracle's prices, risk admins' parameters, the operator's accounts and deposits.

Each role has its own keys and may do nothing else. What changes the market is a command or a record
in the journal like everything else; a change of a parameter waits, and needs as many keys as the
journal's head asks for.
"""

from solvent.domain import commands as c
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint, Handler
from solvent.service.api.objects import governance as o
from solvent.service.api.objects.base import Request
from solvent.service.api.objects.orders import BatchCommandOrderResult
from solvent.service.api.objects.pages import FAR
from solvent.service.api.params import bad_request
from solvent.service.core.intents import OpenNext
from solvent.service.core.keys import (
    Role,
    encode_addition,
    encode_removal,
    parse_public_key,
)
from solvent.service.core.proposals import Proposal, approval_body, proposal_body
from solvent.service.core.records import RecordKind
from solvent.service.limits import BATCH_COMMANDS
from solvent.service.strict_json import JsonValue
from solvent.service.wire import naive_time

TAG = "House"
_ORACLE = frozenset({Role.ORACLE})
_RISK = frozenset({Role.RISK_ADMIN})
_OPERATOR = frozenset({Role.OPERATOR})
_WATCH = frozenset({Role.RISK_ADMIN, Role.OPERATOR, Role.AUDITOR})


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
    return await call.carry_out(c.HaltPrice(fields.asset(), fields.flag("halted")))


async def propose(call: Call) -> Reply:
    """Propose another value of a parameter."""
    fields = call.params
    name = fields.need("field")
    if name not in c.ParameterField.__members__:
        raise bad_request(f"field must be one of {', '.join(c.ParameterField.__members__)}")
    asset = fields.asset() if fields.has("symbol") else 0
    command = c.ChangeParameter(
        asset,
        c.ParameterField[name],
        fields.integer("value", 0, 0, 2**63 - 1),
        fields.integer("index", 0, 0, o.MOST_INDEX),
    )
    body = proposal_body(command, call.principal.number)
    return await call.hand_in_body(RecordKind.PROPOSAL, body)


async def approve(call: Call) -> Reply:
    """Stand behind somebody else's proposal."""
    number = call.params.integer("proposal", 0, 1, FAR)
    body = approval_body(number, call.principal.number)
    return await call.hand_in_body(RecordKind.APPROVAL, body)


async def proposals(call: Call) -> Reply:
    """Changes that wait."""
    waiting = call.node.market.proposals
    return json_reply(
        [_proposal(call, each, waiting.is_approved(each)) for each in waiting.waiting.values()]
    )


def _proposal(call: Call, proposal: Proposal, is_approved: bool) -> o.ProposalRow:
    command = proposal.decoded
    assert isinstance(command, c.ChangeParameter)
    return o.ProposalRow(
        proposal=proposal.number,
        symbol=call.node.market.parameters.assets[command.asset].symbol,
        field=command.field.name,
        value=command.value,
        index=command.index,
        due=naive_time(proposal.due),
        approved=is_approved,
    )


async def open_account(call: Call) -> Reply:
    """Open the next account and let a key act for it."""
    fields = call.params
    role = fields.choice("role", o.AccountRole, o.AccountRole.USER) or o.AccountRole.USER
    key = parse_public_key(fields.need("publicKey"))
    return await call.intend(OpenNext(key, Role(role.value)))


async def add_key(call: Call) -> Reply:
    """Let a key act in a role, for an account where the role has one."""
    fields = call.params
    role = fields.choice("role", Role)
    if role is None:
        raise bad_request("role is missing")
    key = parse_public_key(fields.need("publicKey"))
    account = fields.integer("account", -1, 0, o.MOST_ACCOUNT)
    return await call.hand_in_body(RecordKind.KEY, encode_addition(key, role, account))


async def remove_key(call: Call) -> Reply:
    """Take a key out."""
    key = parse_public_key(call.params.need("publicKey"))
    return await call.hand_in_body(RecordKind.KEY, encode_removal(key))


async def deposit(call: Call) -> Reply:
    """Tokens of an account came in from outside."""
    fields = call.params
    asset = fields.asset()
    account = fields.integer("account", -1, 0, o.MOST_ACCOUNT)
    return await call.carry_out(c.Deposit(account, asset, fields.quantity("quantity", asset)))


async def collect_fees(call: Call) -> Reply:
    """A pool's fees go to the treasury."""
    return await call.carry_out(c.CollectFees(call.params.asset()))


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
        roles=roles,
        mutates=True,
    )


ENDPOINTS = [
    _endpoint("POST", "oracle/prices", prices, "oraclePrices", _ORACLE, o.OraclePrices)._replace(
        signs_digest=True, returns=list[BatchCommandOrderResult]
    ),
    _endpoint("POST", "oracle/halt", halt, "oracleHalt", _ORACLE, o.OracleHalt),
    _endpoint(
        "POST",
        "risk/proposals",
        propose,
        "riskPropose",
        _RISK,
        o.RiskProposal,
    )._replace(returns=o.ProposalTaken),
    _endpoint("POST", "risk/approvals", approve, "riskApprove", _RISK, o.RiskApproval)._replace(
        returns=o.ProposalTaken
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/risk/proposals",
        proposals,
        "riskQuery",
        returns=list[o.ProposalRow],
        roles=_WATCH,
    ),
    _endpoint(
        "POST", "admin/accounts", open_account, "adminOpen", _OPERATOR, o.NewAccount
    )._replace(returns=o.AccountOpened, signs_digest=True),
    _endpoint(
        "POST",
        "admin/keys",
        add_key,
        "adminKey",
        _OPERATOR,
        o.NewKey,
    )._replace(signs_digest=True),
    _endpoint("DELETE", "admin/keys", remove_key, "adminKeyRemove", _OPERATOR, o.OldKey)._replace(
        signs_digest=True
    ),
    _endpoint(
        "POST",
        "admin/deposits",
        deposit,
        "adminDeposit",
        _OPERATOR,
        o.AdminDeposit,
    )._replace(reduces_risk=True),
    _endpoint("POST", "admin/fees", collect_fees, "adminFees", _OPERATOR, o.FeesCollection),
]
