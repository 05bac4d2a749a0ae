"""Exact arithmetic in LLVM: checked sums and products, floored division.

A sum or product is checked unless the operands' magnitudes rule an overflow out. LLVM's own 128-bit
multiplication and addition are native; its 128-bit division calls a library that is not there when
code is compiled at run time, so division by a 64-bit number goes by the processor's own instruction
(x86-64) or by schoolbook long division (`division`, anywhere). That instruction faults when the
quotient does not fit, so its guard, high word below the divisor, is part of the same function.
"""

import ast
from collections.abc import Callable

from llvmlite import ir

from solvent.kernels.frame import Frame
from solvent.kernels.kinds import INT, WIDE, Value
from solvent.kernels.runtime import Runtime

_I64, _I128 = INT.type, WIDE.type
_BITWISE = {"BitAnd": "and_", "BitOr": "or_", "BitXor": "xor"}


class Arithmetic:
    """Arithmetic of one module. `portable` gives the function that divides two words by one."""

    def __init__(
        self, runtime: Runtime, portable: Callable[[], ir.Function], *, native: bool
    ) -> None:
        self._runtime = runtime
        self._portable = portable
        self._native = native

    def operate(self, frame: Frame, name: str, left: Value, right: Value, node: ast.AST) -> Value:
        """left OP right, OP by its name in a syntax tree; `node` is what an error names."""
        left, right = frame.number(left, node), frame.number(right, node)
        if name in ("Add", "Sub"):
            return self._sum(frame, name, *frame.alike(left, right, node))
        if name == "Mult":
            if {left.kind, right.kind} == {INT, WIDE}:
                return self._product_by_word(frame, left, right)
            return self._product(frame, *frame.alike(left, right, node))
        if name in ("FloorDiv", "Mod"):
            return self._divide(frame, name, left, right, node)
        if left.kind is not INT or right.kind is not INT:
            raise frame.error(node, "only numbers of 64 bits go with this operator")
        if name in _BITWISE:
            return Value(INT, getattr(frame.builder, _BITWISE[name])(left.ir, right.ir))
        if name == "RShift":
            frame.stop_if(frame.builder.icmp_unsigned(">=", right.ir, INT.constant(INT.width)))
            return Value(INT, frame.builder.ashr(left.ir, right.ir), left.magnitude)
        raise frame.error(node, "no operator of the language")

    @staticmethod
    def _sum(frame: Frame, name: str, left: Value, right: Value) -> Value:
        builder, kind = frame.builder, left.kind
        bits = max(left.magnitude, right.magnitude) + 1
        if bits < kind.width - 1:
            plain = builder.add if name == "Add" else builder.sub
            return Value(kind, plain(left.ir, right.ir), bits)
        checked = builder.sadd_with_overflow if name == "Add" else builder.ssub_with_overflow
        pair = checked(left.ir, right.ir)
        frame.stop_if(builder.extract_value(pair, 1))
        return Value(kind, builder.extract_value(pair, 0))

    # products

    @staticmethod
    def _product(frame: Frame, left: Value, right: Value) -> Value:
        builder, kind = frame.builder, left.kind
        bits = left.magnitude + right.magnitude
        if bits < kind.width - 1:
            return Value(kind, builder.mul(left.ir, right.ir), bits)
        if kind is INT:
            pair = builder.smul_with_overflow(left.ir, right.ir)
            frame.stop_if(builder.extract_value(pair, 1))
            return Value(kind, builder.extract_value(pair, 0))
        double = ir.IntType(2 * kind.width)
        whole = builder.mul(builder.sext(left.ir, double), builder.sext(right.ir, double))
        part = builder.trunc(whole, kind.type)
        frame.stop_if(builder.icmp_signed("!=", builder.sext(part, double), whole))
        return Value(kind, part)

    @staticmethod
    def _product_by_word(frame: Frame, left: Value, right: Value) -> Value:
        """128 by 64 bits: two products of words, the upper of which must end within 64 bits."""
        builder, shift = frame.builder, WIDE.constant(64)
        several, word = (left, right) if left.kind is WIDE else (right, left)
        factor = builder.sext(word.ir, _I128)
        bits = left.magnitude + right.magnitude
        if bits < WIDE.width - 1:
            return Value(WIDE, builder.mul(several.ir, factor), bits)
        low = builder.mul(builder.zext(builder.trunc(several.ir, _I64), _I128), factor)
        high = builder.mul(builder.ashr(several.ir, shift), factor)
        upper = builder.add(high, builder.ashr(low, shift))
        fits = builder.sext(builder.trunc(upper, _I64), _I128)
        frame.stop_if(builder.icmp_signed("!=", fits, upper))
        lower = builder.zext(builder.trunc(low, _I64), _I128)
        return Value(WIDE, builder.or_(builder.shl(upper, shift), lower))

    # division

    def _divide(self, frame: Frame, name: str, left: Value, right: Value, node: ast.AST) -> Value:
        builder = frame.builder
        constant = right.ir.constant if isinstance(right.ir, ir.Constant) else 0
        if constant.bit_count() == 1 and constant > 0:
            return _divide_by_power(frame, name, *frame.alike(left, right, node), constant)
        if constant <= 0:
            frame.stop_if(builder.icmp_signed("<=", right.ir, right.kind.constant(0)))
        word = right.ir
        by_word = left.kind is WIDE and right.kind is INT
        left, right = frame.alike(left, right, node)
        if by_word:
            quotient = builder.call(self._floor_by_word(), [left.ir, word])
        elif left.kind is INT:
            quotient = _floor(builder, left.ir, word)
        else:
            quotient = builder.call(self._floor_of(left.kind.type), [left.ir, right.ir])
        if name == "FloorDiv":
            return Value(left.kind, quotient, left.magnitude)
        rest = builder.sub(left.ir, builder.mul(quotient, right.ir))
        return Value(left.kind, rest, right.magnitude)

    def _floor_of(self, kind: ir.IntType) -> ir.Function:
        """Division by a number of the same width, which must be positive."""
        return self._runtime.helper(f"floor_{kind}", kind, [kind, kind], self._write_floor)

    def _write_floor(self, function: ir.Function) -> None:
        """By a word where numbers are short, else bit by bit: rare, so plain."""
        function.attributes.add("noinline")
        number, divisor = function.args
        kind = number.type
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        short = builder.trunc(number, _I128), builder.trunc(divisor, _I64)
        fits = [
            builder.icmp_signed("==", builder.sext(part, kind), whole)
            for part, whole in zip(short, function.args, strict=True)
        ]
        with builder.if_then(builder.and_(*fits)):
            builder.ret(builder.sext(builder.call(self._floor_by_word(), short), kind))
        zero, one = ir.Constant(kind, 0), ir.Constant(kind, 1)
        negative, magnitude = _away_from_zero(builder, number, divisor)
        entry = builder.block
        loop, done = (function.append_basic_block(name) for name in ("loop", "done"))
        builder.branch(loop)
        builder.position_at_end(loop)
        place, rest, quotient = (builder.phi(kind) for _ in range(3))
        next_bit = builder.and_(builder.lshr(magnitude, place), one)
        shifted = builder.or_(builder.shl(rest, one), next_bit)
        goes = builder.icmp_unsigned(">=", shifted, divisor)
        less = builder.select(goes, builder.sub(shifted, divisor), shifted)
        grown = builder.or_(builder.shl(quotient, one), builder.zext(goes, kind))
        following = builder.sub(place, one)
        starts = ((place, ir.Constant(kind, kind.width - 1)), (rest, zero), (quotient, zero))
        for (phi, start), later in zip(starts, (following, less, grown), strict=True):
            phi.add_incoming(start, entry)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_signed("==", place, zero), done, loop)
        builder.position_at_end(done)
        builder.ret(builder.select(negative, builder.sub(zero, grown), grown))

    def _floor_by_word(self) -> ir.Function:
        """128 by 64 bits, the divisor positive."""
        name = "floor_by_word"
        return self._runtime.helper(name, _I128, [_I128, _I64], self._write_floor_by_word)

    def _write_floor_by_word(self, function: ir.Function) -> None:
        number, divisor = function.args
        builder = ir.IRBuilder(function.append_basic_block())
        low = builder.trunc(number, _I64)
        fits = builder.icmp_signed("==", builder.sext(low, _I128), number)
        with builder.if_then(fits):
            builder.ret(builder.sext(_floor(builder, low, divisor), _I128))
        negative, magnitude = _away_from_zero(builder, number, builder.zext(divisor, _I128))
        shift = WIDE.constant(64)
        high = builder.trunc(builder.lshr(magnitude, shift), _I64)
        upper, rest = self._divide_high(builder, high, divisor)
        # rest < divisor is the guard of the division that follows.
        lower = self._divide_words(builder, rest, builder.trunc(magnitude, _I64), divisor)
        whole = builder.shl(builder.zext(upper, _I128), shift)
        quotient = builder.or_(whole, builder.zext(lower, _I128))
        builder.ret(builder.select(negative, builder.sub(WIDE.constant(0), quotient), quotient))

    @staticmethod
    def _divide_high(
        builder: ir.IRBuilder, high: ir.Value, divisor: ir.Value
    ) -> tuple[ir.Value, ir.Value]:
        """Quotient and rest of the high word, which most often is below the divisor."""
        before = builder.block
        with builder.if_then(builder.icmp_unsigned(">=", high, divisor), likely=False):
            long = builder.udiv(high, divisor), builder.urem(high, divisor)
            inside = builder.block
        both = []
        for short, divided in zip((ir.Constant(_I64, 0), high), long, strict=True):
            both.append(builder.phi(_I64))
            both[-1].add_incoming(short, before)
            both[-1].add_incoming(divided, inside)
        return both[0], both[1]

    def _divide_words(
        self, builder: ir.IRBuilder, high: ir.Value, low: ir.Value, divisor: ir.Value
    ) -> ir.Value:
        """(high, low) / divisor, unsigned; high < divisor."""
        if not self._native:
            return builder.call(self._portable(), [high, low, divisor])
        pair = ir.LiteralStructType([_I64, _I64])
        kind = ir.FunctionType(pair, [_I64, _I64, _I64])
        constraint = "={rax},={rdx},{rdx},{rax},r,~{cc}"
        both = builder.asm(kind, "divq $4", constraint, [high, low, divisor], side_effect=False)
        return builder.extract_value(both, 0)


def _divide_by_power(frame: Frame, name: str, left: Value, right: Value, power: int) -> Value:
    """Division by a constant power of two: the upper bits, and the lower ones."""
    kind, bits = left.kind, power.bit_length() - 1
    if name == "FloorDiv":
        quotient = frame.builder.ashr(left.ir, kind.constant(bits))
        return Value(kind, quotient, max(0, left.magnitude - bits))
    return Value(kind, frame.builder.and_(left.ir, kind.constant(power - 1)), right.magnitude)


def _floor(builder: ir.IRBuilder, left: ir.Value, right: ir.Value) -> ir.Value:
    """Floor of a division by a positive number, by LLVM's own instruction."""
    quotient = builder.sdiv(left, right)
    negative = builder.icmp_signed("<", builder.srem(left, right), ir.Constant(left.type, 0))
    return builder.sub(quotient, builder.zext(negative, left.type))


def _away_from_zero(
    builder: ir.IRBuilder, number: ir.Value, divisor: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """Whether a number is negative, and what to divide, unsigned, for its quotient's magnitude.

    For a negative number that is its magnitude and the divisor less one, so that the quotient is
    rounded away from zero, which is the floor.
    """
    zero, one = ir.Constant(number.type, 0), ir.Constant(number.type, 1)
    negative = builder.icmp_signed("<", number, zero)
    away = builder.add(builder.sub(zero, number), builder.sub(divisor, one))
    return negative, builder.select(negative, away, number)
