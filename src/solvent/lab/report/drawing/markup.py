"""Markup that cannot be broken by its content: text is escaped unless it is markup already.

`tag("td", "<b>")` is `<td>&lt;b&gt;</td>`; only what `tag` itself returned passes through as it is.
The result is HTML and well-formed XML at once, so that a test can parse it strictly.

Deliberately absent: named entities, script, and any address outside the page.
"""

import html
from collections.abc import Collection, Iterable, Sequence

VOID = frozenset({"br", "col", "meta"})


class Markup(str):
    """Text that is markup: already escaped, made by this module."""

    __slots__ = ()


def escaped(content: str) -> Markup:
    """`content` as markup: escaped, unless it is markup already."""
    return content if isinstance(content, Markup) else Markup(html.escape(_printable(content)))


def _printable(text: str) -> str:
    """Without the control characters that no XML document may hold."""
    return "".join(char if char >= " " or char in "\n\t" else "\ufffd" for char in text)


def tag(name: str, *content: str, **attributes: str | int | float | None) -> Markup:
    """Element `name`; attributes that are None are left out, and `class_` is written `class`.

    Underscores in an attribute's name become hyphens: `aria_label` is `aria-label`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_printable(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(content)}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """All parts one after the other, each escaped unless it is markup."""
    return Markup("".join(escaped(part) for part in parts))


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    text_columns: int = 1,
    filters: Collection[int] = (),
) -> Markup:
    """A table that scrolls sideways by itself; all but the first `text_columns` are numbers.

    The first cell of a row is its header. A table without rows says so. The columns of `filters`
    are those by which the page's script offers to filter.
    """

    def cell(kind: str, column: int, content: str, scope: str | None = None) -> Markup:
        shape = None if column < text_columns else "number"
        if scope == "col" and column in filters:
            shape = "filter"
        return tag(kind, content, class_=shape, scope=scope)

    header = tag("tr", *(cell("th", at, title, "col") for at, title in enumerate(head)))
    body = [
        tag(
            "tr",
            *(
                cell("th" if at == 0 else "td", at, content, "row" if at == 0 else None)
                for at, content in enumerate(row)
            ),
        )
        for row in rows
    ]
    if not body:
        body = [tag("tr", tag("td", "None in this run.", colspan=len(head), class_="none"))]
    return tag(
        "div",
        tag("table", tag("caption", caption), tag("thead", header), tag("tbody", *body)),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """A list of terms and what holds for each."""
    return tag("dl", *(tag("div", tag("dt", term), tag("dd", said)) for term, said in pairs))
