"""The page of the Python API: every name that `solvent` exports, by trade, from its docstring."""

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import IntEnum

import solvent
from solvent.domain import (
    commands,
    decimals,
    events,
    labels,
    parameters,
    readings,
    rejections,
    waterfall_events,
)

HEAD = """\
# Python API

Everything that `from solvent import ...` gives, from its docstrings;
[embed the engine](../how-to/embed-the-engine.md) shows it at work. Quantities are atoms, prices
10^-10 USDC per whole token, values 10^-6 USDC, ratios 10^-9, times microseconds UTC
([units](../concepts/units-and-rounding.md)). A float is refused wherever it is handed in, by the
name of its field.
"""
ELSEWHERE = {
    "Commands": ("commands.md", (commands,)),
    "Events": ("events.md", (events, waterfall_events, labels)),
    "Rejections": ("rejections.md", (rejections,)),
}
"""Names that a page of their own explains, with the modules that they come from."""


def page() -> str:
    """What docs/reference/python-api.md should say."""
    text = HEAD
    text += _section("Engines", "", [*_class("Engine"), *_class("ReferenceEngine")])
    text += _section("Questions", "What `engine.queries` answers.", _class("Queries"))
    about = "What would hold, asked of a copy: [what-if](../concepts/what-if.md) and\n"
    about += "[forecasts](../concepts/forecasts.md)."
    text += _section("Looking ahead", about, [*_class("Outlook"), *_class("Forecaster")])
    text += _section("Decimal text", "", [*_functions(), *_class("Units")])
    about = "[Parameters](parameters.md) says what each field does and may be."
    text += _section("Parameters", about, _records(_of(parameters)))
    for title, (link, modules) in ELSEWHERE.items():
        names = ", ".join(f"`{name}`" for module in modules for name in _of(module))
        text += f"\n## {title}\n\nExplained in [{title.lower()}]({link}): {names}.\n"
    text += _section("Readings", "Answers to questions.", _records(_of(readings)))
    text += _section("Errors", "", _rows("error", _errors()))
    rest = ", ".join(f"`{name}`" for name in sorted(_numbers()))
    return text + f"\n## Numbers and types\n\n{rest}; `EngineFace` is what both engines are.\n"


def explained() -> set[str]:
    """Names that the page explains or says where they are explained."""
    modules = [parameters, decimals, readings, *(m for _, ms in ELSEWHERE.values() for m in ms)]
    names = {name for module in modules for name in _of(module)}
    return (
        names
        | _errors()
        | _numbers()
        | {"Engine", "ReferenceEngine", "Queries", "EngineFace", "Outlook", "Forecaster"}
    )


def _section(title: str, about: str, lines: list[str]) -> str:
    said = f"{about}\n\n" if about else ""
    return f"\n## {title}\n\n{said}" + "\n".join(lines).strip("\n") + "\n"


def _of(module: object) -> list[str]:
    """Exported classes and functions that a module defines, errors apart, in its order."""
    home = getattr(module, "__name__", "")
    return [
        name
        for name, thing in vars(module).items()
        if name in solvent.__all__ and getattr(thing, "__module__", "") == home
        if name not in _errors()
    ]


def _errors() -> set[str]:
    return {name for name in solvent.__all__ if _is_error(getattr(solvent, name))}


def _is_error(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, Exception)


def _numbers() -> set[str]:
    return {name for name in solvent.__all__ if isinstance(getattr(solvent, name), int)}


def _functions() -> list[str]:
    names = {name for name in _of(decimals) if inspect.isfunction(getattr(solvent, name))}
    return _rows("function", names, call=True)


def _records(names: list[str]) -> list[str]:
    rows = ["| record | fields | what it is |", "|---|---|---|"]
    for name in names:
        record = getattr(solvent, name)
        held = ", ".join(f"`{each}`" for each in _fields(record))
        rows.append(f"| `{name}` | {held} | {_said(record)} |")
    return rows


def _fields(record: type) -> Iterator[str]:
    if issubclass(record, IntEnum):
        yield from record.__members__
    elif is_dataclass(record):
        yield from (each.name for each in fields(record))
    else:
        yield from getattr(record, "_fields", ())


def _rows(kind: str, names: set[str], *, call: bool = False) -> list[str]:
    rows = [f"| {kind} | what it is |", "|---|---|"]
    for name in sorted(names):
        thing = getattr(solvent, name)
        rows.append(f"| `{name}{_signature(thing) if call else ''}` | {_said(thing)} |")
    return [*rows, ""]


def _class(name: str) -> list[str]:
    """A class with its public methods and properties, in the order of their definition."""
    kind = getattr(solvent, name)
    made = "" if inspect.isabstract(kind) else _signature(kind, takes_self=False)
    rows = [f"### `{name}{made}`", "", _paragraphs(kind), ""]
    rows += ["| member | what it does |", "|---|---|"]
    for member, thing in vars(kind).items():
        if member.startswith("_"):
            continue
        if isinstance(thing, classmethod):
            rows.append(f"| `{name}.{member}{_signature(thing.__func__)}` | {_said(thing)} |")
        elif isinstance(thing, property):
            rows.append(f"| `{member}` | {_said(thing)} |")
        elif inspect.isfunction(thing):
            rows.append(f"| `{member}{_signature(thing)}` | {_said(thing)} |")
    return [*rows, ""]


def _signature(thing: object, *, takes_self: bool | None = None) -> str:
    """The names of what it takes, without their types."""
    assert callable(thing)
    shown, starred = [], False
    for given, each in inspect.signature(thing).parameters.items():
        name = given
        if name in ("self", "cls") and takes_self is not False:
            continue
        if each.kind is each.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            starred = True
            name = ("*" if each.kind is each.VAR_POSITIONAL else "**") + name
        shown.append(name if each.default is each.empty else f"{name}={_default(each.default)}")
    return f"({', '.join(shown)})"


def _default(value: object) -> str:
    if isinstance(value, IntEnum):
        return f"{type(value).__name__}.{value.name}"
    return repr(value)


def _said(thing: object) -> str:
    return " ".join(_paragraphs(thing).split()).replace("|", "\\|")


def _paragraphs(thing: object) -> str:
    return inspect.getdoc(thing) or ""
