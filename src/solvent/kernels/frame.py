"""A frame: one kernel's function while it is being written.

It holds what statements, expressions, arithmetic and words have in common: the place that code is
written to, the variables, the line, and how to stop there.
"""

import ast
from types import FunctionType

from llvmlite import ir

from solvent.kernels.kinds import BOOL, INT, NUMBERS, Kind, Value
from solvent.kernels.runtime import Runtime, Site
from solvent.kernels.signatures import KernelError, refusal

Known = frozenset[str] | None
"""Names that are assigned whichever way a place is reached; None where it never is."""


def either(one: Known, other: Known) -> Known:
    """What is known where two ways meet."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


class Frame:
    """One kernel being written. `known` says what is assigned at the place that is written to."""

    def __init__(self, runtime: Runtime, kernel: FunctionType, function: ir.Function) -> None:
        self.runtime = runtime
        self.kernel = kernel
        self.function = function
        self.line = kernel.__code__.co_firstlineno
        self.known: Known = frozenset()
        self.variables: dict[str, tuple[Kind, ir.Value]] = {}
        self._entry = function.append_basic_block("entry")
        self._body = function.append_basic_block("body")
        self.builder = ir.IRBuilder(self._body)

    def close(self) -> None:
        """End the entry, in which variables have their places, once the body is written."""
        ir.IRBuilder(self._entry).branch(self._body)

    # what goes wrong

    def error(self, node: ast.AST, reason: str) -> KernelError:
        """What to raise for a construct that is not of the language."""
        return refusal(self.kernel, node, reason)

    def stop_if(self, wrong: ir.Value) -> None:
        """Leave the batch when `wrong` holds, naming this line."""
        with self.builder.if_then(wrong, likely=False):
            self.stop()

    def fail(self) -> None:
        """Leave the batch, naming this line."""
        self.stop()
        self.never()

    def stop(self) -> None:
        """Leave the batch, naming this line; the block ends here."""
        name = f"{self.kernel.__module__}.{self.kernel.__qualname__}"
        self.runtime.stop(self.builder, Site(name, self.line))

    # the way of execution

    def block(self, name: str) -> ir.Block:
        """A new block, to be written later."""
        return self.function.append_basic_block(name)

    def begin(self, block: ir.Block, known: Known) -> None:
        """Write to `block` from now on."""
        self.builder.position_at_end(block)
        self.known = known

    def never(self) -> None:
        """What is written next is never reached."""
        self.begin(self.block("never"), None)

    # variables

    def place(self, kind: Kind, name: str = "") -> ir.Value:
        """A place on the stack."""
        return ir.IRBuilder(self._entry).alloca(kind.type, name=name)

    def declare(self, name: str, kind: Kind) -> None:
        """Make a variable, which nothing is known of yet."""
        self.variables[name] = (kind, self.place(kind, name))

    def read(self, node: ast.Name) -> Value:
        """A variable's value."""
        if node.id not in self.variables:
            raise self.error(node, "unknown name, or read before it is assigned")
        if self.known is not None and node.id not in self.known:
            raise self.error(node, "may be read before it is assigned")
        kind, place = self.variables[node.id]
        return Value(kind, self.builder.load(place))

    def write(self, name: str, value: Value, node: ast.AST) -> None:
        """Give a variable its value; the first one gives it its kind."""
        if name not in self.variables:
            self.declare(name, value.kind)
        kind, place = self.variables[name]
        self.builder.store(self.convert(value, kind, node).ir, place)
        if self.known is not None:
            self.known |= {name}

    # kinds

    def convert(self, value: Value, kind: Kind, node: ast.AST) -> Value:
        """`value` as `kind`, where that loses nothing."""
        if value.kind is kind:
            return value
        if value.kind is BOOL and kind in NUMBERS:
            return Value(kind, self.builder.zext(value.ir, kind.type), 1)
        if kind in NUMBERS and 0 < value.kind.width < kind.width:
            return Value(kind, self.builder.sext(value.ir, kind.type), value.magnitude)
        raise self.error(node, f"a {value.kind.name} is no {kind.name}")

    def number(self, value: Value, node: ast.AST) -> Value:
        """`value` as a number to reckon with: a bool is 0 or 1."""
        if value.kind is BOOL:
            return self.convert(value, INT, node)
        if value.kind not in NUMBERS:
            raise self.error(node, f"a {value.kind.name} is no number")
        return value

    def alike(self, left: Value, right: Value, node: ast.AST) -> tuple[Value, Value]:
        """Two numbers with the wider one's width."""
        left, right = self.number(left, node), self.number(right, node)
        kind = max(left.kind, right.kind, key=NUMBERS.index)
        return self.convert(left, kind, node), self.convert(right, kind, node)
