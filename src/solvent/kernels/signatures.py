"""Signatures: what a kernel's head says, read from its source, and what is refused in it."""

import ast
import builtins
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import NamedTuple, TypeVar, cast, get_origin

from llvmlite import ir

from solvent.kernels import language
from solvent.kernels.kinds import (
    ANY,
    BOOL,
    FUNCTION,
    HUGE,
    INT,
    MEMORY,
    VOID,
    WIDE,
    Kind,
    rows_of,
    tuple_kind,
)
from solvent.kernels.rows import Memory, Row, Rows
from solvent.kernels.shapes import message_kind, root_kind, row_kind

_NAMED: dict[str, tuple[object, Kind]] = {
    "int": (int, INT),
    "Wide": (language.Wide, WIDE),
    "Huge": (language.Huge, HUGE),
    "bool": (bool, BOOL),
    "Memory": (Memory, MEMORY),
}
"""Types by the name that annotations use, and what the name must stand for."""


class KernelError(SyntaxError):
    """A kernel says something that the language has no word for."""


class Signature(NamedTuple):
    """Parameters' names and kinds, and the result's."""

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    result: Kind


def refusal(kernel: Callable[..., object], node: ast.AST | None, reason: str) -> KernelError:
    """What to raise for a construct of a kernel: file, function, line and construct."""
    name = getattr(kernel, "__qualname__", repr(kernel))
    code = getattr(kernel, "__code__", None)
    line = getattr(node, "lineno", code and code.co_firstlineno)
    message = f"{getattr(kernel, '__module__', None)}.{name}: {reason}"
    construct = ast.unparse(node) if node is not None else None
    if construct:
        message += f": {construct}"
    return KernelError(message, (code and code.co_filename, line, None, construct))


class _Source(NamedTuple):
    """One file: its tree, and the code that Python makes of its functions."""

    tree: ast.Module
    codes: frozenset[CodeType]


@cache
def _source(text: bytes) -> _Source:
    tree = ast.parse(text)
    codes, waiting = set(), [compile(text, "<kernels>", "exec", dont_inherit=True)]
    while waiting:
        inner = {part for part in waiting.pop().co_consts if isinstance(part, CodeType)}
        codes |= inner
        waiting += inner
    return _Source(tree, frozenset(codes))


def is_kernel(function: FunctionType) -> bool:
    """Whether a function is marked as a kernel."""
    return getattr(function, "__kernel__", False) is True


@cache
def tree_of(kernel: FunctionType) -> ast.FunctionDef:
    """The syntax tree of a kernel, which must be what it was made from when it was imported."""
    if not is_kernel(kernel):
        raise refusal(kernel, None, "is no kernel")
    code = kernel.__code__
    try:
        source = _source(Path(code.co_filename).read_bytes())
    except (OSError, SyntaxError):
        raise refusal(kernel, None, "has no source") from None
    for tree in ast.walk(source.tree):
        if isinstance(tree, ast.FunctionDef) and tree.decorator_list:
            place = tree.name, tree.decorator_list[0].lineno
            if place == (code.co_name, code.co_firstlineno) and code in source.codes:
                _check_head(kernel, tree)
                return tree
    raise refusal(kernel, None, "is no plain function, or its source has changed since")


def _check_head(kernel: FunctionType, tree: ast.FunctionDef) -> None:
    given = tree.args
    unusual = (given.posonlyargs, given.vararg, given.kwonlyargs, given.kwarg, given.defaults)
    if any(unusual):
        raise refusal(kernel, given, "has other than plain parameters")
    if kernel.__closure__:
        raise refusal(
            kernel, None, f"sees variables around it ({', '.join(kernel.__code__.co_freevars)})"
        )
    if inspect.isgeneratorfunction(kernel):
        raise refusal(kernel, None, "yields")


@cache
def signature_of(kernel: FunctionType) -> Signature:
    """A kernel's parameters and result."""
    tree = tree_of(kernel)
    kinds = []
    for argument in tree.args.args:
        kind = kind_of(argument.annotation, kernel.__globals__)
        if kind is None or kind is VOID:
            raise refusal(kernel, argument, "no parameter has this type")
        kinds.append(kind)
    result = kind_of(tree.returns, kernel.__globals__)
    if result is None or result in (FUNCTION, ANY) or result.frozen:
        raise refusal(kernel, tree.returns, "no result has this type")
    return Signature(tuple(argument.arg for argument in tree.args.args), tuple(kinds), result)


def kind_of(annotation: ast.expr | None, names: Mapping[str, object]) -> Kind | None:
    """The kind that an annotation names in a module; None for one that is not of the language."""
    match annotation:
        case ast.Constant(value=None):
            return VOID
        case ast.Name() | ast.Attribute():
            return _named_kind(annotation, names)
        case ast.Subscript(value=ast.Name(id="tuple"), slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            kinds = [_value_kind(part, names) for part in parts]
            known = tuple(kind for kind in kinds if kind is not None)
            return tuple_kind(known) if len(known) == len(kinds) else None
        case ast.Subscript(value=ast.Name() as outer, slice=ast.Name() | ast.Attribute() as inner):
            meaning, of = _meaning(outer, names), _meaning(inner, names)
            if meaning is Rows and isinstance(of, type) and issubclass(of, Row):
                return rows_of(row_kind(of))
            return FUNCTION if get_origin(meaning) is Callable else None
    return None


def _meaning(node: ast.expr, names: Mapping[str, object]) -> object:
    """What a name, or a name in a module, stands for."""
    if isinstance(node, ast.Attribute):
        module = _meaning(node.value, names)
        return getattr(module, node.attr, None) if isinstance(module, ModuleType) else None
    return (
        names.get(node.id, getattr(builtins, node.id, None)) if isinstance(node, ast.Name) else None
    )


def _value_kind(annotation: ast.expr, names: Mapping[str, object]) -> Kind | None:
    """The kind that an annotation names if there are values of it."""
    kind = kind_of(annotation, names)
    return None if kind in (VOID, FUNCTION, ANY) else kind


def _named_kind(node: ast.expr, names: Mapping[str, object]) -> Kind | None:
    meaning = _meaning(node, names)
    if isinstance(node, ast.Name) and node.id in _NAMED:
        expected, kind = _NAMED[node.id]
        return kind if meaning is expected else None
    if isinstance(meaning, type):
        return class_kind(meaning)
    if isinstance(meaning, TypeVar):
        return ANY
    return FUNCTION if get_origin(meaning) is Callable else None


def class_kind(named: type) -> Kind | None:
    """The kind of a class of the language; None for any other."""
    if issubclass(named, tuple):
        return record_kind(named)
    if issubclass(named, Row):
        return row_kind(named)
    if issubclass(named, language.Root):
        return root_kind(cast("type", named))
    if issubclass(named, IntEnum):
        return INT
    return message_kind(named) if is_dataclass(named) else None


@cache
def record_kind(named: type) -> Kind | None:
    """The kind of a NamedTuple class; None for a class that is none or holds other things."""
    names = getattr(named, "_fields", None)
    module = sys.modules[named.__module__]
    path = Path(getattr(module, "__file__", None) or "")
    if names is None or not path.is_file():
        return None
    fields = []
    for statement in _source(path.read_bytes()).tree.body:
        if isinstance(statement, ast.ClassDef) and statement.name == named.__qualname__:
            fields = [
                (part.target.id, _value_kind(part.annotation, vars(module)))
                for part in statement.body
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            ]
    known = [(name, kind) for name, kind in fields if kind is not None]
    if tuple(name for name, _ in known) != names:
        return None
    struct = ir.LiteralStructType([kind.type for _, kind in known])
    return Kind(named.__name__, struct, 0, known)
