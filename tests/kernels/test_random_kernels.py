"""Kernels made up at random, compiled, do what the same text does as plain Python.

A kernel is statements over some ints, a Wide, a bool and a row. Numbers are brought back below a
thousand when they are assigned, so that nothing overflows and plain Python is the measure.
"""

from array import array
from collections.abc import Callable
from pathlib import Path
from random import Random
from textwrap import indent

import numpy as np
import pytest

from solvent.kernels.machine import compile_kernels
from solvent.kernels.rows import Memory
from tests.kernels.modules import module_of

KERNELS = 40
"""In one module; each is called with some arguments."""
CALLS = 25
ROW = 8
INTS = ("a", "b", "x", "y")
START = "    x = 3\n    y = a\n    w = wide(b)\n    flag = a < b\n    i = j = 0\n"
ASK = """
@kernel
def ask(row: Memory, number: int) -> int:
    row[number % 8] += 1
    return number

@kernel
def asked(row: Memory, number: int) -> bool:
    row[0] += number % 5
    return number % 3 > 0
"""


class Writer:
    """Random text of kernels."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)

    def pick(self, *forms: Callable[[int], str], depth: int) -> str:
        """One of these forms, or a leaf (the first) where it is deep."""
        return (forms[0] if depth <= 0 else self.rng.choice(forms))(depth - 1)

    def number(self, depth: int) -> str:
        """An expression of an int."""
        return self.pick(
            lambda _: self.rng.choice((*INTS, "i", "j", str(self.rng.randrange(-9, 10)))),
            lambda d: f"({self.number(d)} {self.rng.choice('+-&|^')} {self.number(d)})",
            lambda d: f"({self.number(d)} % 101 * ({self.number(d)} % 17))",
            lambda d: f"({self.number(d)} {self.rng.choice(('//', '%'))} {self.divisor()})",
            lambda d: f"({self.number(d)} >> {self.rng.randrange(8)})",
            lambda d: f"{self.rng.choice(('-', '~', ''))}({self.number(d)})",
            lambda d: f"{self.rng.choice(('min', 'max'))}({self.number(d)}, {self.number(d)})",
            lambda d: f"abs({self.number(d)})",
            lambda d: f"({self.number(d)} if {self.truth(d)} else {self.number(d)})",
            lambda d: f"row[{self.number(d)} % {ROW}]",
            lambda d: f"ask(row, {self.number(d)})",
            lambda d: f"narrow(({self.large(d)}) % {self.divisor()})",
            lambda d: f"({self.truth(d)} + {self.number(d)})",
            depth=depth,
        )

    def divisor(self) -> str:
        """A positive number."""
        return self.rng.choice(("3", "64", "10**9", "(y % 7 + 1)", "(row[1] % 5 + 2)"))

    def large(self, depth: int) -> str:
        """An expression of a Wide."""
        return self.pick(
            lambda _: "w",
            lambda d: f"({self.large(d)} {self.rng.choice('+-')} wide({self.number(d)}) * 10**12)",
            lambda d: f"({self.large(d)} % 2**60 * ({self.number(d)} % 1000))",
            lambda d: f"wide({self.number(d)})",
            lambda d: f"max({self.number(d)}, -{self.large(d)})",
            lambda d: f"({self.large(d)} // {self.divisor()})",
            depth=depth,
        )

    def truth(self, depth: int) -> str:
        """An expression of a bool."""
        order = self.rng.choice(("<", "<=", ">", ">=", "==", "!="))
        return self.pick(
            lambda _: self.rng.choice(("flag", "True", "a < b", "x == y")),
            lambda d: f"({self.number(d)} {order} {self.number(d)} < {self.number(d)})",
            lambda d: f"({self.large(d)} {order} {self.number(d)})",
            lambda d: f"({self.truth(d)} {self.rng.choice(('and', 'or'))} {self.truth(d)})",
            lambda d: f"(not {self.rng.choice((self.truth, self.number))(d)})",
            lambda d: f"asked(row, {self.number(d)})",
            depth=depth,
        )

    def block(self, depth: int, *, loop: bool) -> str:
        """Some statements, indented."""
        made = (self.statement(depth, loop=loop) for _ in range(self.rng.randrange(1, 4)))
        return indent("\n".join(made), "    ")

    def statement(self, depth: int, *, loop: bool) -> str:
        """One statement and what is in it."""
        kinds = ["assign"] * 4 + ["row", "wide", "flag", "tuple"]
        kinds += ["if", "if", "for", "while", "return"] if depth > 0 else []
        kinds += ["break", "continue"] if loop else []
        kind = self.rng.choice(kinds)
        return self.simple(kind) or self.compound(kind, depth, loop=loop)

    def simple(self, kind: str) -> str:
        """A statement without a block of its own, or nothing for another kind."""
        name = self.rng.choice(INTS)
        number, place = f"({self.number(3)}) % 1000", f"row[{self.number(2)} % {ROW}]"
        change = self.rng.choice((" = ", " += ", " -= ", " ^= "))
        return {
            "assign": f"{name} = {number}",
            "row": f"{place}{change}{number}",
            "wide": f"w = ({self.large(3)}) % 2**70 - 2**40",
            "flag": f"flag = {self.truth(3)}",
            "tuple": f"{name}, {place} = {number}, {name}",
            "return": f"if {self.truth(2)}:\n    return {self.number(3)}",
            "break": f"if {self.truth(2)}:\n    break",
            "continue": f"if {self.truth(2)}:\n    continue",
        }.get(kind, "")

    def compound(self, kind: str, depth: int, *, loop: bool) -> str:
        """A branch or a loop; every loop ends."""
        if kind == "if":
            other = (
                f"\nelse:\n{self.block(depth - 1, loop=loop)}" if self.rng.random() < 0.5 else ""
            )
            test = self.rng.choice((self.truth, self.number))(2)
            return f"if {test}:\n{self.block(depth - 1, loop=loop)}{other}"
        inside = self.block(depth - 1, loop=True)
        if kind == "while":
            rounds = f"rounds_{depth}"
            test = f"{rounds} < 4 and {self.truth(2)}"
            return f"{rounds} = 0\nwhile {test}:\n    {rounds} += 1\n{inside}"
        step = self.rng.choice(("", "", ", -1", ", 3"))
        start, stop = (f"{self.number(1)} % 6" for _ in range(2))
        return f"for {self.rng.choice('ij')} in range({start}, {stop}{step}):\n{inside}"

    def kernel(self, name: str) -> str:
        """A whole kernel."""
        head = f"@kernel\ndef {name}(row: Memory, a: int, b: int) -> int:\n{START}"
        end = "    return x + y + narrow(w % 1009) + flag\n\n"
        return f"{head}{self.block(3, loop=False)}\n{end}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_kernel_made_up_does_what_plain_python_does(seed: int, tmp_path: Path) -> None:
    writer = Writer(seed)
    names = [f"kernel_{number}" for number in range(KERNELS)]
    module = module_of(tmp_path, ASK + "".join(map(writer.kernel, names)))
    functions = tuple(getattr(module, name) for name in names)
    machine = compile_kernels(functions, folder=tmp_path)
    results = set()
    for function in functions:
        for _ in range(CALLS):
            numbers = [writer.rng.randrange(-20, 21) for _ in range(2)]
            start = [writer.rng.randrange(-5, 100) for _ in range(ROW)]
            plain, compiled = array("q", start), np.array(start, dtype=np.int64)
            expected = function(Memory(memoryview(plain)), *numbers)
            found = machine.call(function.__name__, compiled.ctypes.data, *numbers)
            assert (found, compiled.tolist()) == (expected, plain.tolist()), function.__name__
            results.add(found)
    assert len(results) > KERNELS
