"""Where in a TOML file a field stands, for errors: by its dotted name, `groups[1].cushion`.

`tomllib` tells values and no lines, so the headers and keys of the text are read once more here,
when there is an error to be told. A field that is missing, or that stands within a value, is found
at what holds it.
"""

import re
from collections import Counter
from pathlib import Path

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"-]+)\s*\]\]?\s*(#.*)?")
_KEY = re.compile(r"\s*([\w.\"-]+)\s*=")


def line_of(file: str, field: str) -> int | None:
    """The line of `field`, or of the nearest table above it; None where the file has neither."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    lines = _lines(text)
    while field and field not in lines:
        cut = max(field.rfind("."), field.rfind("["))
        field = field[:cut] if cut > 0 else ""
    return lines.get(field)


def _lines(text: str) -> dict[str, int]:
    """The line of every header and key by its dotted name; lists of tables are counted from 0."""
    lines: dict[str, int] = {}
    tables: Counter[str] = Counter()
    prefix = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            prefix = _resolved(header[2].replace('"', ""), tables)
            if header[1] == "[[":
                prefix, base = f"{prefix}[{tables[prefix]}]", prefix
                tables[base] += 1
                lines.setdefault(base, number)
            lines.setdefault(prefix, number)
        elif key := _KEY.match(line):
            name = key[1].replace('"', "")
            lines.setdefault(f"{prefix}.{name}" if prefix else name, number)
    return lines


def _resolved(name: str, tables: Counter[str]) -> str:
    """A header's name with the number of each list of tables that it lies in: the last begun."""
    path = ""
    parts = name.split(".")
    for place, part in enumerate(parts):
        path = f"{path}.{part}" if path else part
        if place < len(parts) - 1 and tables[path]:
            path = f"{path}[{tables[path] - 1}]"
    return path
