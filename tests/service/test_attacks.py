"""Every attack that once succeeded has tests, every case of a client too, and the page is true."""

from tests.attacks import ATTACKS, CLIENTS, PAGE, page, proofs


def test_every_attack_has_a_test() -> None:
    assert proofs().keys() == ATTACKS.keys() | CLIENTS.keys()


def test_the_page_is_fresh() -> None:
    """Write it anew with `python -m tests.attacks`."""
    assert PAGE.read_text() == page()
