"""Keys: what may be let in, what a registry remembers, and that none is ever shown."""

import base64
import logging
from traceback import format_exception

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from solvent.service.core import keys as k
from solvent.service.core.keys import (
    NO_ACCOUNT,
    WITH_ACCOUNT,
    KeyRegistry,
    Principal,
    Role,
    parse_public_key,
)
from solvent.service.errors import ApiError

HOUSE = sorted(set(Role) - WITH_ACCOUNT)
P = 2**255 - 19
LOW_ORDER = {
    "zero": 0,
    "identity": 1,
    "order 2": P - 1,
    "order 8": int("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", 16),
    "zero, not canonical": P,
    "identity, not canonical": P + 1,
    "identity, with the sign set": 1 + 2**255,
    "beyond the field": 2**256 - 1,
}


def key(number: int) -> bytes:
    """The public key of a seed."""
    return bytes(SigningKey(number.to_bytes(32)).verify_key)


def text(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def test_a_key_is_32_bytes_in_base64() -> None:
    assert parse_public_key(text(key(1))) == key(1)


MALFORMED = {
    "nothing": "",
    "31 bytes": text(key(1)[:31]),
    "33 bytes": text(key(1) + b"\0"),
    "64 bytes": text(key(1) * 2),
    "no padding": text(key(1)).rstrip("="),
    "too much padding": text(key(1)) + "=",
    "a blank before": " " + text(key(1)),
    "a blank within": text(key(1))[:9] + " " + text(key(1))[9:],
    "a line break after": text(key(1)) + "\n",
    "hexadecimal": key(1).hex(),
    "a letter that is none": "é" + text(key(1))[1:],
    "URL-safe letters": text(b"\xff" * 32).replace("/", "_"),
    "bits beyond the end": text(b"\0" * 32)[:-2] + "B=",
}


@pytest.mark.parametrize("given_text", MALFORMED.values(), ids=MALFORMED)
def test_a_text_that_is_no_key_is_refused(given_text: str) -> None:
    with pytest.raises(ApiError, match="32 bytes in base64"):
        parse_public_key(given_text)


@pytest.mark.parametrize("point", LOW_ORDER.values(), ids=LOW_ORDER)
def test_a_point_with_which_anybody_could_sign_is_no_key(point: int) -> None:
    with pytest.raises(ApiError, match="no ed25519 key"):
        parse_public_key(text(point.to_bytes(32, "little")))


def test_keys_act_until_they_are_taken_out() -> None:
    registry = KeyRegistry()
    assert registry.find(key(1)) is None
    registry.let_in(key(1), Role.USER, 7)
    registry.let_in(key(2), Role.ORACLE, NO_ACCOUNT)
    assert registry.find(key(1)) == Principal(1, Role.USER, 7)
    assert registry.find(key(2)) == Principal(2, Role.ORACLE, NO_ACCOUNT)
    registry.remove(key(1))
    registry.remove(key(9))
    assert registry.find(key(1)) is None
    assert registry.find(key(2)) == Principal(2, Role.ORACLE, NO_ACCOUNT)


def test_a_key_that_comes_back_is_nobody_else() -> None:
    registry = KeyRegistry()
    for number in (1, 2):
        registry.let_in(key(number), Role.RISK_ADMIN, NO_ACCOUNT)
    registry.remove(key(1))
    for held in (registry, KeyRegistry.decode(registry.encode())):
        held.let_in(key(3), Role.RISK_ADMIN, NO_ACCOUNT)
        held.let_in(key(1), Role.RISK_ADMIN, NO_ACCOUNT)
        numbers = [(held.find(key(each)) or Principal(0, Role.USER, 0)).number for each in (1, 2)]
        assert numbers == [1, 2]
        assert held.find(key(3)) == Principal(3, Role.RISK_ADMIN, NO_ACCOUNT)


def test_an_auditor_may_have_an_account_to_read() -> None:
    registry = KeyRegistry()
    registry.let_in(key(1), Role.AUDITOR, 7)
    assert registry.find(key(1)) == Principal(1, Role.AUDITOR, 7)


changes = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([None, *Role]), st.integers(0, 3)), max_size=20
)


@given(changes, st.integers(0, 20))
def test_a_registry_restored_at_any_moment_goes_on_the_same(
    given_changes: list[tuple[int, Role | None, int]], cut: int
) -> None:
    straight = KeyRegistry()
    restored = KeyRegistry()
    for place, (number, role, account) in enumerate(given_changes):
        if place == cut:
            restored = KeyRegistry.decode(restored.encode())
        for registry in (straight, restored):
            if role is None:
                registry.remove(key(number))
            elif account == 3 and (found := registry.find(key(number))) is not None:
                registry.rotate(found.number, key(100 + place))
            else:
                held = account if role in WITH_ACCOUNT else NO_ACCOUNT
                registry.let_in(key(number), role, held)
    assert restored.encode() == straight.encode()
    for number in range(1, 5):
        assert restored.find(key(number)) == straight.find(key(number))


def test_a_key_that_takes_anothers_place_is_the_same_person() -> None:
    registry = KeyRegistry()
    registry.let_in(key(1), Role.RISK_ADMIN)
    registry.let_in(key(2), Role.RISK_ADMIN)
    registry.rotate(1, key(3))
    for held in (registry, KeyRegistry.decode(registry.encode())):
        assert held.find(key(1)) is None
        assert held.find(key(3)) == held.by_number(1) == Principal(1, Role.RISK_ADMIN, NO_ACCOUNT)
        assert held.is_replaced(key(1))
        assert not held.is_replaced(key(3))
        assert held.was_known(key(1))
        assert held.count(Role.RISK_ADMIN) == 2
        assert [person.number for _, person in held.all()] == [1, 2]
        held.remove(key(3))
        assert held.by_number(1) is None
        assert not held.is_replaced(key(1)), "nobody acts under its number"


def test_parsed_keys_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(k, "PARSED_KEYS", 2)
    registry = KeyRegistry()
    first = registry.parsed(key(1))
    assert registry.parsed(key(1)) is first
    registry.parsed(key(2))
    registry.parsed(key(1))
    registry.parsed(key(3))
    assert registry.parsed(key(1)) is first, "the last used was dropped"
    second = registry.parsed(key(2))
    assert bytes(second) == key(2)
    assert registry.parsed(key(3)) is not None
    assert registry.parsed(key(1)) is not first, "more than the bound were kept"


def test_no_key_is_in_a_repr_an_error_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    registry = KeyRegistry()
    registry.let_in(key(1), Role.USER, 7)
    principal = registry.find(key(1))
    assert principal is not None
    shown = [repr(registry), str(registry), repr(principal), principal.key_text]
    with caplog.at_level(logging.DEBUG):
        for attempt in (text(key(1)) + "=", text(LOW_ORDER["order 2"].to_bytes(32, "little"))):
            with pytest.raises(ApiError) as caught:
                parse_public_key(attempt)
            shown += [str(caught.value), repr(caught.value.body)]
            shown += format_exception(caught.value)
    shown.append(caplog.text)
    for hidden in (text(key(1)), key(1).hex(), repr(key(1))[2:-1]):
        assert not [each for each in shown if hidden in each]
