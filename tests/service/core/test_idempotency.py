"""First answers: kept as long as a request can come again, and known to be forgotten then."""

from random import Random

from solvent.domain.commands import PlaceOrder, Side
from solvent.service.core.idempotency import AHEAD_MS, Answer, FirstAnswers
from solvent.service.limits import FUTURE_MS, WINDOW_MS

NOW = 1_700_000_000_000


def _order(client_id: int) -> PlaceOrder:
    """An order of account 2."""
    return PlaceOrder(2, 1, Side.BID, price=1, quantity=1, client_id=client_id)


def test_no_request_that_may_come_is_forgotten() -> None:
    """Whatever the windows, and also where some clients' clocks are ahead."""
    rng = Random(1)
    answers = FirstAnswers()
    kept: dict[bytes, tuple[int, Answer]] = {}
    now = NOW
    for number in range(20_000):
        now += rng.randrange(40)
        window = rng.choice((1, 5_000, WINDOW_MS))
        stamp = now + rng.randint(-window, FUTURE_MS)
        digest, said = number.to_bytes(16, "big"), Answer(200, b"%d" % number)
        kept[digest] = (stamp + window, said)
        answers.keep(digest, stamp + window, now, said)
        if number % 500 == 0:
            kept = {name: row for name, row in kept.items() if row[0] >= now}
            assert all(answers.find(name) == row[1] for name, row in kept.items())
            assert not any(answers.is_forgotten(expires) for expires, _ in kept.values())
    rows, _ = answers.rows()
    assert len(rows) < 20_000 / 2


def test_what_was_forgotten_is_known_to_be() -> None:
    """So that a clock that was set back lets nothing in twice."""
    answers = FirstAnswers()
    answers.keep(b"a" * 16, NOW, NOW, Answer(200, b"a"))
    answers.keep(b"b" * 16, NOW + 2 * AHEAD_MS, NOW + AHEAD_MS, Answer(200, b"b"))
    assert answers.find(b"a" * 16) is not None
    answers.keep(b"c" * 16, NOW + AHEAD_MS + 1, NOW + AHEAD_MS + 1, Answer(200, b"c"))
    assert answers.find(b"a" * 16) is None
    again = FirstAnswers.from_rows(*answers.rows(), answers.forgotten)
    for each in (answers, again):
        assert each.is_forgotten(NOW)
        assert not each.is_forgotten(NOW + 1)


def test_a_request_of_a_clock_that_is_ahead_shuts_nobody_out() -> None:
    """Neither do the requests kept for as long as it was ahead keep others' from going."""
    answers = FirstAnswers()
    hours = 2 * 3600 * 1000
    answers.keep(b"a" * 16, NOW + hours, NOW + hours, Answer(200, b"a"))
    for number in range(2_000):
        now = NOW + number * 1000
        assert not answers.is_forgotten(now)
        answers.keep(number.to_bytes(16, "big"), now + 1, now, Answer(200, b""))
    assert answers.find(b"a" * 16) is not None
    assert len(answers.rows()[0]) < AHEAD_MS // 1000 + 10


def test_a_client_id_is_free_when_its_order_has_ended() -> None:
    answers = FirstAnswers()
    answers.keep_order(_order(0), Answer(200, b"a"))
    assert answers.find_order(_order(0)) == Answer(200, b"a")
    assert answers.uses({b"a digest", (2, 0)})
    assert not answers.uses({(2, 1), (3, 0)})
    answers.free(2, 1)
    answers.free(2, 0)
    assert answers.find_order(_order(0)) is None
    assert answers.rows() == ([], [])


def test_rows_are_all_of_it() -> None:
    answers = FirstAnswers()
    answers.keep(b"a" * 16, NOW, NOW, Answer(400, b"a"))
    answers.keep_order(_order(3), Answer(200, b"b"))
    again = FirstAnswers.from_rows(*answers.rows(), answers.forgotten)
    assert again.rows() == answers.rows()
    assert again.find(b"a" * 16) == Answer(400, b"a")
    assert again.find_order(_order(3)) == Answer(200, b"b")
