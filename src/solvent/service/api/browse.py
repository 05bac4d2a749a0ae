"""The page to browse the API: the OpenAPI document as plain HTML, without a script."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from solvent.service.console.bundle import HOW_TO_BUILD
from solvent.service.core.node import Node

Json = dict[str, Any]


def page(document: Json) -> str:
    """The document as a page: what is signed, every request, and every object with its fields."""
    tags = "".join(
        f'<a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a>' for tag in document["tags"]
    )
    parts = [
        f'<nav aria-label="Parts">{tags}<a href="#objects">Objects</a></nav>',
        _text(document["info"]["description"]),
        *_requests(document),
        '<h2 id="objects">Objects</h2>',
        *_objects(document["components"]["schemas"]),
    ]
    return _PAGE.replace("PARTS", "\n".join(parts))


def _text(said: str) -> str:
    """Sentences in Markdown of which only paragraphs, tables and code are used."""
    return "\n".join(map(_block, said.strip().split("\n\n")))


def _block(said: str) -> str:
    if not said.startswith("|"):
        return f"<p>{_marked(said)}</p>"
    head, _, *rows = [line.strip("|").split("|") for line in said.splitlines()]
    shown = ["".join(f"<td>{_marked(cell.strip())}</td>" for cell in row) for row in (head, *rows)]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in shown)}</table>"


def _marked(said: str) -> str:
    pieces = escape(said, quote=False).split("`")
    return "".join(
        f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces)
    )


def _requests(document: Json) -> Iterator[str]:
    for tag in document["tags"]:
        yield f'<h2 id="{_anchor(tag["name"])}">{escape(tag["name"])}</h2>'
        yield _text(tag["description"])
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if operation["tags"] == [tag["name"]]:
                    yield from _request(f"{method.upper()} {path}", operation)


def _request(title: str, operation: Json) -> Iterator[str]:
    method, _, path = title.partition(" ")
    tried = f' <a class="try" href="/ask?path={path}">try it</a>' if method == "GET" else ""
    yield f'<h3 id="{operation["operationId"]}"><code>{title}</code>{tried}</h3>'
    yield f"<p>{_marked(operation['summary'])}. {_marked(operation['description'])}</p>"
    named = [each for each in operation["parameters"] if "name" in each]
    if named:
        required = [each["name"] for each in named if each["required"]]
        yield _table({each["name"]: {**each["schema"], **each} for each in named}, required)
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]
        yield f"<p>Body: {_content(body)}</p>"
        yield from _example(body)
    answer = operation["responses"]["200"].get("content")
    yield f"<p>Answer: {_content(answer) if answer else 'empty'}</p>"
    if answer:
        yield from _example(answer)


def _example(content: Json) -> Iterator[str]:
    """What it looks like, where the document shows that."""
    ((_, shown),) = content.items()
    if "example" in shown:
        yield _folded(shown["example"])


def _folded(value: Any) -> str:
    shown = json.dumps(value, indent=1, ensure_ascii=False)
    return f"<details><summary>Example</summary><pre>{escape(shown)}</pre></details>"


def _anchor(name: str) -> str:
    """A name as the end of an address."""
    return "part-" + "".join(sign if sign.isalnum() else "-" for sign in name.lower())


def _content(content: Json) -> str:
    ((media, shown),) = content.items()
    kind = _kind(shown["schema"])
    return kind if media == "application/json" else f"{kind}, {escape(media)}"


def _objects(schemas: Json) -> Iterator[str]:
    for name, schema in schemas.items():
        yield f'<h3 id="{name}">{name}</h3>'
        yield _text(schema["description"])
        if "enum" in schema:
            yield "<p>" + " ".join(f"<code>{value}</code>" for value in schema["enum"]) + "</p>"
        else:
            yield _table(schema["properties"], schema.get("required", ()))
            yield _folded(schema["examples"][0])


def _table(fields: Json, required: Any) -> str:
    rows = [
        f"<tr><td><code>{name}</code></td><td>{_kind(field)}</td>"
        f"<td>{'' if name in required else 'may be left out'}</td>"
        f"<td>{_marked(field['description'])}</td></tr>"
        for name, field in fields.items()
    ]
    return f"<table>{''.join(rows)}</table>"


def _kind(schema: Json) -> str:
    """A schema's name, with a link where it is an object's."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "prefixItems" in schema:
        return f"[{', '.join(map(_kind, schema['prefixItems']))}]"
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if "enum" in schema:
        return " or ".join(f"<code>{value}</code>" for value in schema["enum"])
    if schema["type"] == "object" and "additionalProperties" in schema:
        values = schema["additionalProperties"]
        return f"object of {_kind(values)}" if isinstance(values, dict) and values else "object"
    return str(schema.get("format", schema["type"]))


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Solvent API</title>
<style>
:root { color-scheme: dark light; --ground: #0c1016; --panel: #121821; --edge: #232d3a;
 --ink: #d9e0ea; --mute: #8b98a9; --link: #6fb1f0 }
@media (prefers-color-scheme: light) { :root { --ground: #f2f4f7; --panel: #fff;
 --edge: #dbe1e8; --ink: #17202b; --mute: #566375; --link: #1763a6 } }
body { font: 14px/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif; margin: 1.5rem auto;
 max-width: 64rem; padding: 0 1rem; background: var(--ground); color: var(--ink) }
a { color: var(--link) } a:focus-visible, summary:focus-visible, pre:focus-visible {
 outline: 2px solid; outline-offset: 2px }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; padding: .6rem .8rem;
 background: var(--panel); border: 1px solid var(--edge) }
table { border-collapse: collapse; width: 100%; background: var(--panel) }
td { border: 1px solid var(--edge); padding: .3rem .6rem; vertical-align: top;
 overflow-wrap: anywhere }
td:nth-child(3) { color: var(--mute) }
h2 { border-bottom: 1px solid var(--edge); margin-top: 3rem } h3 { margin: 2rem 0 .5rem }
h3, p, code, a { overflow-wrap: anywhere }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .92em }
pre { overflow-x: auto; padding: .6rem .8rem; background: var(--panel);
 border: 1px solid var(--edge) }
summary { cursor: pointer; color: var(--mute) } .try { font-size: .8rem; font-weight: 400 }
</style>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>Solvent API</h1>
<p>The document for tools is <a href="/openapi.json">/openapi.json</a>. Requests that only read
can be tried from the <a href="/ask">console</a>, signed with the key that it holds; in a demo one
click there makes a key.</p>
PARTS
</html>
"""


def front_page(node: Node) -> str:
    """What is served, how it is, and where to go on; the page where there is no console."""
    market, histories = node.market, "follow" if node.views_writer.follows else "are behind"
    symbols = ", ".join(asset.symbol for asset in market.parameters.assets)
    rows = "".join(
        f'<li><a href="{path}"><code>{path}</code></a> {said}</li>' for path, said in _PLACES
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Solvent</title>'
        f"<h1>A Solvent market of {escape(symbols)}</h1>"
        f"<p>It is {'served' if node.is_ready else 'not served'}; histories {histories}. "
        f"Its identity is <code>{market.identity}</code>. "
        "Streams are at this address too, as WebSocket.</p>"
        f"<ul>{rows}</ul>"
        "<p>The console, a page to trade and to watch with, is not built here: "
        f"{_marked(HOW_TO_BUILD)}, in the folder of the sources; then start the service again. "
        "A wheel has it.</p>"
        "<p>Requests that are not public are signed: <code>solvent keygen</code> makes a key, "
        "<code>solvent call</code> signs and sends, and /docs says for each request what its "
        "signature is made of. Never use a key here that a real exchange knows: what is signed in "
        "the published form does not say for which market.</p></html>"
    )


_PLACES = (
    ("/docs", "every request, answer and stream"),
    ("/openapi.json", "the same as OpenAPI 3.1"),
    ("/api/v1/markets", "markets"),
    ("/api/v1/tickers", "prices of the last day"),
    ("/solvent/v1/solvency", "every pool's claims against what stands behind them"),
    ("/solvent/v1/ready", "whether requests are carried out"),
    ("/solvent/v1/metrics", "figures for Prometheus"),
)
