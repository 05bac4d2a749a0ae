"""Replies: kept as long as a request can come again, and no longer; told to be forgotten then."""

from random import Random

from solvent.service.core.replies import Answer, Replies
from solvent.service.limits import CLIENT_IDS_KEPT, FUTURE_MS, WINDOW_MS

NOW = 1_700_000_000_000


def test_no_request_that_may_come_is_forgotten() -> None:
    """Whatever the windows, and also where some clients' clocks are ahead."""
    rng = Random(1)
    replies = Replies()
    kept: dict[bytes, tuple[int, Answer]] = {}
    now = NOW
    for number in range(20_000):
        now += rng.randrange(40)
        window = rng.choice((1, 5_000, WINDOW_MS))
        stamp = now + rng.randint(-window, FUTURE_MS)
        digest, said = number.to_bytes(16, "big"), Answer(200, b"%d" % number)
        kept[digest] = (stamp + window, said)
        replies.keep(digest, stamp + window, said)
        if number % 500 == 0:
            kept = {name: row for name, row in kept.items() if row[0] >= now}
            assert all(replies.find(name) == row[1] for name, row in kept.items())
            assert not any(replies.is_forgotten(expires) for expires, _ in kept.values())
    rows, _ = replies.rows()
    assert len(rows) < 20_000 / 2


def test_what_was_forgotten_is_known_to_be() -> None:
    """So that a clock that was set back lets nothing in twice."""
    replies = Replies()
    replies.keep(b"a" * 16, NOW, Answer(200, b"a"))
    replies.keep(b"b" * 16, NOW + WINDOW_MS + FUTURE_MS, Answer(200, b"b"))
    assert replies.find(b"a" * 16) is not None
    replies.keep(b"c" * 16, NOW + WINDOW_MS + FUTURE_MS + 1, Answer(200, b"c"))
    assert replies.find(b"a" * 16) is None
    assert replies.is_forgotten(NOW)
    assert not replies.is_forgotten(NOW + 1)
    again = Replies.from_rows(*replies.rows())
    assert again.is_forgotten(NOW)
    assert not again.is_forgotten(NOW + 1)


def test_client_ids_are_bounded() -> None:
    replies = Replies()
    for number in range(CLIENT_IDS_KEPT + 1):
        replies.keep_order(2, number, b"", Answer(200, b""))
    assert replies.find_order(2, 0) is None
    assert replies.find_order(2, 1) is not None


def test_rows_are_all_of_it() -> None:
    replies = Replies()
    replies.keep(b"a" * 16, NOW, Answer(400, b"a"))
    replies.keep_order(2, 3, b"command", Answer(200, b"b"))
    again = Replies.from_rows(*replies.rows())
    assert again.rows() == replies.rows()
    assert again.find(b"a" * 16) == Answer(400, b"a")
    assert again.find_order(2, 3) == (b"command", Answer(200, b"b"))
