"""Writes which tests prove what: docs/requirements.md, and the proofs in docs/invariants.

`python -m tests.requirements` writes the pages; tests/style/test_requirements.py fails when one is
stale or an id has no test. Tests are read, not run: only decorators and `pytestmark` count, and a
test that is marked to be skipped or to fail proves nothing. An invariant's proofs also name the
modules that report its breach and the planted bugs that it must catch.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "requirements.md"
INVARIANTS = ROOT / "docs" / "invariants"
CANARIES = ROOT / "tests" / "simulator" / "canaries.py"

TITLES = dict(
    line.split(maxsplit=1)
    for line in """
    A1  The borrow rate rises with utilization, which is borrowed over lent.
    A2  Past the optimal utilization the rate rises much more steeply.
    A3  The throttle pauses redeeming and borrowing, never repaying or lending.
    A4  A fully lent pool serves nobody and never goes below empty.
    A5  Lent tokens count as collateral, in full quantity.
    A6  ADL comes last, on the residual, and records why.
    A7  A stuck lender is matched with borrowers who have collateral.
    A8  Up to the loan's value moves to the lender, at the mark.
    A9  Debt and claim fall by the same quantity.
    A10 ADL changes what accounts hold, not what they are worth.
    A11 A borrower never loses more than the loan.
    A12 In a default the lender gets the loan's value in USDC.
    A13 Borrows are over-collateralised when made, and watched in real time after.
    A14 Users see utilization, rates, limits and what could happen to them.
    I1  Cash and loans equal claims, fees, fund and residue, per asset.
    I2  Users' shares sum to the pool's, on both sides.
    I3  Every change is postings that sum to zero per asset.
    I4  Rounding favours the pool; no loop of commands gains an atom.
    I5  Debt index never falls; lend index only in a booked deficit.
    I6  Interest paid is interest received plus fee and residue.
    I7  Users' own commands never take a healthy account below maintenance.
    I8  A liquidatable account cannot act to lower its health.
    I9  Only the owner or the waterfall reduces what an account has.
    I10 Debt without collateral exists only while its deficit is booked.
    I11 A gift never lowers health.
    I12 Caps bind the result, whatever kind of command led there.
    I13 The throttle's bound moves by its rule alone.
    I14 Only liquidatable accounts are liquidated, never on a stale price.
    I15 Stages run in order, each on what is left, with reasons.
    I16 No step lowers health, but beyond recovery, which ends closed.
    I17 Liquidation takes what the target health needs and no more.
    I18 Liquidation ends, and at a fixed mark spreads to nobody.
    I19 Afterwards an account has no debt, no collateral, or is healthy.
    I20 Orders are cancelled first, and cancelling everything unlocks everything.
    I21 ADL fires only after earlier stages failed and left something.
    I22 ADL takes what is needed, within each borrower's loan.
    I23 ADL leaves total values unchanged; rounding favours the lender.
    I24 A match of case L lowers nobody's health, but by flagged legs.
    I25 ADL never raises utilization and never moves cash.
    I26 ADL legs net to zero across both accounts, per asset.
    I27 Order of arrival, iteration and hash seeds change nothing.
    I28 Splitting, merging or scaling accounts does not change the shares.
    I29 A deficit equals bad debt, is funded first, then booked.
    I30 Nobody withdraws between insolvency and booking to dodge a loss.
    I31 Dust in another asset never blocks booking a deficit.
    I32 Stock and flow of deficits are counted apart, accounts once.
    I33 Lenders of an idle pool can leave; borrowers can repay.
    I34 A paused or stale asset blocks neither repaying nor other liquidations.
    I35 Same commands, same hashes, whatever the batches or snapshots.
    I36 An acknowledged command survives any crash; others are whole or absent.
    I37 Previews equal execution to the atom, and reading changes nothing.
    I38 A loss is shared once and equally.
    I39 An atom decides nothing but itself.
    I40 A settlement hurts nobody, but by flagged legs of the last tier.
    I41 Prices given together take effect together and are judged once.
    I42 An order is asked at the fill what it promised at placement.
    I43 Nothing of one pool, book or asset stops another.
    I44 Splitting gains nothing but an atom a part.
    I45 Every liquidating account comes to rest at fixed prices.
    I46 While standbys are left nobody else is paid in kind.
    """.strip().splitlines()
)

HEADER = """\
# Requirements and their proofs

Every [requirement](specification.md#1-promise-and-requirements) (A) with the tests that prove it,
and where each invariant (I) has its own. Written by `python -m tests.requirements`; the tests fail
when it is stale or an id has no test.

"""
INVARIANTS_HEAD = """\
## Invariants

| id | what | tests |
|---|---|---|
"""
SECTION = re.compile(
    r"^## (?P<key>I\d+)\n(?P<text>.*?)<!-- proofs -->\n(?P<proofs>.*?)<!-- /proofs -->$",
    re.M | re.S,
)
"""An invariant's section on its page, and the part of it that is written here."""


class Proof(NamedTuple):
    """One id that one test (a pytest node id without parameters) claims to prove."""

    key: str
    test: str


Marked = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def proofs_in(source: str, path: str) -> set[Proof]:
    """Return what the tests of one file prove; `path` is relative to the root.

    Raises ValueError where a marker stands on something that pytest does not collect.
    """
    tree = ast.parse(source, path)
    return set(_proofs(tree.body, path, _pytestmark(tree.body)))


def _proofs(body: list[ast.stmt], prefix: str, inherited: list[ast.expr]) -> Iterator[Proof]:
    for node in body:
        if not isinstance(node, Marked):
            continue
        name = f"{prefix}::{node.name}"
        marks = inherited + node.decorator_list
        if isinstance(node, ast.ClassDef):
            marks = marks + _pytestmark(node.body)
        collected = node.name.startswith("Test" if isinstance(node, ast.ClassDef) else "test")
        if not collected:
            if any(_ids(mark) for mark in node.decorator_list):
                raise ValueError(f"{name} says what it proves, but pytest does not collect it")
        elif isinstance(node, ast.ClassDef):
            yield from _proofs(node.body, name, marks)
        elif not any(_is_mark(mark, "skip", "skipif", "xfail") for mark in marks):
            yield from (Proof(key, name) for mark in marks for key in _ids(mark))


def _pytestmark(body: list[ast.stmt]) -> list[ast.expr]:
    """Return the marks that a module or class gives to all its tests."""
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            return node.value.elts if isinstance(node.value, ast.List) else [node.value]
    return []


def _ids(mark: ast.expr) -> list[str]:
    """Return the ids in a mark, also those on single rows of a parametrized table."""
    return [
        ast.literal_eval(argument)
        for node in ast.walk(mark)
        if isinstance(node, ast.Call) and _is_mark(node, "proves")
        for argument in node.args
    ]


def _is_mark(mark: ast.expr, *names: str) -> bool:
    function = mark.func if isinstance(mark, ast.Call) else mark
    return ast.unparse(function).rpartition(".")[2] in names


def all_proofs(root: Path = ROOT) -> set[Proof]:
    """Return what all tests under `root` prove."""
    files = sorted((root / "tests").rglob("test_*.py"))
    return {
        proof
        for file in files
        for proof in proofs_in(file.read_text(encoding="utf-8"), file.relative_to(root).as_posix())
    }


def page_of(proofs: set[Proof], homes: dict[str, str]) -> str:
    """Return the text of docs/requirements.md; `homes` says on which page an invariant is."""
    text = HEADER
    rows = ""
    for key, title in TITLES.items():
        tests = [proof.test for proof in proofs if proof.key == key]
        if key in homes:
            link = f"[{key}](invariants/{homes[key]}#{key.lower()})"
            rows += f"| {link} | {title} | {len(tests)} |\n"
        else:
            text += f"## {key}\n\n{title}\n\n{listed(tests, '../')}\n"
    return text + INVARIANTS_HEAD + rows


def listed(tests: list[str], root: str) -> str:
    """Return tests as a list, a line for each file; `root` leads from the page to the root."""
    files: dict[str, list[str]] = {}
    for test in sorted(tests):
        path, _, name = test.partition("::")
        files.setdefault(path, []).append(f"`{name}`")
    return "".join(
        f"- [{path}]({root}{path}): {', '.join(names)}\n" for path, names in files.items()
    )


def homes_of(folder: Path = INVARIANTS) -> dict[str, str]:
    """Return the name of the page that each invariant is on. Raises ValueError for a second one."""
    homes: dict[str, str] = {}
    for page in sorted(folder.glob("*.md")):
        for section in SECTION.finditer(page.read_text(encoding="utf-8")):
            if section["key"] in homes:
                raise ValueError(f"{section['key']} is on {homes[section['key']]} and {page.name}")
            homes[section["key"]] = page.name
    return homes


def reported_in(source: str) -> set[str]:
    """Return the ids whose breach a module reports."""
    nodes = list(ast.walk(ast.parse(source)))
    calls = (node.func for node in nodes if isinstance(node, ast.Call))
    if not any(ast.unparse(function) in {"breach", "Breach"} for function in calls):
        return set()
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TITLES
    }


def planted_in(source: str) -> set[tuple[str, str]]:
    """Return planted bugs as pairs: an id that must notice it, and its function's name."""
    return {
        (argument.value, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "canary"
        for argument in mark.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def invariant_page(text: str, proofs: set[Proof]) -> str:
    """Return the text of a page of docs/invariants with its proofs as they are now."""
    sources = {
        path.relative_to(ROOT).as_posix(): reported_in(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "src").rglob("*.py"))
    }
    planted = planted_in(CANARIES.read_text(encoding="utf-8"))

    def written(section: re.Match[str]) -> str:
        key = section["key"]
        modules = [
            f"[{path.removeprefix('src/solvent/')}](../../{path})"
            for path, keys in sources.items()
            if key in keys
        ]
        bugs = sorted(f"`{name}`" for each, name in planted if each == key)
        tests = [proof.test for proof in proofs if proof.key == key]
        return (
            f"## {key}\n{section['text']}<!-- proofs -->\n\n"
            f"Checked in: {', '.join(modules) or 'its tests alone'}.\n\n"
            f"Planted bugs: {', '.join(bugs) or 'none'}.\n\n"
            f"Tests:\n\n{listed(tests, '../../')}\n<!-- /proofs -->"
        )

    return SECTION.sub(written, text)


def pages() -> dict[Path, str]:
    """Return every page that is written here, with the text it should have."""
    proofs = all_proofs()
    texts = {page: page.read_text(encoding="utf-8") for page in sorted(INVARIANTS.glob("*.md"))}
    return {PAGE: page_of(proofs, homes_of())} | {
        page: invariant_page(text, proofs) for page, text in texts.items() if SECTION.search(text)
    }


def main() -> None:
    """Write the pages."""
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
