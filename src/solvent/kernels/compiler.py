"""The compiler: kernels in, one LLVM module out.

Kernels are read from their source, so what runs compiled is the text that runs as plain Python. One
pass over each function's syntax tree writes LLVM code; LLVM does all optimisation. Every addition,
subtraction and product is checked against its width unless the operands' widths rule an overflow
out; a failed check jumps out of the whole batch and names the line. Divisions floor, as in Python.

What a kernel may say is listed in `docs/reference/kernel-language.md`. Anything else is a
KernelError that names the file, the line and the construct.
"""

from collections.abc import Callable, Iterable
from graphlib import CycleError, TopologicalSorter
from types import FunctionType

from llvmlite import ir

from solvent.kernels.arithmetic import Arithmetic
from solvent.kernels.division import divide_words
from solvent.kernels.expressions import Specialisation
from solvent.kernels.frame import Frame
from solvent.kernels.kinds import ANY, BOOL, FUNCTION, INT, VOID, Kind
from solvent.kernels.runtime import Runtime
from solvent.kernels.signatures import refusal, signature_of
from solvent.kernels.statements import Statements


class Program:
    """All kernels reachable from some entries, as one LLVM module.

    `sites` names the places at which a compiled kernel can stop, by the number it reports, from 1.
    """

    def __init__(self, entries: Iterable[Callable[..., object]], *, native_division: bool) -> None:
        self.module = ir.Module("solvent")
        self._runtime = Runtime(self.module)
        self._arithmetic = Arithmetic(
            self._runtime,
            lambda: self._function(Specialisation(as_kernel(divide_words))),
            native=native_division,
        )
        self.sites = self._runtime.sites
        self._functions: dict[Specialisation, ir.Function] = {}
        self._waiting: list[Specialisation] = []
        self._calls: dict[Specialisation, set[Specialisation]] = {}
        for entry in entries:
            self._write_entry(as_kernel(entry))
        while self._waiting:
            self._write(self._waiting.pop())
        self._refuse_recursion()

    def _function(self, which: Specialisation) -> ir.Function:
        """The LLVM function of a kernel; it is written later if it was not asked for before."""
        if which not in self._functions:
            kernel, given, kinds = which
            signature = signature_of(kernel)
            if len(given) != signature.kinds.count(FUNCTION):
                raise refusal(kernel, None, "takes kernels, so only kernels can call it")
            if len(kinds) != signature.kinds.count(ANY):
                raise refusal(kernel, None, "takes rows of any class, so only kernels can call it")
            arguments = [kind.type for kind in which.parameters if kind is not FUNCTION]
            function = ir.Function(
                self.module,
                ir.FunctionType(signature.result.type, arguments),
                name=f"{kernel.__module__}.{kernel.__qualname__}.{len(self._functions)}",
            )
            function.linkage = "internal"
            function.attributes.add("nounwind")
            self._functions[which] = function
            self._waiting.append(which)
        return self._functions[which]

    def _write(self, which: Specialisation) -> None:
        calls = self._calls[which] = set()

        def function_of(called: Specialisation) -> ir.Function:
            calls.add(called)
            return self._function(called)

        kernel, _, _ = which
        frame = Frame(self._runtime, kernel, self._functions[which])
        Statements(frame, self._arithmetic, function_of, which).write()

    def _refuse_recursion(self) -> None:
        """A kernel that calls itself could exhaust the stack, which nothing would notice."""
        try:
            TopologicalSorter(self._calls).prepare()
        except CycleError as error:
            circle = [which.kernel for which in error.args[1]]
            names = " <- ".join(kernel.__name__ for kernel in circle)
            raise refusal(circle[0], None, f"calls itself: {names}") from None

    def _write_entry(self, kernel: FunctionType) -> None:
        """A function that C can call: the place that stopped or 0, the result behind a pointer."""
        signature = signature_of(kernel)
        unusual = [kind for kind in signature.kinds if not _is_word(kind)]
        if unusual or signature.result not in (INT, BOOL, VOID):
            raise refusal(kernel, None, "an entry takes and gives numbers of 64 bits")
        inner = self._function(Specialisation(kernel))
        kinds = [kind.type for kind in signature.kinds]
        name = entry_name(kernel)
        if name in self.module.globals:
            raise refusal(kernel, None, "another entry has this name")
        entry = ir.Function(
            self.module, ir.FunctionType(INT.type, [*kinds, INT.type.as_pointer()]), name=name
        )
        builder = ir.IRBuilder(entry.append_basic_block())
        with builder.if_then(self._runtime.catch(builder)):
            builder.ret(self._runtime.stopped_site(builder))
        result = builder.call(inner, entry.args[:-1])
        if signature.result is not VOID:
            builder.store(builder.zext(result, INT.type), entry.args[-1])
        builder.ret(INT.constant(0))


def _is_word(kind: Kind) -> bool:
    """Whether it comes in one word: a number, or the address of what is in memory."""
    return kind is INT or kind.is_memory or kind.root is not None


def as_kernel(function: Callable[..., object]) -> FunctionType:
    """A kernel as the function that it is. Raises KernelError for anything else."""
    if not isinstance(function, FunctionType):
        raise refusal(function, None, "is no kernel")
    return function


def entry_name(kernel: Callable[..., object]) -> str:
    """What a kernel is called by from outside, in the module's code."""
    return f"entry.{as_kernel(kernel).__name__}"
