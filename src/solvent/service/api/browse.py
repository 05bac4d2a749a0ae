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
    parts = [
        _text(document["info"]["description"]),
        *_requests(document),
        "<h2>Objects</h2>",
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
        yield f"<h2>{escape(tag['name'])}</h2>"
        yield _text(tag["description"])
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if operation["tags"] == [tag["name"]]:
                    yield from _request(f"{method.upper()} {path}", operation)


def _request(title: str, operation: Json) -> Iterator[str]:
    yield f"<h3><code>{title}</code></h3>"
    yield f"<p>{_marked(operation['summary'])}. {_marked(operation['description'])}</p>"
    named = [each for each in operation["parameters"] if "name" in each]
    if named:
        required = [each["name"] for each in named if each["required"]]
        yield _table({each["name"]: {**each["schema"], **each} for each in named}, required)
    if "requestBody" in operation:
        yield f"<p>Body: {_content(operation['requestBody']['content'])}</p>"
    answer = operation["responses"]["200"].get("content")
    yield f"<p>Answer: {_content(answer) if answer else 'empty'}</p>"


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
            shown = json.dumps(schema["examples"][0], indent=1, ensure_ascii=False)
            yield f"<details><summary>Example</summary><pre>{escape(shown)}</pre></details>"


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
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid #8884; padding: .3rem .6rem .3rem 0; vertical-align: top }
h2 { border-top: 2px solid; margin-top: 3rem } h3 { margin: 2rem 0 .5rem }
</style>
<h1>Solvent API</h1>
<p>The document for tools is <a href="/openapi.json">/openapi.json</a>.</p>
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
