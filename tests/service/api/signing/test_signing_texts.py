"""What is signed: every client's form of a request, and no text that stands for two of them."""

import random
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.service.api.signing import signed_texts
from solvent.service.errors import ApiErrorCode
from solvent.service.strict_json import JsonValue
from tests.service.api.signed_requests import Sent, refusal, signed

TEXT = "instruction=orderExecute&quantity=1&symbol=SOL_USDC"
BODY = b'{"symbol":"SOL_USDC","quantity":"1"}'
LOWER = {"True": "true", "False": "false"}


AMBIGUOUS: dict[str, bytes] = {
    "an ampersand": b'{"symbol":"SOL&side=Bid"}',
    "an equals sign": b'{"symbol":"a=b"}',
    "a percent sign": b'{"symbol":"SOL%5FUSDC"}',
    "a line break": b'{"symbol":"SOL\\n"}',
    "a zero": b'{"symbol":"SOL\\u0000"}',
    "a delete": b'{"symbol":"SOL\\u007f"}',
    "a line separator": b'{"symbol":"SOL\\u2028"}',
    "an override of direction": b'{"symbol":"SOL\\u202e"}',
    "a name with an ampersand": b'{"a&b":"1"}',
    "a name with an equals sign": b'{"a=b":"1"}',
    "a name with a percent sign": b'{"a%62":"1"}',
    "a name with a blank": b'{"a b":"1"}',
    "a name that is none": b'{"":"1"}',
    "a name in other letters": '{"ａ":"1"}'.encode(),
    "a name that ends a line": b'{"a\\n":"1"}',
    "the instruction": b'{"instruction":"withdraw"}',
    "the timestamp": b'{"timestamp":"1"}',
    "the window": b'{"window":"60000"}',
    "an object": b'{"a":{"b":"1"}}',
    "a list": b'{"a":["1"]}',
    "a batch in a batch": b'[[{"a":"1"}]]',
    "an empty batch": b"[]",
    "a batch with something else": b'[{"a":"1"},"b"]',
    "a text": b'"a"',
    "a number": b"1",
}


@pytest.mark.parametrize("body", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_body_that_could_be_read_in_two_ways_is_refused(body: bytes) -> None:
    error = refusal(Sent("POST", headers=signed(TEXT), body=body))
    assert (error.status, error.code) == (400, ApiErrorCode.INVALID_CLIENT_REQUEST)
    assert error.message != "Invalid signature"
    assert error.message.isascii()
    assert len(error.message) < 120


@pytest.mark.parametrize(
    "raw_query", ["a=1%26b=2", "a=1%3D", "a=%2541", "a=%0A", "window=1", "a%20b=1", "=1", "%26=1"]
)
def test_a_query_that_could_be_read_in_two_ways_is_refused(raw_query: str) -> None:
    error = refusal(Sent(raw_query=raw_query, headers=signed("instruction=q")), "q")
    assert error.message != "Invalid signature"


def test_a_field_says_one_thing_in_query_and_body_and_a_batch_has_no_query() -> None:
    both = Sent("POST", raw_query="symbol=SOL", headers=signed(TEXT), body=BODY)
    assert "differs" in refusal(both).message
    batch = Sent("POST", raw_query="side=Bid", headers=signed(TEXT), body=b"[" + BODY + b"]")
    assert "batch" in refusal(batch).message


def texts(
    query: list[tuple[str, str]], body: JsonValue = None, raw: str | None = None
) -> list[str]:
    """The texts of a request, its query as it came or plainly joined."""
    joined = "&".join(f"{name}={value}" for name, value in query) if raw is None else raw
    return list(signed_texts("x", query, joined, body))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "instruction=x"),
        ({"b": 1, "a": "1"}, "instruction=x&a=1&b=1"),
        ({"a": True, "b": False, "c": None}, "instruction=x&a=true&b=false"),
        ({"a": 2**32 - 1, "b": -1}, "instruction=x&a=4294967295&b=-1"),
        ([{"a": 1}, {"b": None}, {"c": "é"}], "instruction=x&a=1&instruction=x&instruction=x&c=é"),
    ],
)
def test_bodies_are_signed_as_their_json_texts(body: JsonValue, text: str) -> None:
    assert texts([], body)[0] == text


def test_each_form_of_a_query_is_tried_once_and_the_likeliest_first() -> None:
    assert texts([("b", "True"), ("a", "x,y")], raw="b=True&a=x%2Cy") == [
        "instruction=x&a=x,y&b=true",
        "instruction=x&a=x,y&b=True",
        "instruction=x&a=x%2Cy&b=True",
    ]
    assert texts([("b", "1"), ("a", "2")]) == ["instruction=x&a=2&b=1"]
    assert texts([("a", "x y")], raw="a=x+y") == ["instruction=x&a=x y"]
    assert texts([("a", "x y")], raw="a=x%20y") == ["instruction=x&a=x y", "instruction=x&a=x%20y"]
    assert texts([("aB", "1"), ("aa", "2")]) == [
        "instruction=x&aB=1&aa=2",
        "instruction=x&aa=2&aB=1",
    ]


def test_a_field_in_query_and_body_is_signed_once() -> None:
    assert texts([("a", "1")], {"a": 1}) == ["instruction=x&a=1"]
    assert texts([("a", "True")], {"a": True}, "a=True") == ["instruction=x&a=true"]
    assert texts([("a", "x y")], {"a": "x y"}, "a=x%20y")[0] == "instruction=x&a=x y"
    assert texts([("z", "1"), ("a", "2")], {"a": "2", "b": "3"}) == [
        "instruction=x&z=1&a=2&b=3",
        "instruction=x&a=2&b=3&z=1",
    ]


def meaning(items: Iterable[Iterable[tuple[str, str]]]) -> tuple[object, ...]:
    """Fields, whatever their order; a boolean's word in whatever case Python or JSON has it."""
    return tuple(
        tuple(sorted(((name, LOWER.get(value, value)) for name, value in item), key=first_of))
        for item in items
    )


def first_of(pair: tuple[str, str]) -> str:
    """The name of a field, by which repeated ones keep their order."""
    return pair[0]


class Request(NamedTuple):
    """What a request says: fields of query and body, or of the items of a batch."""

    query: tuple[tuple[str, str], ...]
    items: tuple[tuple[tuple[str, str], ...], ...]
    is_batch: bool

    @property
    def meaning(self) -> tuple[object, ...]:
        """Its fields, be they in query or body."""
        return meaning(((*self.query, *self.items[0]), *self.items[1:]))


NAMES = ["a", "b", "aB", "ab", "A"]
VALUES = ["", "1", "11", "a", "true", "True", "False", "x,y", "x y", "x+y", "é", "+", "a/b"]


def drawn(source: random.Random) -> Request:
    """A request of few names and values, so that two of them often nearly agree."""
    is_batch = source.random() < 0.3
    names = source.sample(NAMES, source.randint(0, 3))
    cut = 0 if is_batch else source.randint(0, len(names))
    query = [(name, source.choice(VALUES)) for name in names[:cut]]
    if query and source.random() < 0.2:
        query.append((query[0][0], source.choice(VALUES)))
    first = tuple((name, source.choice(VALUES)) for name in names[cut:])
    more = [
        tuple((name, source.choice(VALUES)) for name in source.sample(NAMES, source.randint(0, 2)))
        for _ in range(source.randint(0, 2) if is_batch else 0)
    ]
    return Request(tuple(query), (first, *more), is_batch)


def texts_of(request: Request, source: random.Random) -> set[str]:
    """All texts that verify a request, its query encoded in one of the ways that decode to it."""
    blank = source.choice(["%20", "+"])
    safe = source.choice(["", ",/", ",/ é"])
    raw = "&".join(
        f"{name}={quote(value, safe=safe).replace('%20', blank).replace(' ', blank)}"
        for name, value in request.query
    )
    assert parse_qsl(raw, keep_blank_values=True) == list(request.query)
    items: list[JsonValue] = [dict(item) for item in request.items]
    body: JsonValue = items if request.is_batch else items[0]
    return set(signed_texts("x", request.query, raw, body))


@pytest.mark.slow
def test_no_two_requests_share_a_text() -> None:
    source = random.Random(20261123)
    meant: dict[str, tuple[object, ...]] = {}
    pairs = differing = shared = 0
    for _ in range(20_000):
        one, two = drawn(source), drawn(source)
        pairs += 1
        differing += one.meaning != two.meaning
        for request in (one, two):
            for text in texts_of(request, source):
                shared += text in meant
                assert meant.setdefault(text, request.meaning) == request.meaning, text
    assert pairs == 20_000
    assert differing > 19_000
    assert shared > 1_000, "requests hardly ever met, so nothing was tested"


def read_back(text: str) -> tuple[object, ...]:
    """The fields of a signed text: part at `&`, at the first `=`, undo percent-encoding."""
    items: list[list[tuple[str, str]]] = []
    for word in text.split("&"):
        name, _, value = word.partition("=")
        if name == "instruction":
            items.append([])
        else:
            items[-1].append((name, unquote(value)))
    return meaning(items)


values = st.text(st.characters(codec="utf-8", exclude_characters="&=%"), max_size=6)
names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,3}", fullmatch=True)
fields = st.dictionaries(names, values.filter(str.isprintable), max_size=4)


@given(fields, fields)
def test_the_fields_can_be_read_back_from_any_text(
    query: dict[str, str], body: dict[str, str]
) -> None:
    for name in ("instruction", "timestamp", "window"):
        body.pop(name, None)
        query.pop(name, None)
    body |= {name: query[name] for name in query.keys() & body.keys()}
    raw = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    said = meaning([(query | body).items()])
    for text in signed_texts("x", list(query.items()), raw, body):
        assert read_back(text) == said


@given(st.permutations(["symbol", "side", "price", "quantity", "clientId"]))
def test_the_order_in_which_fields_come_does_not_matter(names: list[str]) -> None:
    body = {name: name for name in names}
    assert texts([], body) == texts([], dict(sorted(body.items())))
