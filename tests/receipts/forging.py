"""Every way of changing one thing in a JSON document, for a forger to try."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from solvent.domain.codec.canonical import DIGEST_FIELD, digest_of

Step = str | int


class Forgery(NamedTuple):
    """What was changed, where (`place` without list numbers), and the document that results."""

    what: str
    path: tuple[Step, ...]
    document: dict[str, Any]

    @property
    def place(self) -> str:
        """The path with list numbers left out."""
        return ".".join(step for step in self.path if isinstance(step, str))


def forgeries(document: dict[str, Any]) -> Iterator[Forgery]:
    """Each single change of a document: of every leaf, every list item and every key."""
    for path, value in _nodes(document, ()):
        for what, changed in _changes(value):
            yield Forgery(what, path, _with(document, path, changed))


def resealed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its digest computed anew, as a forger would."""
    return {**document, DIGEST_FIELD: digest_of(document)}


def _nodes(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _nodes(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _nodes(inner, (*path, number))


def _changes(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int):
        yield from (("raised", value + 1), ("lowered", value - 1), ("as text", str(value)))
    elif isinstance(value, str):
        yield from _text_changes(value)
    elif value is None:
        yield "given", {}
    elif isinstance(value, dict):
        for key in value:
            yield f"without {key}", {name: one for name, one in value.items() if name != key}
        yield "with one key more", {**value, "note": "0"}
    else:
        yield from _list_changes(value)


def _text_changes(value: str) -> Iterator[tuple[str, Any]]:
    if value.lstrip("-").isdigit():
        yield from (("raised", str(int(value) + 1)), ("lowered", str(int(value) - 1)))
        yield from (("with a zero in front", f"0{value}"), ("as number", int(value)))
    else:
        yield from (
            ("longer", f"{value}X"),
            ("emptied", ""),
            ("in other letters", value.swapcase()),
        )
        yield from (("renamed", name) for name in _siblings(value))


def _siblings(name: str) -> Iterator[str]:
    """Other names of the same list, where the name is of one."""
    for names in NAMES:
        if name in names:
            yield from (other for other in names if other != name)


NAMES = (
    ("USDC", "BTC", "SOL"),
    ("STUCK_LENDER", "BORROWER_DEFAULT", "OPPOSITES"),
    ("OWED", "CASH", "IN_KIND", "FLAGGED", "LAST"),
    ("LEVERAGE", "PRO_RATA", "QUEUE", "LARGEST_LOAN", "RISK_WEIGHTED"),
    ("AVAILABLE", "REDEEMED", "CLAIM", "BORROWED"),
    ("BOOK", "BACKSTOP", "ADL", "DEFICIT"),
    ("IDENTITY", "INVERSE_SQUARE_ROOT"),
    ("NOTIONAL", "QUANTITY"),
    ("OPEN", "CLOSED", "REPAY_ONLY"),
    (
        "NO_LIQUIDITY_IN_BAND",
        "NO_REDEEMABLE_CASH",
        "NO_BACKSTOP_CAPACITY",
        "PRICE_GAP",
        "OVER_BOOK_LIMIT",
        "STALE_PRICE",
        "NO_COUNTERPARTY",
        "BELOW_LOT",
    ),
)


def _list_changes(value: list[Any]) -> Iterator[tuple[str, Any]]:
    for number in range(len(value)):
        yield f"without item {number}", value[:number] + value[number + 1 :]
        yield f"item {number} twice", value[: number + 1] + value[number:]
        if number and value[number] != value[number - 1]:
            swapped = list(value)
            swapped[number - 1 : number + 1] = [value[number], value[number - 1]]
            yield f"items {number - 1} and {number} swapped", swapped


def _with(node: Any, path: tuple[Step, ...], value: Any) -> Any:
    """The node with what is at `path` replaced; what lies beside the path is shared."""
    if not path:
        return value
    step, *rest = path
    changed = _with(node[step], tuple(rest), value)
    if isinstance(node, dict):
        return {**node, step: changed}
    return [changed if number == step else item for number, item in enumerate(node)]
