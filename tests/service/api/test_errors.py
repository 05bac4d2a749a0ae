"""Errors: every refusal of the engine in the API's words, its amount one that would have passed."""

import re
from dataclasses import replace

import pytest
from msgspec import to_builtins

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.parameters import USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import PRICE_SCALE
from solvent.reference.engine import ReferenceEngine
from solvent.service.errors import ApiError, ApiErrorCode, from_refusal
from solvent.service.wire import parse_decimal
from tests.tables.story import NOT_AMOUNTS, Story
from tests.tables.test_rejections import ROWS, WORLDS, Row

LARGEST = re.compile(r"the largest quantity that would have passed is ([0-9.]+) (\w+)$")
SOL = 2


@pytest.fixture(scope="module")
def worlds() -> list[tuple[Story, bytes]]:
    """Each world of the table of refusals, and its snapshot."""
    stories = [Story().run(text) for text in WORLDS]
    return [(story, story.engine.snapshot()) for story in stories]


def refusal(story: Story, command: c.Command) -> Refused | None:
    """The refusal of a command, if it is refused."""
    event = story.engine.apply_one(command)[0]
    return event if isinstance(event, Refused) else None


def told(row: Row, worlds: list[tuple[Story, bytes]]) -> tuple[Story, c.Command, Refused]:
    """A row's command, tried on its world."""
    story, snapshot = worlds[row.world]
    story.started = ReferenceEngine.restore(snapshot)
    word, *rest = row.text.partition("|")[0].split()
    command = story.command(word, rest)
    refused = refusal(story, command)
    assert refused is not None
    story.started = ReferenceEngine.restore(snapshot)
    return story, command, refused


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_a_refusal_keeps_its_code_and_names_its_limit(
    row: Row, worlds: list[tuple[Story, bytes]]
) -> None:
    story, command, refused = told(row, worlds)
    error = from_refusal(refused, story.state.parameters, command)
    assert error.code == row.code.name
    assert error.status == (403 if error.code == "FORBIDDEN" else 400)
    assert ("; the limit is " in error.message) == (row.limit is not Limit.NONE)
    assert "\n" not in error.message
    assert to_builtins(error.body) == {"code": row.code.name, "message": error.message}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.limit is not Limit.NONE], ids=lambda row: row.text
)
def test_the_amount_in_the_message_passes_and_no_more_does(
    row: Row, worlds: list[tuple[Story, bytes]]
) -> None:
    story, command, refused = told(row, worlds)
    message = from_refusal(refused, story.state.parameters, command).message
    found = LARGEST.search(message)
    has_quantity = "quantity" in c.command_fields(type(command))
    assert bool(found) == (
        has_quantity and row.limit not in (Limit.PRICE_BAND, Limit.ORDER_COUNT)
    ), message
    if found is None or row.limit in NOT_AMOUNTS:
        return
    assert isinstance(command, c.Borrow | c.Deposit | c.Lend | c.PlaceOrder | c.PostBackstop
                      | c.Redeem | c.Repay | c.Withdraw | c.WithdrawBackstop
                      | c.WithdrawStandby)  # fmt: skip
    number = USDC if isinstance(command, c.WithdrawStandby) else command.asset
    asset = story.state.parameters.assets[number]
    assert found[2] == asset.symbol
    largest = parse_decimal(found[1], asset.decimals, what="largest")
    step = asset.market.lot if isinstance(command, c.PlaceOrder) and asset.market else 1
    more = refusal(story, replace(command, quantity=largest + step))
    assert more is not None, message
    if largest:
        assert refusal(story, replace(command, quantity=largest)) is None, message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("settings carl leverage_limit=51", "the leverage limit, the highest allowed is 50"),
        ("price BTC 300,000,000", "the highest price allowed is 230584300.9213693951"),
        ("buy sick SOL 99 @ 999 post ioc", "the market's price band, the highest price allowed"),
        ("sell sick SOL 9 @ 1 |", "the market's price band"),
        ("buy busy SOL 99 @ 216", "the number of open orders, 2 an account"),
        ("uncommit vera SOL 9", "the committed capacity, the largest quantity"),
    ],
)
def test_limits_that_are_no_quantity_are_in_their_own_unit(
    text: str, words: str, worlds: list[tuple[Story, bytes]]
) -> None:
    row = next(row for row in ROWS if row.text.startswith(text))
    story, command, refused = told(row, worlds)
    assert words in from_refusal(refused, story.state.parameters, command).message


def post_only(
    *, price: int = 200, time_in_force: c.TimeInForce = c.TimeInForce.GTC
) -> c.PlaceOrder:
    """A post-only bid for one SOL of the account that `with_an_ask` leaves free."""
    order = c.PlaceOrder(3, SOL, c.Side.BID, price=price * PRICE_SCALE, quantity=10**9)
    return replace(order, post_only=True, time_in_force=time_in_force)


@pytest.fixture(scope="module")
def with_an_ask() -> Story:
    """A market with an ask at 200, and a buyer."""
    return Story().run(
        """
        deposit maker SOL  10
        deposit buyer USDC 10,000
        sell    maker SOL  1 @ 200
        """
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (post_only(), "Order would immediately match and take"),
        (post_only(price=201), "Order would immediately match and take"),
        (post_only(price=199, time_in_force=c.TimeInForce.IOC), "do not go together"),
        (post_only(price=199, time_in_force=c.TimeInForce.FOK), "do not go together"),
        (
            replace(post_only(), post_only=False, quantity=0, quote_quantity=10**6),
            "do not go together",
        ),
        (replace(post_only(), post_only=False, reduce_only=True), "reduce-only"),
    ],
)
def test_a_post_only_order_that_would_take_is_told_from_flags_that_contradict(
    command: c.PlaceOrder, words: str, with_an_ask: Story
) -> None:
    refused = refusal(with_an_ask, command)
    assert refused is not None
    error = from_refusal(refused, with_an_ask.engine.parameters, command)
    assert error.code is ApiErrorCode.INVALID_ORDER
    assert error.status == 400
    assert words in error.message
    takes = "Order would immediately match and take"
    assert (takes in error.message) == (takes == words)


def test_without_the_command_a_client_still_finds_its_words(with_an_ask: Story) -> None:
    refused = refusal(with_an_ask, post_only())
    assert refused is not None
    message = from_refusal(refused, with_an_ask.engine.parameters).message
    assert "Order would immediately match and take" in message


@pytest.mark.parametrize("order", [0, 1, 99])
def test_an_order_that_is_not_there_is_not_found(order: int, with_an_ask: Story) -> None:
    refused = refusal(with_an_ask, c.CancelOrder(3, order))
    assert refused is not None
    error = from_refusal(refused, with_an_ask.engine.parameters)
    assert (error.status, error.code) == (400, ApiErrorCode.RESOURCE_NOT_FOUND)
    assert "Not Found" in error.message


def test_every_code_and_limit_of_the_engine_has_words(with_an_ask: Story) -> None:
    assert {code.name for code in RejectionCode} <= set(ApiErrorCode)
    for kind in range(len(c.COMMAND_KINDS)):
        for code in RejectionCode:
            for limit in Limit:
                refused = Refused(kind, 3, SOL, code, limit, 1)
                error = from_refusal(refused, with_an_ask.engine.parameters)
                assert error.code == code.name
                assert error.message[0].isupper()


def test_an_error_says_its_code_and_message_and_when_to_come_again() -> None:
    error = ApiError(429, ApiErrorCode.TOO_MANY_REQUESTS, "too many requests", retry_after=3)
    expected = {"code": "TOO_MANY_REQUESTS", "message": "too many requests"}
    assert to_builtins(error.body) == expected
    assert (error.status, error.retry_after) == (429, 3)
