"""Newcomers: whoever tries a demo out opens an account and gives it money that is none.

Only where the market was started as a demo, which is served on loopback only; elsewhere operators
let people in and funders book deposits. The house does both here, as it does for the demo's own
keys, and the audit log has it.
"""

from msgspec.structs import replace

from solvent.domain.units import PRICE_SCALE
from solvent.service.api.calls import Call, Reply, answer_reply
from solvent.service.api.endpoints import TRADERS, Endpoint
from solvent.service.api.objects.governance import (
    AccountOpened,
    ActTaken,
    DemoDeposit,
    NewcomerAccount,
)
from solvent.service.authority.acts import BookDeposit, OpenAccount, encode_act, refused
from solvent.service.authority.model import HOUSE
from solvent.service.authority.possession import NEW_ACCOUNT, check_possession, possession_text
from solvent.service.core.keys import Role, parse_public_key
from solvent.service.core.records import Record, RecordKind
from solvent.service.errors import ApiErrorCode
from solvent.service.limits import NEWCOMER_USDC, NEWCOMERS

TAG = "Solvent"
FORBIDDEN = 403
CONFLICT = 409


async def open_newcomer(call: Call) -> Reply:
    """Open an account in a demo, for whoever asks."""
    _check_demo(call)
    node = call.node
    text = call.params.need("publicKey")
    key = parse_public_key(text)
    signed = possession_text(node.market.identity, text, Role.USER, NEW_ACCOUNT)
    check_possession(key, call.params.need("proof"), signed)
    if node.market.keys.count(Role.USER) >= NEWCOMERS:
        message = f"a demo has {NEWCOMERS} users at most: begin another one in an empty folder"
        raise refused(message, ApiErrorCode.PRECONDITION_FAILED, CONFLICT)
    body = encode_act(OpenAccount(key, Role.USER))
    record = Record(RecordKind.ACT, node.clock(), body=body, actor=HOUSE)
    return answer_reply(await node.submit(record))


async def deposit_demo_money(call: Call) -> Reply:
    """Give the account of a demo money that is none."""
    _check_demo(call)
    fields = call.params
    asset = fields.asset()
    act = BookDeposit(call.account, asset, fields.quantity("quantity", asset))
    async with call.node.reading():
        value = act.value(call.node.market)
    if value is None or value > NEWCOMER_USDC * PRICE_SCALE:
        raise refused(f"quantity must be worth {NEWCOMER_USDC} USDC at most, by a price of now")
    body = encode_act(act)
    record = replace(call.record(b""), kind=RecordKind.ACT, body=body, actor=HOUSE)
    return await call.hand_in(record)


def _check_demo(call: Call) -> None:
    if call.node.demo is None:
        message = "this market is no demo: operators open accounts, and funders book deposits"
        raise refused(message, ApiErrorCode.FORBIDDEN, FORBIDDEN)


ENDPOINTS = [
    Endpoint(
        TAG,
        "POST",
        "/solvent/v1/demo/accounts",
        open_newcomer,
        body=NewcomerAccount,
        returns=AccountOpened,
        mutates=True,
    ),
    Endpoint(
        TAG,
        "POST",
        "/solvent/v1/demo/deposits",
        deposit_demo_money,
        "demoDeposit",
        body=DemoDeposit,
        returns=ActTaken,
        roles=TRADERS,
        mutates=True,
    ),
]
