"""JSON that means one thing: what two readers could read differently is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.service.limits import BODY_BYTES, JSON_DEPTH, JSON_NUMBER_DIGITS
from solvent.service.strict_json import JsonError, JsonValue, decode, decode_object, encode

values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**19)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)

REFUSED = {
    "a key twice": b'{"quantity": "1", "quantity": "2"}',
    "a key twice, deep": b'{"a": [{"b": {"c": 1, "c": 1}}]}',
    "a key twice, once escaped": b'{"symbol": 1, "\\u0073ymbol": 2}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "minus infinity": b"-Infinity",
    "fraction": b'{"quantity": 1.5}',
    "exponent": b"1E+3000000",
    "exponent of a whole number": b"[1e2]",
    "long number": b"1" * (JSON_NUMBER_DIGITS + 1),
    "long number in a body of its own": b"9" * BODY_BYTES,
    "leading zero": b"[01]",
    "plus": b"[+1]",
    "full-width digit": "[１]".encode(),
    "underscore": b"[1_000]",
    "nothing": b"",
    "blank": b" ",
    "cut": b'{"a": 1',
    "two values": b"{} {}",
    "comma at the end": b"[1,]",
    "single quotes": b"{'a': 1}",
    "a comment": b"[1] // one",
    "a bare word": b"true false",
    "a control character in a string": b'["a\nb"]',
    "not UTF-8": b'["\xff"]',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "half a surrogate pair": b'["\\ud800"]',
    "half a pair in a key": b'{"\\udc00": 1}',
    "a pair the wrong way round": b'["\\udc00\\ud800"]',
    "too long": b'"' + b"a" * BODY_BYTES + b'"',
    "deep arrays": b"[" * (JSON_DEPTH + 1) + b"]" * (JSON_DEPTH + 1),
    "deep objects": b'{"a":' * (JSON_DEPTH + 1) + b"1" + b"}" * (JSON_DEPTH + 1),
    "as deep as a body can be": b"[" * BODY_BYTES,
    "as deep as a body can be, closed": b"[" * (BODY_BYTES // 2) + b"]" * (BODY_BYTES // 2),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_ambiguous_or_too_much_is_refused(text: bytes) -> None:
    with pytest.raises(JsonError) as caught:
        decode(text)
    assert len(str(caught.value)) < 100
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{}", {}),
        (b'{"a": {"b": 1}, "b": {"b": 1}}', {"a": {"b": 1}, "b": {"b": 1}}),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        ('["é"]'.encode(), ["é"]),
        (b' [true, false, null, -1, 0, "0.5"] \n', [True, False, None, -1, 0, "0.5"]),
        (b"9" * JSON_NUMBER_DIGITS, int("9" * JSON_NUMBER_DIGITS)),
        (b'["[[[[[[[[[[[[", "{{{{{{{{{{{{"]', ["[" * 12, "{" * 12]),
        (b"[[],[],[],[],[],[],[],[],[],[]]", [[]] * 10),
    ],
)
def test_what_is_plain_is_taken(text: bytes, value: JsonValue) -> None:
    assert decode(text) == value


def test_the_deepest_nesting_and_the_longest_text_are_taken() -> None:
    text = b"[" * JSON_DEPTH + b"]" * JSON_DEPTH
    assert encode(decode(text)) == text
    longest = b'"' + b"a" * (BODY_BYTES - 2) + b'"'
    assert decode(longest) == "a" * (BODY_BYTES - 2)


@pytest.mark.parametrize("text", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_an_object_must_be_one(text: bytes) -> None:
    decode(text)
    with pytest.raises(JsonError, match="object"):
        decode_object(text)
    assert decode_object(b'{"a":' + text + b"}") == {"a": json.loads(text)}


@given(values)
def test_what_is_written_reads_back(value: JsonValue) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except JsonError:
        return
    assert decode(encode(value)) == value


# The fast reader and the slow one take and refuse the same.

scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=6)
flat = st.dictionaries(st.sampled_from(["a", "b", "\u2028", "é", '"']), scalars, max_size=4)


@given(st.one_of(flat, st.lists(flat, max_size=3), st.dictionaries(st.text(), st.lists(flat))))
def test_a_terse_text_means_what_it_means_with_blanks(value: JsonValue) -> None:
    def read(text: str) -> object:
        try:
            return decode(text.encode(errors="surrogatepass"))
        except JsonError as error:
            return str(error)

    terse = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert read(terse) == read(json.dumps(value)) == read(f" {terse}")


DOUBLED = [
    b'{"a":1,"a":1}',
    b'{"a":"1","b":"2","a":"3"}',
    b'[{"a":1},{"a":1,"a":2}]',
    b'{"commands":[{"verb":"lend","verb":"lend"}]}',
    b'{"a":[],"a":[]}',
    b'{"":0,"":0}',
]


@pytest.mark.parametrize("text", DOUBLED)
def test_a_key_that_comes_twice_in_a_terse_text_is_refused(text: bytes) -> None:
    with pytest.raises(JsonError, match="a key comes more than once"):
        decode(text)


TERSE = [b'{"a":1e2}', b'{"a":1.0}', b'{"a":0.5}', b'[{"a":1E0}]', b'{"a":01}', b'{"a":NaN}']


@pytest.mark.parametrize("text", TERSE)
def test_a_number_that_is_not_whole_is_refused_in_a_terse_text(text: bytes) -> None:
    with pytest.raises(JsonError):
        decode(text)
