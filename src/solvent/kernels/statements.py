"""Statements of the kernel language as LLVM code.

Beside the code goes what is known: which variables are assigned whichever way a statement is
reached. A variable that may not be is refused, for compiled code would read anything from it.
"""

import ast
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

from llvmlite import ir

from solvent.kernels.arithmetic import Arithmetic
from solvent.kernels.expressions import Expressions, FunctionOf, Specialisation
from solvent.kernels.frame import Frame, Known, either
from solvent.kernels.kinds import ANY, FUNCTION, INT, VOID, Value
from solvent.kernels.signatures import kind_of, signature_of, tree_of


class _Loop(NamedTuple):
    """Where `continue` and `break` go, and what was known at each `break`."""

    following: ir.Block
    end: ir.Block
    exits: list[Known]


class Statements:
    """The statements of one kernel."""

    def __init__(
        self,
        frame: Frame,
        arithmetic: Arithmetic,
        function_of: FunctionOf,
        which: Specialisation,
    ) -> None:
        self._frame = frame
        self._tree = tree_of(frame.kernel)
        self._signature = signature_of(frame.kernel)
        self._loops: list[_Loop] = []
        kernels, arguments = iter(which.given), iter(frame.function.args)
        self._given: dict[str, FunctionType] = {}
        for name, kind in zip(self._signature.names, which.parameters, strict=True):
            if kind is FUNCTION:
                self._given[name] = next(kernels)
            else:
                frame.write(name, Value(kind, next(arguments)), self._tree)
        self._say = Expressions(frame, arithmetic, function_of, self._given)

    @property
    def _builder(self) -> ir.IRBuilder:
        return self._frame.builder

    def write(self) -> None:
        """Write the whole function."""
        self._block(self._tree.body)
        if self._frame.known is None:
            self._builder.unreachable()
        elif self._signature.result is VOID:
            self._builder.ret_void()
        else:
            raise self._frame.error(self._tree.body[-1], "the kernel may end here without a result")
        self._frame.close()

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._frame.line = statement.lineno
            form = _FORMS.get(type(statement))
            if form is None:
                raise self._frame.error(statement, "no statement of the language")
            form(self, statement)

    # simple statements

    def _pass(self, _statement: ast.Pass) -> None:
        pass

    def _expression(self, statement: ast.Expr) -> None:
        match statement.value:
            case ast.Constant(value=str()):
                return
            case ast.Call():
                self._say.value(statement.value)
            case _:
                raise self._frame.error(statement, "an expression without use")

    def _return(self, statement: ast.Return) -> None:
        result = self._signature.result
        if (statement.value is None) != (result is VOID):
            raise self._frame.error(statement, "a result is missing, or one too many")
        if statement.value is None:
            self._builder.ret_void()
        else:
            self._builder.ret(self._say.as_kind(statement.value, result))
        self._frame.never()

    # assignment

    def _assign(self, statement: ast.Assign) -> None:
        value = self._say.value(statement.value)
        for target in statement.targets:
            self._give(target, value)

    def _annotated(self, statement: ast.AnnAssign) -> None:
        kind = kind_of(statement.annotation, self._frame.kernel.__globals__)
        target = statement.target
        if kind is None or kind in (VOID, FUNCTION, ANY) or statement.value is None:
            raise self._frame.error(statement, "no declaration of the language")
        if not isinstance(target, ast.Name):
            raise self._frame.error(statement, "only a variable is declared")
        value = self._frame.convert(self._say.value(statement.value, kind), kind, statement)
        if self._frame.variables.get(target.id, (kind,))[0] is not kind:
            raise self._frame.error(statement, "the variable has another type")
        self._give(target, value)

    def _augmented(self, statement: ast.AugAssign) -> None:
        target = statement.target
        if isinstance(target, ast.Name):
            old = self._frame.read(target)
            new = self._say.operate(statement, old, self._say.value(statement.value))
            self._give(target, new)
        elif isinstance(target, ast.Subscript | ast.Attribute):
            place = self._say.place(target)
            old = self._say.load(place)
            new = self._say.operate(statement, old, self._say.value(statement.value))
            self._say.store(place, new, statement)
        else:
            raise self._frame.error(statement, "cannot assign to this")

    def _give(self, target: ast.expr, value: Value) -> None:
        if value.kind is VOID:
            raise self._frame.error(target, "a call without a result has no value")
        if isinstance(target, ast.Name) and target.id not in self._given:
            self._frame.write(target.id, value, target)
        elif isinstance(target, ast.Subscript | ast.Attribute):
            self._say.store(self._say.place(target), value, target)
        elif isinstance(target, ast.Tuple):
            fields = value.kind.fields
            if len(target.elts) != len(fields):
                raise self._frame.error(target, f"{len(fields)} values to unpack")
            for number, (part, (_, kind)) in enumerate(zip(target.elts, fields, strict=True)):
                self._give(part, Value(kind, self._builder.extract_value(value.ir, number)))
        else:
            raise self._frame.error(target, "cannot assign to this")

    # branches and loops

    def _if(self, statement: ast.If) -> None:
        then, otherwise, end = (self._frame.block(name) for name in ("then", "else", "end"))
        self._builder.cbranch(self._say.truth(statement.test), then, otherwise)
        before = self._frame.known
        self._frame.begin(then, before)
        self._block(statement.body)
        self._builder.branch(end)
        known = self._frame.known
        self._frame.begin(otherwise, before)
        self._block(statement.orelse)
        self._builder.branch(end)
        self._frame.begin(end, either(known, self._frame.known))

    def _while(self, statement: ast.While) -> None:
        test, body, end = (self._frame.block(name) for name in ("while", "do", "done"))
        self._builder.branch(test)
        self._frame.begin(test, self._frame.known)
        self._builder.cbranch(self._say.truth(statement.test), body, end)
        known = self._frame.known
        self._frame.begin(body, known)
        exits = self._body(statement, _Loop(test, end, []))
        if not self._say.outside.constant(statement.test):
            exits.append(known)
        self._frame.begin(end, None)
        for exit_known in exits:
            self._frame.known = either(self._frame.known, exit_known)

    def _body(self, statement: ast.While | ast.For, loop: _Loop) -> list[Known]:
        """The body of a loop; returns what was known wherever the loop was left."""
        if statement.orelse:
            raise self._frame.error(statement, "a loop has no else")
        self._loops.append(loop)
        self._block(statement.body)
        self._loops.pop()
        self._builder.branch(loop.following)
        return loop.exits

    def _for(self, statement: ast.For) -> None:
        if not isinstance(statement.target, ast.Name):
            raise self._frame.error(statement.target, "a loop counts with one variable")
        start, stop, step = self._range(statement.iter)
        blocks = [self._frame.block(name) for name in ("for", "do", "next", "done")]
        test, body, following, end = blocks
        counter = self._frame.place(INT)
        self._builder.store(start, counter)
        self._builder.branch(test)
        self._builder.position_at_end(test)
        number = self._builder.load(counter)
        order = "<" if step > 0 else ">"
        self._builder.cbranch(self._builder.icmp_signed(order, number, stop), body, end)
        known = self._frame.known
        self._frame.begin(body, known)
        self._give(statement.target, Value(INT, number))
        self._body(statement, _Loop(following, end, []))
        # A step past the largest number is one past the end, too.
        self._builder.position_at_end(following)
        moved = self._builder.sadd_with_overflow(number, INT.constant(step))
        self._builder.store(self._builder.extract_value(moved, 0), counter)
        self._builder.cbranch(self._builder.extract_value(moved, 1), end, test)
        self._frame.begin(end, known)

    def _range(self, node: ast.expr) -> tuple[ir.Value, ir.Value, int]:
        """Start, stop and step of a range."""
        if not isinstance(node, ast.Call) or self._say.outside.meaning(node.func) is not range:
            raise self._frame.error(node, "a kernel counts with range only")
        if node.keywords or not 1 <= len(node.args) <= 3:  # noqa: PLR2004 start, stop, step
            raise self._frame.error(node, "range takes one to three numbers")
        bounds = [self._say.as_kind(argument, INT) for argument in node.args[:2]]
        step = self._say.outside.constant(node.args[2]) if len(node.args) > len(bounds) else 1
        if not step or step.bit_length() >= INT.width:
            raise self._frame.error(node, "range takes a constant step")
        return bounds[0] if len(bounds) > 1 else INT.constant(0), bounds[-1], step

    def _break(self, _statement: ast.Break) -> None:
        loop = self._loops[-1]
        loop.exits.append(self._frame.known)
        self._builder.branch(loop.end)
        self._frame.never()

    def _continue(self, _statement: ast.Continue) -> None:
        self._builder.branch(self._loops[-1].following)
        self._frame.never()


_FORMS: dict[type[ast.stmt], Callable[[Statements, Any], None]] = {
    ast.Pass: Statements._pass,
    ast.Expr: Statements._expression,
    ast.Return: Statements._return,
    ast.Assign: Statements._assign,
    ast.AnnAssign: Statements._annotated,
    ast.AugAssign: Statements._augmented,
    ast.If: Statements._if,
    ast.While: Statements._while,
    ast.For: Statements._for,
    ast.Break: Statements._break,
    ast.Continue: Statements._continue,
}
