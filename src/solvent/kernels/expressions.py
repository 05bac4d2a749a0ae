"""Expressions of the kernel language as LLVM code, evaluated in the order in which Python does."""

import ast
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial
from itertools import zip_longest
from types import FunctionType
from typing import Any, NamedTuple

from llvmlite import ir

from solvent.kernels import language
from solvent.kernels.arithmetic import Arithmetic
from solvent.kernels.constants import Outside
from solvent.kernels.frame import Frame
from solvent.kernels.kinds import (
    ANY,
    BOOL,
    FUNCTION,
    INT,
    MEMORY,
    NUMBERS,
    VOID,
    Kind,
    Value,
    tuple_kind,
)
from solvent.kernels.messages import Handler, Handlers
from solvent.kernels.rows import field_names
from solvent.kernels.signatures import class_kind, is_kernel, record_kind, signature_of
from solvent.kernels.vocabulary import A_CLASS, AN_EVENT, VOCABULARY, Word, say


class Specialisation(NamedTuple):
    """A kernel, the kernels given for its function parameters, and the kinds of those of any."""

    kernel: FunctionType
    given: tuple[FunctionType, ...] = ()
    kinds: tuple[Kind, ...] = ()

    @property
    def parameters(self) -> list[Kind]:
        """Kinds of all parameters."""
        left = iter(self.kinds)
        kinds = signature_of(self.kernel).kinds
        return [next(left) if kind is ANY else kind for kind in kinds]


FunctionOf = Callable[[Specialisation], ir.Function]
Place = tuple[ir.Value, Kind]
"""The address of what is in memory, and its kind."""

_EXTREMES: dict[str, object] = {"min": min, "max": max, "abs": abs}
_ORDERS = {"Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!="}


class Expressions:
    """Expressions of one kernel. `given` are the kernels that its function parameters stand for."""

    def __init__(
        self,
        frame: Frame,
        arithmetic: Arithmetic,
        function_of: FunctionOf,
        given: dict[str, FunctionType],
    ) -> None:
        self.frame = frame
        self._arithmetic = arithmetic
        self._function_of = function_of
        self.outside = Outside(frame.kernel, given)

    @property
    def _builder(self) -> ir.IRBuilder:
        return self.frame.builder

    def value(self, node: ast.expr, wanted: Kind | None = None) -> Value:
        """The value of an expression; `wanted` is the kind that a tuple should have."""
        number = self.outside.constant(node)
        if number is not None:
            return self._number(number, node)
        if isinstance(node, ast.Tuple):
            return self._tuple(node, wanted)
        if isinstance(node, ast.IfExp):
            return self._if_expression(node, wanted)
        form = _FORMS.get(type(node))
        if form is None:
            raise self.frame.error(node, "no expression of the language")
        return form(self, node)

    def as_kind(self, node: ast.expr, kind: Kind) -> ir.Value:
        """An expression's value as a kind that it must fit."""
        return self.frame.convert(self.value(node, kind), kind, node).ir

    # numbers and names

    def _number(self, number: int, node: ast.AST) -> Value:
        if isinstance(number, bool):
            return Value(BOOL, BOOL.constant(int(number)))
        for kind in NUMBERS:
            if -(1 << (kind.width - 1)) <= number < 1 << (kind.width - 1):
                bits = max(1, abs(number).bit_length())
                return Value(kind, kind.constant(int(number)), bits)
        raise self.frame.error(node, "too large a number")

    def _name(self, node: ast.Name) -> Value:
        return self.frame.read(node)

    def _attribute(self, node: ast.Attribute) -> Value:
        base = self.value(node.value)
        for number, (name, kind) in enumerate(base.kind.fields):
            if name == node.attr:
                return Value(kind, self._builder.extract_value(base.ir, number))
        return self.load(self._named_place(base, node))

    # what is in memory

    def place(self, node: ast.Subscript | ast.Attribute) -> Place:
        """Where something that is assigned is."""
        if isinstance(node, ast.Attribute):
            base = self.value(node.value)
            if base.kind.frozen or base.kind.root is not None:
                raise self.frame.error(node, f"a {base.kind.name} is only read")
            place = self._named_place(base, node)
        else:
            place = self._indexed_place(node)
        if place[1] not in (INT, BOOL):
            raise self.frame.error(node, "only a number of a row is assigned")
        return place

    def _named_place(self, base: Value, node: ast.Attribute) -> Place:
        field = base.kind.places.get(node.attr)
        if field is None:
            raise self.frame.error(node, f"a {base.kind.name} has no {node.attr}")
        address = self._builder.gep(base.ir, [INT.constant(field.place)])
        if base.kind.root is not None:
            address = self._builder.inttoptr(self._builder.load(address), MEMORY.type)
        return address, field.kind

    def _indexed_place(self, node: ast.Subscript) -> Place:
        row = self.value(node.value)
        if row.kind.element is None:
            raise self.frame.error(node, "only a Memory and Rows have places")
        return self._further(row, node.slice), row.kind.element

    def _further(self, row: Value, index: ast.expr) -> ir.Value:
        """The address so many numbers or rows on."""
        number = self.as_kind(index, INT)
        words = row.kind.element.words if row.kind.element else 1
        if words != 1:
            number = self._builder.mul(number, INT.constant(words))
        return self._builder.gep(row.ir, [number])

    def load(self, place: Place) -> Value:
        """What is at a place: a number, or what lies in memory there."""
        address, kind = place
        if kind is INT:
            return Value(INT, self._builder.load(address))
        if kind is BOOL:
            number = self._builder.load(address)
            return Value(BOOL, self._builder.icmp_signed("!=", number, INT.constant(0)), 1)
        return Value(kind, address)

    def store(self, place: Place, value: Value, node: ast.AST) -> None:
        """Write a number, or a truth value, to its place."""
        address, kind = place
        number = self.frame.convert(self.frame.convert(value, kind, node), INT, node)
        self._builder.store(number.ir, address)

    def _element(self, node: ast.Subscript) -> Value:
        return self.load(self._indexed_place(node))

    def _rest_of_row(self, node: ast.Call, function: ast.Attribute) -> Value:
        row = self.value(function.value)
        if row.kind.element is None or len(node.args) != 1 or node.keywords:
            raise self.frame.error(node, "only a Memory and Rows have .at(place)")
        return Value(row.kind, self._further(row, node.args[0]))

    # tuples

    def _tuple(self, node: ast.Tuple, wanted: Kind | None) -> Value:
        kinds = wanted.elements if wanted and len(wanted.elements) == len(node.elts) else ()
        values = [self.value(part, kind) for part, kind in zip_longest(node.elts, kinds)]
        return self._record(tuple_kind(kinds or tuple(v.kind for v in values)), values, node)

    def _record(self, kind: Kind, values: list[Value], node: ast.AST) -> Value:
        record: ir.Value = ir.Constant(kind.type, ir.Undefined)
        for number, (value, (_, field)) in enumerate(zip(values, kind.fields, strict=True)):
            if field is VOID:
                raise self.frame.error(node, "a call without a result has no value")
            made = self.frame.convert(value, field, node).ir
            record = self._builder.insert_value(record, made, number)
        return Value(kind, record)

    # operators

    def operate(self, node: ast.BinOp | ast.AugAssign, left: Value, right: Value) -> Value:
        """The value of a binary operator."""
        return self._arithmetic.operate(self.frame, type(node.op).__name__, left, right, node)

    def _binary(self, node: ast.BinOp) -> Value:
        return self.operate(node, self.value(node.left), self.value(node.right))

    def _unary(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(BOOL, self._builder.not_(self.truth(node.operand)))
        number = self.frame.number(self.value(node.operand), node)
        if isinstance(node.op, ast.USub):
            return self._negative(number, node)
        if not isinstance(node.op, ast.Invert) or number.kind is not INT:
            raise self.frame.error(node, "no operator of the language")
        return Value(INT, self._builder.not_(number.ir))

    def _negative(self, number: Value, node: ast.AST) -> Value:
        zero = Value(number.kind, number.kind.constant(0), 0)
        return self._arithmetic.operate(self.frame, "Sub", zero, number, node)

    def _extreme(self, name: str, node: ast.Call) -> Value:
        """min, max and abs."""
        values = [self.frame.number(value, node) for value in self._plain_arguments(node)]
        if len(values) != 1 if name == "abs" else len(values) < 2:  # noqa: PLR2004 as named
            raise self.frame.error(node, "min and max take numbers, abs takes one")
        if name == "abs":
            values.append(self._negative(values[0], node))
        best = values[0]
        for value in values[1:]:
            one, other = self.frame.alike(best, value, node)
            sign = "<" if name == "min" else ">"
            better = self._builder.icmp_signed(sign, other.ir, one.ir)
            bits = max(one.magnitude, other.magnitude)
            best = Value(one.kind, self._builder.select(better, other.ir, one.ir), bits)
        return best

    # truth

    def truth(self, node: ast.expr) -> ir.Value:
        """Whether an expression is true; a number is where it is not zero."""
        if isinstance(node, ast.BoolOp):
            return self._either(node)
        return self._is_true(self.value(node), node)

    def _is_true(self, value: Value, node: ast.expr) -> ir.Value:
        if value.kind is BOOL:
            return value.ir
        number = self.frame.number(value, node)
        return self._builder.icmp_signed("!=", number.ir, number.kind.constant(0))

    def _connective(self, node: ast.BoolOp) -> Value:
        """The value of the operand that decides, as in Python; all have the first one's kind."""
        end = self.frame.block("decided")
        kind = VOID
        ways = []
        for part in node.values:
            value = self.value(part)
            kind = value.kind if kind is VOID else kind
            if kind is not BOOL and kind not in NUMBERS:
                raise self.frame.error(node, f"a {kind.name} is neither true nor a number")
            value = self.frame.convert(value, kind, node)
            ways.append((value.ir, self._builder.block))
            if part is node.values[-1]:
                self._builder.branch(end)
                continue
            further = self.frame.block("further")
            ends, goes = (end, further) if isinstance(node.op, ast.Or) else (further, end)
            self._builder.cbranch(self._is_true(value, part), ends, goes)
            self._builder.position_at_end(further)
        return Value(kind, self._join(kind, end, ways))

    def _either(self, node: ast.BoolOp) -> ir.Value:
        """The truth alone of what `and` or `or` joins."""
        parts = [partial(self.truth, part) for part in node.values]
        return self._until(isinstance(node.op, ast.Or), parts)

    def _until(self, decided: bool, parts: Sequence[Callable[[], ir.Value]]) -> ir.Value:
        """`decided` as soon as one part gives it; the later ones are then not evaluated."""
        if len(parts) == 1:
            return parts[0]()
        end = self.frame.block("decided")
        ways = []
        for part in parts[:-1]:
            value = part()
            ways.append((BOOL.constant(int(decided)), self._builder.block))
            further = self.frame.block("further")
            self._builder.cbranch(value, *((end, further) if decided else (further, end)))
            self._builder.position_at_end(further)
        ways.append((parts[-1](), self._builder.block))
        self._builder.branch(end)
        return self._join(BOOL, end, ways)

    def _join(self, kind: Kind, end: ir.Block, ways: list[tuple[ir.Value, ir.Block]]) -> ir.Value:
        self._builder.position_at_end(end)
        joined = self._builder.phi(kind.type)
        for value, block in ways:
            joined.add_incoming(value, block)
        return joined

    def _comparison(self, node: ast.Compare) -> Value:
        last = self.value(node.left)

        def one(sign: ast.cmpop, comparator: ast.expr) -> ir.Value:
            nonlocal last
            before, last = last, self.value(comparator)
            if type(sign).__name__ not in _ORDERS:
                raise self.frame.error(node, "no comparison of the language")
            left, right = self.frame.alike(before, last, node)
            return self._builder.icmp_signed(_ORDERS[type(sign).__name__], left.ir, right.ir)

        pairs = zip(node.ops, node.comparators, strict=True)
        return Value(BOOL, self._until(False, [partial(one, *pair) for pair in pairs]))

    def _if_expression(self, node: ast.IfExp, wanted: Kind | None) -> Value:
        blocks = [self.frame.block(name) for name in ("if", "or", "either")]
        self._builder.cbranch(self.truth(node.test), *blocks[:2])
        values, ends = [], []
        for block, part in zip(blocks, (node.body, node.orelse), strict=False):
            self._builder.position_at_end(block)
            values.append(self.value(part, wanted))
            ends.append(self._builder.block)
        kind = max((value.kind for value in values), key=lambda kind: kind.width)
        if kind is VOID:
            raise self.frame.error(node, "a call without a result has no value")
        ways = []
        for end, value in zip(ends, values, strict=True):
            self._builder.position_at_end(end)
            ways.append((self.frame.convert(value, kind, node).ir, end))
            self._builder.branch(blocks[2])
        return Value(kind, self._join(kind, blocks[2], ways))

    # calls

    def _call(self, node: ast.Call) -> Value:
        function = node.func
        found = self.outside.meaning(function)
        if found is None and isinstance(function, ast.Attribute):
            if function.attr == "at":
                return self._rest_of_row(node, function)
            handlers = self.outside.meaning(function.value)
            if function.attr == "call" and isinstance(handlers, Handlers):
                return self._call_handler(handlers, node)
        for name, extreme in _EXTREMES.items():
            if found is extreme:
                return self._extreme(name, node)
        if isinstance(found, type):
            return self._call_class(found, node)
        if isinstance(found, FunctionType):
            if found.__module__ == language.__name__ and found.__name__ in VOCABULARY:
                return self._word(VOCABULARY[found.__name__], node)
            if is_kernel(found):
                return self._call_kernel(found, node)
        raise self.frame.error(node, "a kernel calls kernels and words of the language only")

    def _word(self, word: Word, node: ast.Call) -> Value:
        if node.keywords or len(node.args) != len(word.kinds):
            raise self.frame.error(node, f"takes {len(word.kinds)} arguments, without names")
        given: list[Value | Kind] = []
        for part, kind in zip(node.args, word.kinds, strict=True):
            if kind is A_CLASS:
                named = self.outside.meaning(part)
                found = class_kind(named) if isinstance(named, type) else None
                if found is None or not found.is_memory:
                    raise self.frame.error(part, "no class of rows or messages")
                given.append(found)
            elif kind is AN_EVENT:
                given += self._event(part, given[0])
            else:
                given.append(self.value(part))
        return say(self.frame, word, given, node)

    def _event(self, node: ast.expr, root: Value | Kind) -> list[Value | Kind]:
        """An event's number and its fields, in order; they are evaluated as written."""
        named = self.outside.meaning(node.func) if isinstance(node, ast.Call) else None
        kinds = root.kind.events if isinstance(root, Value) else ()
        if not isinstance(node, ast.Call) or named not in kinds or not isinstance(named, type):
            raise self.frame.error(node, "no event of the engine")
        names = field_names(named)
        bound = self._bound(names, node)
        found = {number: Value(INT, self.as_kind(part, INT)) for number, part in bound}
        number = Value(INT, INT.constant(kinds.index(named)))
        return [number, *(found[place] for place in sorted(found))]

    def _plain_arguments(self, node: ast.Call) -> list[Value]:
        if node.keywords:
            raise self.frame.error(node, "words of the language take no keywords")
        return [self.value(argument) for argument in node.args]

    def _one_argument(self, node: ast.Call) -> ast.expr:
        if node.keywords or len(node.args) != 1:
            raise self.frame.error(node, "takes one number")
        return node.args[0]

    def _bound(self, names: Sequence[str], node: ast.Call) -> list[tuple[int, ast.expr]]:
        """Arguments in the order in which they are written, with their parameters' numbers."""
        bound = list(enumerate(node.args))
        for keyword in node.keywords:
            if keyword.arg not in names:
                raise self.frame.error(node, f"takes {', '.join(names)}")
            bound.append((names.index(keyword.arg), keyword.value))
        if sorted(number for number, _ in bound) != list(range(len(names))):
            raise self.frame.error(node, f"takes {', '.join(names)}")
        return bound

    def _call_class(self, named: type, node: ast.Call) -> Value:
        if issubclass(named, IntEnum):
            return Value(INT, self.as_kind(self._one_argument(node), INT))
        kind = record_kind(named) if issubclass(named, tuple) else None
        if kind is None:
            raise self.frame.error(node, "no class of the language")
        bound = self._bound([name for name, _ in kind.fields], node)
        values = {number: self.value(part, kind.fields[number][1]) for number, part in bound}
        return self._record(kind, [values[number] for number in sorted(values)], node)

    def _call_kernel(self, kernel: FunctionType, node: ast.Call) -> Value:
        signature = signature_of(kernel)
        values: dict[int, ir.Value] = {}
        given: dict[int, FunctionType] = {}
        kinds: dict[int, Kind] = {}
        for number, part in self._bound(signature.names, node):
            if signature.kinds[number] is FUNCTION:
                passed = self.outside.meaning(part)
                if not isinstance(passed, FunctionType) or not is_kernel(passed):
                    raise self.frame.error(part, "a kernel's name is needed")
                given[number] = passed
            elif signature.kinds[number] is ANY:
                value = self.value(part)
                if not value.kind.is_memory:
                    raise self.frame.error(part, "rows or numbers in memory are needed")
                kinds[number], values[number] = value.kind, value.ir
            else:
                values[number] = self.as_kind(part, signature.kinds[number])
        which = Specialisation(
            kernel,
            tuple(given[number] for number in sorted(given)),
            tuple(kinds[number] for number in sorted(kinds)),
        )
        call = self._builder.call(
            self._function_of(which), [values[number] for number in sorted(values)]
        )
        return Value(signature.result, call)

    def _call_handler(self, handlers: Handlers[Any], node: ast.Call) -> Value:
        """A switch over the numbers of messages; one without a handler stops the engine."""
        if node.keywords or len(node.args) != 3:  # noqa: PLR2004 as named
            raise self.frame.error(node, "takes a message's number, a root and a Memory")
        number = self.as_kind(node.args[0], INT)
        root = self.value(node.args[1])
        memory = self.as_kind(node.args[2], MEMORY)
        unknown, end = self.frame.block("unknown"), self.frame.block("handled")
        switch = self._builder.switch(number, unknown)
        ways = []
        for place, handler in handlers.by_number.items():
            block = self.frame.block("handler")
            switch.add_case(INT.constant(place), block)
            self._builder.position_at_end(block)
            target = self._handler(handler, root.kind, node)
            ways.append((self._builder.call(target, [root.ir, memory]), self._builder.block))
            self._builder.branch(end)
        self._builder.position_at_end(unknown)
        self.frame.stop()
        return Value(INT, self._join(INT, end, ways))

    def _handler(self, handler: Handler, root: Kind, node: ast.Call) -> ir.Function:
        kernel = handler.kernel
        if not isinstance(kernel, FunctionType) or not is_kernel(kernel):
            raise self.frame.error(node, f"the handler of {handler.kind.__name__} is no kernel")
        expected = (root, class_kind(handler.kind))
        signature = signature_of(kernel)
        if signature.kinds != expected or signature.result is not INT:
            reason = f"{kernel.__name__} handles no {handler.kind.__name__} of a {root.name}"
            raise self.frame.error(node, reason)
        return self._function_of(Specialisation(kernel))


_FORMS: dict[type[ast.expr], Callable[[Expressions, Any], Value]] = {
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._element,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.BoolOp: Expressions._connective,
    ast.Compare: Expressions._comparison,
    ast.Call: Expressions._call,
}
