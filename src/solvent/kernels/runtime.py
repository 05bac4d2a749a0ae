"""The runtime of one LLVM module: functions that its kernels share, and how a kernel stops.

A kernel stops by jumping back to the entry it was called through, with the number of the place.
"""

from collections.abc import Callable
from typing import NamedTuple

from llvmlite import ir

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_POINTER = _I64.as_pointer()
_JUMP_WORDS = 64
"""Room for the C library's jump buffer, which takes 25 words on x86-64 and 39 on AArch64."""


class Site(NamedTuple):
    """A place in a kernel where the engine can stop."""

    function: str
    line: int

    def __str__(self) -> str:
        return f"{self.function}, line {self.line}"


class Runtime:
    """Helper functions of a module, written when first needed, and its places to stop at."""

    def __init__(self, module: ir.Module) -> None:
        self.sites: list[Site] = []
        self._module = module
        self._functions: dict[str, ir.Function] = {}
        self._jump = self._variable("jump", ir.ArrayType(_I64, _JUMP_WORDS))
        self._stopped = self._variable("stopped", _I64)

    def _variable(self, name: str, kind: ir.Type) -> ir.GlobalVariable:
        variable = ir.GlobalVariable(self._module, kind, name=name)
        variable.linkage = "internal"
        variable.initializer = ir.Constant(kind, None)
        variable.align = 16
        return variable

    # functions

    def library(self, name: str, result: ir.Type, arguments: list[ir.Type]) -> ir.Function:
        """A function of the C library, or one that LLVM has itself."""
        if name not in self._functions:
            kind = ir.FunctionType(result, arguments)
            self._functions[name] = ir.Function(self._module, kind, name=name)
        return self._functions[name]

    def helper(
        self,
        name: str,
        result: ir.Type,
        arguments: list[ir.Type],
        write: Callable[[ir.Function], None],
    ) -> ir.Function:
        """A function of the module's own, which `write` fills when it is first asked for."""
        if name not in self._functions:
            kind = ir.FunctionType(result, arguments)
            function = ir.Function(self._module, kind, name=f"runtime.{name}")
            function.linkage = "internal"
            function.attributes.add("nounwind")
            self._functions[name] = function
            write(function)
        return self._functions[name]

    # stopping

    def catch(self, builder: ir.IRBuilder) -> ir.Value:
        """Mark the place to come back to; true when a kernel came back by stopping."""
        function = self.library("_setjmp", _I32, [_POINTER])
        function.attributes.add("returns_twice")
        call = builder.call(function, [builder.bitcast(self._jump, _POINTER)])
        return builder.icmp_signed("!=", call, ir.Constant(_I32, 0))

    def stopped_site(self, builder: ir.IRBuilder) -> ir.Value:
        """The number of the place that stopped."""
        return builder.load(self._stopped)

    def stop(self, builder: ir.IRBuilder, site: Site) -> None:
        """Leave the batch for good, naming a place. Places are numbered from 1."""
        self.sites.append(site)
        stop = self.helper("stop", ir.VoidType(), [_I64], self._write_stop)
        builder.call(stop, [ir.Constant(_I64, len(self.sites))])
        builder.unreachable()

    def _write_stop(self, function: ir.Function) -> None:
        for attribute in ("noinline", "noreturn", "cold"):
            function.attributes.add(attribute)
        builder = ir.IRBuilder(function.append_basic_block())
        builder.store(function.args[0], self._stopped)
        jump = self.library("_longjmp", ir.VoidType(), [_POINTER, _I32])
        builder.call(jump, [builder.bitcast(self._jump, _POINTER), ir.Constant(_I32, 1)])
        builder.unreachable()
