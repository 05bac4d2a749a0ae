"""The search finds an order where there is one, and none where there is none."""

from itertools import permutations
from random import Random

import pytest

from solvent.cluster.member import Member
from solvent.proof.cluster.search import Call, clients_flaw, counted, has_an_order
from solvent.proof.cluster.witness import Fault
from solvent.proof.cluster.world import World
from tests.cluster import canaries
from tests.sizes import sized

HISTORIES = sized(300, 3_000, 100_000)
RUNS, STEPS = 30, 10_000


def by_trial(calls: list[Call]) -> bool:
    """Every order of every choice of calls, one after another."""
    open_calls = [call for call in calls if call.told is None]
    for chosen in range(2 ** len(open_calls)):
        never = {n for n in range(len(open_calls)) if chosen >> n & 1}
        kept = [call for call in calls if call.told is not None]
        kept += [call for n, call in enumerate(open_calls) if n not in never]
        for order in permutations(kept):
            state: int | None = 0
            for place, call in enumerate(order):
                later = order[place + 1 :]
                if any(other.told is not None and other.told < call.asked for other in later):
                    state = None
                if state is not None:
                    state = counted(state, call)
            if state is not None:
                return True
    return False


def drawn(rng: Random) -> list[Call]:
    """Calls that happened, one of them told wrong, or not told, in some histories."""
    calls, times = [], sorted(rng.sample(range(100), 5))
    for place, happened in enumerate(times):
        asked, told = happened - rng.randrange(40), happened + rng.randrange(40)
        calls.append(Call(asked, told, place))
    spoilt = rng.randrange(len(calls))
    match rng.randrange(4):
        case 0:
            calls[spoilt] = calls[spoilt]._replace(said=rng.randrange(6))
        case 1:
            calls[spoilt] = Call(calls[spoilt].asked, None, None)
        case 2:
            calls[spoilt] = calls[spoilt]._replace(asked=99, told=100)
    rng.shuffle(calls)
    return calls


def test_it_says_what_a_trial_of_every_order_says() -> None:
    rng = Random(15)
    said = []
    for _ in range(HISTORIES):
        calls = drawn(rng)
        said.append(has_an_order(calls, 0, counted))
        assert said[-1] == by_trial(calls), calls
    assert 0.2 < sum(said) / len(said) < 0.9


@pytest.mark.parametrize(
    ("calls", "is_so"),
    [
        ([], True),
        ([Call(0, 9, 1), Call(1, 8, 0)], True),
        ([Call(0, 1, 1), Call(2, 3, 0)], False),
        ([Call(0, 1, 0), Call(2, 3, 2)], False),
        ([Call(0, 1, 0), Call(0, None, None), Call(2, 3, 2)], True),
        ([Call(0, 1, 0), Call(4, None, None), Call(2, 3, 2)], False),
        ([Call(0, 1, 0), Call(0, 1, 0)], False),
    ],
)
def test_small_histories(calls: list[Call], is_so: bool) -> None:
    assert has_an_order(calls, 0, counted) == is_so


def test_long_histories_of_many_at_once_take_no_time_that_grows_with_their_orders() -> None:
    rng = Random(3)
    times = sorted(rng.sample(range(10**6), 2_000))
    calls = [
        Call(at - rng.randrange(4_000), at + rng.randrange(4_000), place)
        for place, at in enumerate(times)
    ]
    assert has_an_order(calls, 0, counted)
    calls[1_000] = calls[1_000]._replace(said=1_200)
    assert not has_an_order(calls, 0, counted)


@pytest.mark.parametrize(
    "bug", [canaries.AnswersOnUnknown, canaries.AnswersOnRefusal, canaries.AnswersBeforeTheLog]
)
def test_clients_alone_see_what_is_answered_too_early(bug: type[Member]) -> None:
    """A planted bug is found without a look into the log."""

    class Bugged(World):
        members = bug

    assert any(flaw_of(Bugged(seed)) for seed in range(RUNS))
    assert not any(flaw_of(World(seed)) for seed in range(3))


def flaw_of(world: World) -> Fault | None:
    world.run(STEPS)
    return clients_flaw(world.clients.answers, world.clients.unanswered)
