"""The runner of stories: rows that do not come true are told apart from those that do."""

import pytest

from solvent.domain.units import SECOND
from tests.tables.story import StoryError, run_story

TRUE = """
    set SOL pool.throttle_threshold 50%
    deposit alice SOL 1,000.5                    # a comment
    lend    alice SOL 1,000
    deposit bob USDC 100
    lend    bob USDC 101            | INSUFFICIENT_FUNDS AVAILABLE_BALANCE 100
    expect  alice SOL available 0.5
    expect  alice SOL lent      >= 1000
    expect  alice value         ~ 200100
    keep    before alice value
    buy     bob SOL 0.5 @ 190
    saw     OrderAccepted account=bob asset=SOL price=190 quantity=0.5
    unseen  Filled
    expect  order 1 quantity 0.5
    cancel  bob #1
    steps   3 +1s
    count   Stepped 3
    expect  alice value = $before
"""

FALSE = [
    "deposit alice SOL 1  | INVALID_QUANTITY",
    "deposit alice SOL 0",
    "deposit alice SOL 0  | INVALID_ASSET",
    "deposit alice SOL 1\nwithdraw alice SOL 2 | INSUFFICIENT_FUNDS LENT_CLAIM",
    "deposit alice SOL 1\nwithdraw alice SOL 2 | INSUFFICIENT_FUNDS AVAILABLE_BALANCE 2",
    "deposit alice SOL 1\nexpect alice SOL available 2",
    "deposit alice SOL 1\nexpect alice SOL available < 1",
    "deposit alice SOL 1\nsaw Lent",
    "deposit alice SOL 1\nsaw Deposited quantity=2",
    "deposit alice SOL 1\nunseen Deposited",
    "deposit alice SOL 1\ncount Deposited 2",
    "deposit alice SOL 1\nset taker_fee 0.001",
    "expect someone value 0",
    "deposit alice SOL one",
    "dance alice",
    "deposit alice SOL 1\nexpect alice SOL happiness 1",
]


def test_a_true_story() -> None:
    story = run_story(TRUE)
    assert story.state.now == 3 * SECOND


@pytest.mark.parametrize("text", FALSE)
def test_a_false_story_is_caught(text: str) -> None:
    with pytest.raises(StoryError, match=r"row \d"):
        run_story(text)
