"""Which kernels read as the reference does: a list that only grows.

    python -m tests.engine.test_leaves

writes it again, after more of them read the same.
"""

from pathlib import Path

import pytest

from tests.engine.leaves import alike, functions, pairs

LIST = Path(__file__).with_name("leaves.txt")


def test_leaves_that_read_the_same_still_do() -> None:
    assert alike() == LIST.read_text(encoding="utf-8").split()


@pytest.mark.parametrize(
    "wrong",
    ["return mul_div_up(a, wide(b), 2)", "return mul_div_down(b, a, 2)", "return 1"],
)
def test_another_text_is_no_leaf(wrong: str, tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    head = '@kernel\ndef half(a: int, b: int) -> int:\n    """Half."""\n    '
    one.write_text(f"{head}return narrow(mul_div_down(a, wide(b), 2))\n", encoding="utf-8")
    other.write_text("def half(a, b):\n    return mul_div_down(a, b, 2)\n", encoding="utf-8")
    assert functions(one) == functions(other)
    other.write_text(head + wrong, encoding="utf-8")
    assert functions(one) != functions(other)


def test_most_functions_have_a_kernel_of_their_name() -> None:
    assert len(list(pairs())) > 150


if __name__ == "__main__":
    LIST.write_text("\n".join(alike()) + "\n", encoding="utf-8")
