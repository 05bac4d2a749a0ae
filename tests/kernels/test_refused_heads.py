"""Kernels whose head, entry, source or circle of calls is refused."""

from pathlib import Path

import pytest

from solvent.kernels.compiler import Program
from solvent.kernels.signatures import KernelError
from tests.kernels.modules import module_of, refusal_of

HEADS = {
    "default": (
        "plain parameters",
        "@kernel\ndef refused(a: int = 1) -> int:\n    return a",
    ),
    "several": (
        "plain parameters",
        "@kernel\ndef refused(*a: int) -> int:\n    return 1",
    ),
    "named several": (
        "plain parameters",
        "@kernel\ndef refused(**a: int) -> int:\n    return 1",
    ),
    "named only": (
        "plain parameters",
        "@kernel\ndef refused(a: int, *, b: int) -> int:\n    return a",
    ),
    "placed only": (
        "plain parameters",
        "@kernel\ndef refused(a: int, /) -> int:\n    return a",
    ),
    "no type": (
        "no parameter has this type: a",
        "@kernel\ndef refused(a) -> int:\n    return 1",
    ),
    "no result's type": (
        "no result has this type",
        "@kernel\ndef refused(a: int):\n    return a",
    ),
    "float": (
        "no parameter has this type: a: float",
        "@kernel\ndef refused(a: float) -> int:\n    return 1",
    ),
    "float as a result": (
        "no result has this type: float",
        "@kernel\ndef refused(a: int) -> float:\n    return a",
    ),
    "None": (
        "no parameter has this type: a: None",
        "@kernel\ndef refused(a: None) -> int:\n    return 1",
    ),
    "list": (
        "this type: a: list[int]",
        "@kernel\ndef refused(a: list[int]) -> int:\n    return 1",
    ),
    "optional": (
        "this type: a: int | None",
        "@kernel\ndef refused(a: int | None) -> int:\n    return 1",
    ),
    "text": (
        "this type: a: 'int'",
        "@kernel\ndef refused(a: 'int') -> int:\n    return a",
    ),
    "tuple of any": (
        "this type: a: tuple[int, ...]",
        "@kernel\ndef refused(a: tuple[int, ...]) -> int:\n    return 1",
    ),
    "a class": (
        "this type: a: C",
        "class C:\n    pass\n@kernel\ndef refused(a: C) -> int:\n    return 1",
    ),
    "a subclass of a record": (
        "no parameter has this type: q: Q",
        "class P(NamedTuple):\n"
        "    a: int\n"
        "class Q(P):\n"
        "    b: int\n"
        "@kernel\n"
        "def inner(q: Q) -> int:\n"
        "    return q.a\n"
        "@kernel\n"
        "def refused(a: int) -> int:\n"
        "    return inner(Q(a))",
    ),
    "a word that means another type": (
        "this type: a: Wide",
        "Wide = str\n@kernel\ndef refused(a: Wide) -> int:\n    return 1",
    ),
    "a function as a result": (
        "no result has this type: Change",
        "Change = Callable[[int], int]\n@kernel\ndef refused(a: int) -> Change:\n    return a",
    ),
    "no kernel": (
        "is no kernel",
        "def refused(a: int) -> int:\n    return a",
    ),
    "wrapped": (
        "has other than plain parameters: *a",
        "import functools\n"
        "def other(f):\n"
        "    @functools.wraps(f)\n"
        "    def inner(*a):\n"
        "        return 0\n"
        "    return inner\n"
        "@other\n"
        "@kernel\n"
        "def refused(a: int) -> int:\n"
        "    return a",
    ),
    "no function": (
        "is no kernel",
        "@kernel\nclass refused:\n    pass",
    ),
    "a lambda": (
        "is no plain function",
        "refused = kernel(lambda a: a)",
    ),
    "a generator": (
        "yields",
        "@kernel\ndef refused(a: int) -> int:\n    return a\n    yield 1",
    ),
    "asynchronous": (
        "is no plain function",
        "@kernel\nasync def refused(a: int) -> int:\n    return a",
    ),
    "a variable around it": (
        "sees variables around it (b)",
        "def around(b):\n"
        "    @kernel\n"
        "    def inner(a: int) -> int:\n"
        "        return a + b\n"
        "    return inner\n"
        "refused = around(1)",
    ),
    "an entry that takes a Wide": (
        "an entry takes and gives",
        "@kernel\ndef refused(a: Wide) -> int:\n    return 1",
    ),
    "an entry that takes a bool": (
        "an entry takes and gives",
        "@kernel\ndef refused(a: bool) -> int:\n    return 1",
    ),
    "an entry that gives a Wide": (
        "an entry takes and gives",
        "@kernel\ndef refused(a: int) -> Wide:\n    return a",
    ),
    "an entry that takes a kernel": (
        "an entry takes and gives",
        "Change = Callable[[int], int]\n@kernel\ndef refused(f: Change) -> int:\n    return f(1)",
    ),
    "an assignment to a function parameter": (
        "cannot assign to this: f",
        "Change = Callable[[int], int]\n"
        "@kernel\n"
        "def inner(f: Change) -> int:\n"
        "    f = 1\n"
        "    return f\n"
        "@kernel\n"
        "def refused(a: int) -> int:\n"
        "    return inner(refused)",
    ),
    "a call of itself": (
        "calls itself: refused",
        "@kernel\ndef refused(a: int) -> int:\n    return refused(a - 1) if a else 0",
    ),
    "a circle of calls": (
        "calls itself: ",
        "@kernel\n"
        "def one(a: int) -> int:\n"
        "    return refused(a)\n"
        "@kernel\n"
        "def refused(a: int) -> int:\n"
        "    return one(a)",
    ),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head_is_refused(case: str, tmp_path: Path) -> None:
    reason, text = HEADS[case]
    assert reason in str(refusal_of(tmp_path, f"{text}\n"))


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    text = "@kernel\ndef one(a: int) -> int:\n    return a\n"
    first, second = (module_of(tmp_path, text).one for _ in range(2))
    with pytest.raises(KernelError, match="another entry has this name"):
        Program((first, second), native_division=True)


def test_a_source_that_changed_after_the_import_is_refused(tmp_path: Path) -> None:
    text = "@kernel\ndef one(a: int) -> int:\n    return a + {}\n"
    module = module_of(tmp_path, text.format(1))
    path = tmp_path / "written.py"
    path.write_text(path.read_text(encoding="utf-8").replace("a + 1", "a + 2"), encoding="utf-8")
    with pytest.raises(KernelError, match="its source has changed"):
        Program((module.one,), native_division=True)


def test_code_without_a_source_is_refused() -> None:
    names: dict[str, object] = {}
    text = "from solvent.kernels.language import kernel\n@kernel\ndef one(a: int) -> int: return a"
    exec(compile(text, "nowhere", "exec"), names)
    function = names["one"]
    assert callable(function)
    with pytest.raises(KernelError, match="has no source"):
        Program((function,), native_division=True)
