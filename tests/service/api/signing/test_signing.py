"""Signatures: who signed what, and until when."""

import base64
import itertools
from collections.abc import Mapping
from traceback import format_exception

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from solvent.service.api.signing import (
    DIGEST_BYTES,
    read_stamp,
    verify,
    verify_subscription,
)
from solvent.service.core.keys import KeyRegistry, Role
from solvent.service.errors import ApiError, ApiErrorCode
from tests.service.api.signed_requests import (
    ACCOUNT,
    KEY,
    NOW,
    PUBLIC,
    Sent,
    refusal,
    registry,
    signed,
)

TEXT = "instruction=orderExecute&quantity=1&symbol=SOL_USDC"
BODY = b'{"symbol":"SOL_USDC","quantity":"1"}'
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def order(headers: Mapping[str, str], body: bytes = BODY) -> Sent:
    """The request of TEXT with these headers."""
    return Sent("POST", headers=headers, body=body)


# Time.


@pytest.mark.parametrize("window", [1, 2, 4999, 5000, 59_999, 60_000])
@pytest.mark.parametrize(
    ("words", "is_taken"),
    [
        ("window before", True),
        ("window + 1 before", False),
        ("now", True),
        ("1000 after", True),
        ("1001 after", False),
    ],
)
def test_a_request_counts_from_its_second_before_to_the_end_of_its_window(
    window: int, words: str, is_taken: bool
) -> None:
    early = {"window before": window, "window + 1 before": window + 1, "now": 0}
    moved = early[words] if words in early else -int(words.split()[0])
    sent = order(signed(TEXT, timestamp=NOW - moved, window=window))
    if is_taken:
        assert sent.verified("orderExecute", NOW).expires_ms == NOW - moved + window
    else:
        words = "has expired" if moved > 0 else "lies in the future"
        assert words in refusal(sent).message


def test_a_request_without_a_window_has_5000_in_its_text() -> None:
    sent = order(signed(TEXT, window=None))
    assert "x-window" not in sent.headers
    assert sent.verified("orderExecute", NOW + 5000).expires_ms == NOW + 5000
    assert "expired" in refusal(sent, now=NOW + 5001).message


@pytest.mark.parametrize(
    "window", ["0", "60001", "-1", "+5", "05", "5.0", "5e3", " 5", "５", "x", "9" * 17, "1_0"]
)
def test_a_window_is_a_plain_number_from_1_to_60000(window: str) -> None:
    error = refusal(order(signed(TEXT) | {"x-window": window}))
    assert error.message.startswith("Invalid X-Window header")


@pytest.mark.parametrize(
    "timestamp", ["", "-1", "+1", "1e3", "1.0", "0" + str(NOW), str(NOW) + " ", "x", "9" * 4000]
)
def test_a_timestamp_is_a_plain_number(timestamp: str) -> None:
    error = refusal(order(signed(TEXT) | {"x-timestamp": timestamp}))
    assert error.message == "Invalid X-Timestamp header"


# Answers.


def test_a_request_without_signature_is_unauthorized() -> None:
    for headers in ({}, {"x-timestamp": str(NOW), "x-window": "5000"}):
        error = refusal(order(headers))
        assert (error.status, error.code) == (401, ApiErrorCode.UNAUTHORIZED)


MALFORMED = {
    "no base64": "not base64!",
    "63 bytes": base64.b64encode(b"s" * 63).decode(),
    "65 bytes": base64.b64encode(b"s" * 65).decode(),
    "no padding": base64.b64encode(b"s" * 64).decode().rstrip("="),
    "too much padding": base64.b64encode(b"s" * 64).decode() + "=",
    "bits beyond the end": base64.b64encode(b"\0" * 64).decode()[:-3] + "B==",
    "a blank": " " + base64.b64encode(b"s" * 64).decode(),
    "URL-safe letters": base64.urlsafe_b64encode(b"\xff" * 64).decode(),
    "hexadecimal": "00" * 64,
    "letters that are none": "é" * 88,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_signature_that_cannot_be_decoded_is_an_invalid_header(text: str) -> None:
    error = refusal(order(signed(TEXT) | {"x-signature": text}))
    expected = (400, ApiErrorCode.INVALID_CLIENT_REQUEST, "Invalid X-Signature header")
    assert (error.status, error.code, error.message) == expected


@pytest.mark.parametrize("name", ["x-api-key", "x-signature"])
def test_half_a_signature_is_an_invalid_header(name: str) -> None:
    words = {"x-api-key": "X-API-Key", "x-signature": "X-Signature"}[name]
    headers = {key: value for key, value in signed(TEXT).items() if key != name}
    assert refusal(order(headers)).message == f"Invalid {words} header"


CHANGED: dict[str, Sent] = {
    "another quantity": order(signed(TEXT), BODY.replace(b'"1"', b'"2"')),
    "a field more": order(signed(TEXT), BODY.replace(b"}", b',"postOnly":true}')),
    "a field less": order(signed(TEXT), b'{"symbol":"SOL_USDC"}'),
    "another timestamp": order(signed(TEXT) | {"x-timestamp": str(NOW - 1)}),
    "another window": order(signed(TEXT) | {"x-window": "5001"}),
    "another instruction": order(signed(TEXT.replace("orderExecute", "orderCancel"))),
    "no fields": order(signed("instruction=orderExecute")),
    "fields out of order": order(signed("instruction=orderExecute&symbol=SOL_USDC&quantity=1")),
    "a flipped bit": order(
        signed(TEXT)
        | {
            "x-signature": base64.b64encode(
                bytes([base64.b64decode(signed(TEXT)["x-signature"])[0] ^ 1])
                + base64.b64decode(signed(TEXT)["x-signature"])[1:]
            ).decode()
        }
    ),
}


@pytest.mark.parametrize("sent", CHANGED.values(), ids=CHANGED)
def test_what_was_not_signed_is_an_invalid_signature(sent: Sent) -> None:
    error = refusal(sent)
    assert (error.status, error.message) == (400, "Invalid signature")


def test_an_unknown_key_is_unauthorized_only_where_its_signature_is_right() -> None:
    stranger = SigningKey(b"s" * 32)
    signature = stranger.sign(f"{TEXT}&timestamp={NOW}&window=5000".encode()).signature
    headers = signed(TEXT) | {
        "x-api-key": base64.b64encode(bytes(stranger.verify_key)).decode(),
        "x-signature": base64.b64encode(signature).decode(),
    }
    error = refusal(order(headers))
    assert (error.status, error.code) == (401, ApiErrorCode.UNAUTHORIZED)
    error = refusal(order(headers, BODY.replace(b"1", b"2")))
    assert (error.status, error.message) == (400, "Invalid signature")


def test_a_key_taken_out_may_act_no_more() -> None:
    held = registry()
    sent = order(signed(TEXT))
    arguments = (sent.headers, "orderExecute", sent.query, "", sent.json, NOW)
    assert verify(*arguments, held).principal.account == ACCOUNT
    held = KeyRegistry()
    with pytest.raises(ApiError, match="may not act"):
        verify(*arguments, held)


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_subscription_has_four_words(count: int) -> None:
    with pytest.raises(ApiError, match="key, signature, timestamp and window"):
        verify_subscription(["x"] * count, NOW, registry())


def test_a_subscription_cannot_stand_for_a_request_nor_a_request_for_it() -> None:
    headers = signed("instruction=subscribe")
    words = [headers[f"x-{name}"] for name in ("api-key", "signature", "timestamp", "window")]
    assert verify_subscription(words, NOW, registry()).principal.account == ACCOUNT
    assert refusal(Sent(headers=headers), "balanceQuery").message == "Invalid signature"
    words[1] = signed("instruction=balanceQuery")["x-signature"]
    with pytest.raises(ApiError, match="Invalid signature"):
        verify_subscription(words, NOW, registry())


def test_no_key_or_signature_is_in_a_repr_or_an_error() -> None:
    headers = signed(TEXT)
    names = ("api-key", "signature", "timestamp", "window")
    stamp = read_stamp([headers[f"x-{name}"] for name in names])
    error = refusal(order(headers, b"{}"))
    shown = [repr(stamp), str(error), repr(error.body), *format_exception(error)]
    for data in (bytes(KEY.verify_key), stamp.signature):
        for hidden in (base64.b64encode(data).decode(), data.hex(), repr(data)[2:-1]):
            assert not [each for each in shown if hidden in each]


# Digests.


def test_the_same_request_has_the_same_digest_and_any_other_another() -> None:
    requests = [
        (order(signed(TEXT)), "orderExecute"),
        (order(signed(TEXT, timestamp=NOW - 1)), "orderExecute"),
        (order(signed(TEXT, window=5001)), "orderExecute"),
        (Sent(headers=signed("instruction=balanceQuery")), "balanceQuery"),
        (Sent(headers=signed("instruction=capitalQuery")), "capitalQuery"),
    ]
    digests = [sent.verified(instruction, NOW).digest for sent, instruction in requests]
    assert len(set(digests)) == len(requests)
    assert {len(digest) for digest in digests} == {DIGEST_BYTES}
    again = order(signed(TEXT), b' {"quantity": "1", "price": null, "symbol": "SOL_USDC"}')
    assert again.verified("orderExecute", NOW + 4000).digest == digests[0]


def test_a_batch_of_one_has_the_digest_of_its_order() -> None:
    one = order(signed(TEXT)).verified("orderExecute", NOW)
    batch = order(signed(TEXT), b"[" + BODY + b"]").verified("orderExecute", NOW)
    assert batch == one


# Ed25519.

RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
        "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
        "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_the_registry_verifies_the_published_vectors_and_nothing_near_them(
    seed: str, public: str, message: str, signature: str
) -> None:
    key = KeyRegistry().parsed(bytes.fromhex(public))
    assert bytes(SigningKey(bytes.fromhex(seed)).verify_key).hex() == public
    data, made = bytes.fromhex(message), bytes.fromhex(signature)
    assert key.verify(data, made) == data
    for bit in range(0, 512, 37):
        near = bytearray(made)
        near[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadSignatureError):
            key.verify(data, bytes(near))


def test_a_signature_cannot_be_turned_into_a_second_one() -> None:
    headers = signed(TEXT)
    made = base64.b64decode(headers["x-signature"])
    scalar = int.from_bytes(made[32:], "little")
    for factor in range(1, 8):
        other = made[:32] + (scalar + factor * GROUP_ORDER).to_bytes(32, "little")
        changed = headers | {"x-signature": base64.b64encode(other).decode()}
        assert refusal(order(changed)).message == "Invalid signature"


LOW_ORDER = [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18]


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_key_of_low_order_signs_nothing_even_if_it_were_let_in(point: int) -> None:
    key = point.to_bytes(32, "little")
    held = registry()
    held.let_in(key, Role.USER, ACCOUNT)
    for nonce in LOW_ORDER:
        signature = nonce.to_bytes(32, "little") + bytes(32)
        headers = {
            "x-api-key": base64.b64encode(key).decode(),
            "x-signature": base64.b64encode(signature).decode(),
            "x-timestamp": str(NOW),
        }
        with pytest.raises(ApiError, match="Invalid signature"):
            verify(headers, "balanceQuery", [], "", None, NOW, held)


@given(st.dictionaries(st.sampled_from(["x-api-key", "x-signature", "x-timestamp", "x-window"]),
                       st.text(max_size=96)))  # fmt: skip
def test_any_headers_are_verified_or_refused(headers: dict[str, str]) -> None:
    assert refusal(Sent(headers=headers), "balanceQuery").status in (400, 401)


def test_every_header_is_needed_as_it_was_signed() -> None:
    headers = signed(TEXT)
    assert order(headers).verified("orderExecute").principal.account == ACCOUNT
    for name, other in itertools.product(headers, ("", "x", PUBLIC, str(NOW + 1), "1")):
        if other == headers[name] or (name, other) == ("x-window", ""):
            continue
        assert refusal(order(headers | {name: other})).status in (400, 401)
