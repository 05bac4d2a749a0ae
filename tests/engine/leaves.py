"""Kernels that read as the reference does: the same words where both engines say the same.

Both texts are brought to one form first. What is left out is what a kernel must say and Python need
not: types, docstrings, `narrow` and `wide`. What is put into other words is how either engine comes
to a row (`WORDS`), and what a refusal, an event or an equal member of an enum is written like.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "solvent"

WORDS = (
    (r"\bstate\.emit\(", "emit(s, "),
    (r"\bstate\.(now|steps|next_order|next_trade|next_fill|next_round)\b", r"s.globals.\1"),
    (r"\bstate\.asset\(", "asset_row(s, "),
    (r"\bstate\.mark\(", "mark_of(s, "),
    (r"\bstate\.pools\[(\w+)\]", r"pool_row(s, \1)"),
    (r"\bstate\.prices\[(\w+)\]\.stale", r"is_stale(s, \1)"),
    (r"\bstate\.prices\[(\w+)\]", r"price_row(s, \1)"),
    (r"\bstate\.parameters\.(maker_fee|taker_fee|max_leverage)\b", r"s.rules.\1"),
    (r"\bstate\.parameters\.waterfall\.", "s.rules."),
    (r"\blen\(state\.pools\)", "s.globals.assets"),
    (
        r"\bstate\.accounts\[(\w+)\]\.(available|locked|lent_shares|debt_shares)\[(\w+)\]",
        r"position(s, \1, \3).\2",
    ),
    (r"\bstate\.accounts\[(\w+)\]", r"account_row(s, \1)"),
    (r"\bstate\b", "s"),
    (r"\bRefusal\(", "refuse("),
    (r" is not None\b", ""),
    (r" is not ", " != "),
    (r" is ", " == "),
    (r"return None\b", "return 0"),
    (r", Limit\.NONE\)", ")"),
    (r"\.(pool|market|price|haircut)\.(fee|lot|tick|max_age)\b", r".\2"),
    (r"\.pool_fee\b", ".fee"),
    (r"\.(market|pool|price)\.(\w+)", r".\2"),
)


class _Plain(ast.NodeTransformer):
    """Without widths, and without the reference's asserts."""

    def visit_Assert(self, _: ast.Assert) -> None:
        """An assert says what is assumed, and does nothing else."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return node.args[0] if name in ("narrow", "wide") and len(node.args) == 1 else node


def plain(function: ast.FunctionDef) -> str:
    """A function's text in the common form."""
    copy = ast.parse(ast.unparse(function)).body[0]
    assert isinstance(copy, ast.FunctionDef)
    copy.decorator_list, copy.returns = [], None
    for argument in copy.args.args:
        argument.annotation = None
    if ast.get_docstring(copy) is not None:
        copy.body = copy.body[1:] or [ast.Pass()]
    text = ast.unparse(_Plain().visit(copy))
    for ours, common in WORDS:
        text = re.sub(ours, common, text)
    return re.sub(r"\b(\w+)=\1\b", r"\1", text)


def functions(path: Path) -> dict[str, str]:
    """The functions of a module by name, in the common form."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {each.name: plain(each) for each in body if isinstance(each, ast.FunctionDef)}


def pairs() -> Iterator[tuple[str, str, str]]:
    """Functions that both engines have: name, the kernel, the reference."""
    for path in sorted((SOURCE / "engine").rglob("*.py")):
        inside = path.relative_to(SOURCE / "engine")
        other = SOURCE / "reference" / inside
        if other.is_file():
            there = functions(other)
            for name, text in functions(path).items():
                if name in there:
                    room = inside.with_suffix("").as_posix()
                    yield f"{room}.{name}", text, there[name]


def alike() -> list[str]:
    """Functions that read the same in both engines."""
    return [name for name, ours, theirs in pairs() if ours == theirs]
