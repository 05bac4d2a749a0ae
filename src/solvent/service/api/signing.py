"""Signing: who sent a request, by the published scheme, with its ambiguities closed.

What is signed is `instruction=NAME`, then each field as `&name=value` in the order of the names,
those of the query before those of the body or all together, then `&timestamp=..&window=..`. A batch
repeats the instruction before the fields of each of its items.

Nothing is escaped there, so what could stand for two requests is refused: names are ASCII words and
none of the scheme's own; a value has no `&`, `=`, `%` or control character; a name that is in query
and body has one value, and is signed once. From a signed text the fields can then be read back:
part at `&`, part at the first `=`, undo percent-encoding. What the text cannot tell, handlers must
not: a number from its digits as a string, a boolean from its word.

Clients differ, and each of these forms is tried, all of which stand for the same fields: values as
they are with the booleans of Python's queries in lower case; as they came; percent-encoded; each
sorted by code point or as `localeCompare` sorts.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import quote

from nacl.exceptions import BadSignatureError

from solvent.service.core.keys import KEY_BYTES, KeyRegistry, Principal, decode_base64
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import DEFAULT_WINDOW_MS, FUTURE_MS, PARSED_KEYS, WINDOW_MS
from solvent.service.strict_json import JsonValue

SIGNATURE_BYTES = 64
DIGEST_BYTES = 16
SUBSCRIPTION = "subscribe"
_UNAUTHORIZED = 401
_BAD_REQUEST = 400
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_RESERVED = frozenset({"instruction", "timestamp", "window"})
_MILLISECONDS = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_BOOLEANS = {"True": "true", "False": "false"}

Pair = tuple[str, str]
Pairs = Sequence[Pair]


class Verified(NamedTuple):
    """Who signed, the digest by which a repetition is known, and until when that can come."""

    principal: Principal
    digest: bytes
    expires_ms: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """Key, signature and times (milliseconds UTC) of a request, and the market if it names one."""

    key: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    timestamp: int
    window: int
    market: str = ""


def verify(
    headers: Mapping[str, str],
    instruction: str,
    query: Pairs,
    raw_query: str,
    body: JsonValue,
    now_ms: int,
    registry: KeyRegistry,
    market: str = "",
) -> Verified:
    """Verify a request. Raises ApiError.

    `headers` by lower-case name; `query` the decoded fields of `raw_query` in their order; `body`
    a decoded object, a list of them, or None.
    """
    stamp = read_stamp([headers.get(name, "") for name in _NAMES])
    texts = signed_texts(instruction, query, raw_query, body)
    named = headers.get(MARKET_HEADER.lower())
    if named is not None:
        if named != market:
            raise _refused("the request is signed for another market")
        stamp = replace(stamp, market=named)
    return _check(stamp, texts, now_ms, registry)


def verify_subscription(
    signature: Sequence[str], now_ms: int, registry: KeyRegistry, bound: str = ""
) -> Verified:
    """Verify the four words of a subscription: key, signature, timestamp, window.

    What is signed is the published text, or that with `bound`, which names streams, connection and
    market.
    """
    if len(signature) != _WORDS:
        raise _refused("signature must be key, signature, timestamp and window")
    texts = [f"instruction={SUBSCRIPTION}"]
    if bound:
        texts.append(f"{texts[0]}&{bound}")
    return _check(read_stamp(signature), texts, now_ms, registry)


SIGNATURE_HEADERS = ("X-API-Key", "X-Signature", "X-Timestamp", "X-Window")
MARKET_HEADER = "X-Market"
"""Not published: names the market that a request is for, whose identity then ends the text."""
_WORDS = len(SIGNATURE_HEADERS)
_NAMES = tuple(name.lower() for name in SIGNATURE_HEADERS)


def read_stamp(words: Sequence[str]) -> Stamp:
    """Key, signature, timestamp and window from their texts, the last one optional."""
    key_text, signature_text, timestamp_text, window_text = words
    if not (key_text or signature_text):
        raise ApiError(_UNAUTHORIZED, ApiErrorCode.UNAUTHORIZED, "The request is not signed")
    key = _key(key_text)
    signature = decode_base64(signature_text, SIGNATURE_BYTES)
    if key is None or signature is None:
        raise _refused(
            f"Invalid {SIGNATURE_HEADERS[0] if key is None else SIGNATURE_HEADERS[1]} header"
        )
    timestamp = _milliseconds(timestamp_text, SIGNATURE_HEADERS[2])
    window = _milliseconds(window_text or str(DEFAULT_WINDOW_MS), SIGNATURE_HEADERS[3])
    if not 1 <= window <= WINDOW_MS:
        raise _refused(f"Invalid {SIGNATURE_HEADERS[3]} header: it must be from 1 to {WINDOW_MS}")
    return Stamp(key, signature, timestamp, window)


@lru_cache(PARSED_KEYS)
def _key(text: str) -> bytes | None:
    return decode_base64(text, KEY_BYTES)


def signed_texts(instruction: str, query: Pairs, raw_query: str, body: JsonValue) -> Iterator[str]:
    """What may have been signed, without times, the likeliest first. Raises ApiError."""
    if isinstance(body, list):
        return _batch_texts(instruction, query, body)
    sent = _body_pairs(body)
    if query:
        _check_pairs(query)
        query, raw_query = _beside(query, raw_query, dict(sent))
    return _distinct(
        text
        for order in _ORDERS
        for first, second in _forms(query, raw_query, sent)
        for text in _texts(instruction, first, second, order)
    )


def _beside(query: Pairs, raw_query: str, sent: Mapping[str, str]) -> tuple[Pairs, str]:
    """The fields of a query, decoded and raw, without those that the body says as well.

    Who puts a field in both signs it once. Raises ApiError where the two differ.
    """
    for name, value in query:
        if name in sent and _BOOLEANS.get(value, value) != sent[name]:
            raise _refused(f"{name} is in query and body and differs")
    words = (word for word in raw_query.split("&") if word.partition("=")[0] not in sent)
    return [pair for pair in query if pair[0] not in sent], "&".join(words)


def _texts(
    instruction: str, first: Pairs, second: Pairs, order: Callable[[Pair], Any]
) -> Iterator[str]:
    """Query before body, as the Rust client has it, or all fields in one order."""
    yield _joined(instruction, sorted(first, key=order), sorted(second, key=order))
    if first and second:
        yield _joined(instruction, sorted([*first, *second], key=order))


def _forms(query: Pairs, raw_query: str, sent: Pairs) -> Iterator[tuple[Pairs, Pairs]]:
    """Fields of query and body as clients write them, each made when the one before fails."""
    yield [(name, _BOOLEANS.get(value, value)) for name, value in query], sent
    yield query, sent
    # In a query a plus is a blank, in a signed text it is a plus: only %20 is a blank in both.
    if "+" not in raw_query:
        yield _raw_pairs(raw_query), _encoded(sent)


def _batch_texts(instruction: str, query: Pairs, items: Sequence[JsonValue]) -> Iterator[str]:
    if query or not items:
        raise _refused("a batch is a list of at least one object and has no query")
    batch = [_body_pairs(item) for item in items]
    return _distinct(
        "&".join(_joined(instruction, sorted(form(pairs), key=order)) for pairs in batch)
        for order in _ORDERS
        for form in (_plain, _encoded)
    )


def _check(stamp: Stamp, texts: Iterable[str], now_ms: int, registry: KeyRegistry) -> Verified:
    """Whether the time is right, one of the texts was signed, and the key is known.

    An unknown key is looked for last: that takes as long as for a known one.
    """
    if stamp.timestamp > now_ms + FUTURE_MS:
        raise _refused("Request timestamp lies in the future")
    if now_ms > stamp.timestamp + stamp.window:
        raise _refused("Request has expired")
    signed = _signed(stamp, texts, registry)
    principal = registry.find(stamp.key)
    if signed is None:
        raise _refused("Invalid signature")
    if principal is None:
        raise ApiError(_UNAUTHORIZED, ApiErrorCode.UNAUTHORIZED, "The key may not act")
    request = stamp.key + stamp.signature + signed
    digest = hashlib.blake2b(request, digest_size=DIGEST_BYTES).digest()
    return Verified(principal, digest, stamp.timestamp + stamp.window, stamp.key)


def _signed(stamp: Stamp, texts: Iterable[str], registry: KeyRegistry) -> bytes | None:
    """The one of the texts that was signed."""
    key = registry.parsed(stamp.key)
    end = f"&timestamp={stamp.timestamp}&window={stamp.window}"
    if stamp.market:
        end += f"&market={stamp.market}"
    for text in texts:
        data = f"{text}{end}".encode()
        try:
            key.verify(data, stamp.signature)
        except BadSignatureError:
            continue
        return data
    return None


# Fields: from what was sent to names and values that may stand in a signed text.


def _body_pairs(body: JsonValue) -> list[Pair]:
    """Names and values of an object; those that are null were not signed."""
    if body is None:
        return []
    if not isinstance(body, dict):
        raise _refused("the body must be a JSON object")
    pairs = [
        (name, value if type(value) is str else _word(name, value))
        for name, value in body.items()
        if value is not None
    ]
    _check_pairs(pairs)
    return pairs


def _word(name: str, value: JsonValue) -> str:
    """A value as its JSON text, a string without its quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | str):
        return str(value)
    raise _refused(f"{_shown(name)} must be a string, a whole number or a boolean")


def _check_pairs(pairs: Pairs) -> None:
    for name, _ in pairs:
        if not _is_name(name):
            raise _refused(f"{_shown(name)} is no name of a field")
    # All at once, for nearly always all are good.
    if not _is_plain("".join([value for _, value in pairs])):
        name = next(name for name, value in pairs if not _is_plain(value))
        raise _refused(f"{name} must be without '&', '=', '%' and control characters")


@lru_cache
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in _RESERVED


def _is_plain(value: str) -> bool:
    return value.isprintable() and not _AMBIGUOUS.search(value)


_AMBIGUOUS = re.compile("[&=%]")
_SHOWN = 32


def _shown(name: str) -> str:
    return ascii(name[:_SHOWN])


def _raw_pairs(raw_query: str) -> list[Pair]:
    parts = (word.partition("=") for word in raw_query.split("&") if word)
    return [(name, value) for name, _, value in parts]


def _plain(pairs: Pairs) -> Pairs:
    return pairs


def _encoded(pairs: Pairs) -> Pairs:
    return [(name, quote(value, safe="")) for name, value in pairs]


_by_code_point: Callable[[Pair], str] = itemgetter(0)


def _by_locale(pair: Pair) -> tuple[str, str]:
    return pair[0].lower(), pair[0].swapcase()


_ORDERS = (_by_code_point, _by_locale)


def _joined(instruction: str, *fields: Pairs) -> str:
    words = [f"{name}={value}" for pairs in fields for name, value in pairs]
    return "&".join([f"instruction={instruction}", *words])


def _distinct(texts: Iterable[str]) -> Iterator[str]:
    seen = set()
    for text in texts:
        if text not in seen:
            seen.add(text)
            yield text


def _milliseconds(text: str, what: str) -> int:
    if not _MILLISECONDS.fullmatch(text):
        raise _refused(f"Invalid {what} header")
    return int(text)


def _refused(message: str) -> ApiError:
    return ApiError(_BAD_REQUEST, ApiErrorCode.INVALID_CLIENT_REQUEST, message)
