"""What expressions without variables stand for: constants, kernels, modules and classes."""

import ast
import builtins
import operator
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType, ModuleType

from solvent.kernels.rows import Row
from solvent.kernels.signatures import refusal, tree_of

_FOLDED: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
"""Operators on constants, which are reckoned by Python, without bounds."""


class Outside:
    """What one kernel sees of the world outside it, as it is when the kernel is compiled.

    `given` are the kernels that its function parameters stand for.
    """

    def __init__(self, kernel: FunctionType, given: dict[str, FunctionType]) -> None:
        self._kernel = kernel
        self._given = given
        self._inside = _assigned_names(tree_of(kernel))

    def meaning(self, node: ast.expr) -> object:
        """What a name from outside the kernel stands for; None for a variable."""
        if isinstance(node, ast.Name):
            if node.id in self._given:
                return self._given[node.id]
            if node.id in self._inside:
                return None
            found: object = self._kernel.__globals__.get(node.id)
            return getattr(builtins, node.id, None) if found is None else found
        if isinstance(node, ast.Attribute):
            base = self.meaning(node.value)
            if isinstance(base, type) and issubclass(base, Row) and node.attr != "WIDTH":
                return None
            if isinstance(base, ModuleType | type):
                return getattr(base, node.attr, None)
        return None

    def constant(self, node: ast.expr) -> int | None:
        """The number that an expression without variables stands for, or None."""
        match node:
            case ast.Constant(value=int() as number):
                return number
            case ast.Name() | ast.Attribute():
                found = self.meaning(node)
                return found if isinstance(found, int) else None
            case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
                inner = self.constant(operand)
                if inner is None:
                    return None
                return -inner if isinstance(node.op, ast.USub) else ~int(inner)
            case ast.BinOp():
                return self._folded(node)
        return None

    def _folded(self, node: ast.BinOp) -> int | None:
        left, right = self.constant(node.left), self.constant(node.right)
        fold = _FOLDED.get(type(node.op))
        if left is None or right is None or fold is None:
            return None
        with suppress(ArithmeticError, ValueError):
            number: object = fold(left, right)
            if isinstance(number, int):
                return number
        raise refusal(self._kernel, node, "no integer")


def _assigned_names(tree: ast.FunctionDef) -> set[str]:
    """Names that a kernel assigns or takes as parameters."""
    names = {argument.arg for argument in tree.args.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names
