"""What once went wrong in others' hands, and the tests that keep each of it from coming back.

Attacks and faults, and what clients sent that was answered wrongly. A test names them by id in its
docstring's first line. `python -m tests.attacks` writes the page.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/decisions/2026-11-30-attacks-and-tests.md"
TESTS = Path(__file__).parent
ATTACKS = {
    "S01": "an account is opened, or a role given, to a public key that is another's",
    "S02": "the machine's clock leaps",
    "S03": "the views' database server hangs",
    "S04": "lists of empty orders without a key",
    "S05": "WebSocket messages that never end",
    "S06": "the views are locked, restarted, damaged",
    "S07": "orders that never fill, as fast as may be, for ever",
    "S08": "one operator pays himself out",
    "S09": "a removed key goes on listening; a signed subscription is sent again",
    "S10": "proposals of who was removed, of what cannot be, by the thousand",
    "S12": "the last operator removes himself",
    "S13": "lives too short for a snapshot, and a recovery of minutes",
    "S14": "depth and solvency, asked often of a large book",
    "S16": "two addresses listen in all places",
    "S17": "one address connects to all places; health checks get none",
    "S18": "pages far back in what everybody may ask",
    "S20": "behind a proxy everybody is one address",
    "S21": "a torn tail, a bad snapshot, a bit in the last frame",
    "S22": "what to do about a damaged record",
    "S23": "one source says 1 for 200",
    "S24": "a foreign page, a name that was bound again",
    "S25": "bytes signed for one market, sent to another",
    "S29": "who may read the views and their password",
    "S30": "an operator's day without logs, copies, alarms",
    "S31": "what is used of the HTTP server beside its public face",
    "G2": "a replay ahead of the time",
    "G3": "a crash followed from outside",
    "G4": "keys for a new market",
    "G5": "a market in the folder of a run",
    "G6": "calls that have to be signed",
    "G7": "a market that nobody can enter",
    "G8": "nonsense on the command line",
}
CLIENTS = {
    "f01": "a market bid over two makers",
    "f02": "fill-or-kill over two levels, and of more than there is",
    "f03": "a field in query and body of a DELETE",
    "f04": "`priceChangePercent`",
    "f05": "`u` of bookTicker",
    "f06": "candles where nothing traded, their times, fields that nobody asked for",
    "f07": "headers of pages, also of an empty list",
    "f08": "a client id again after its order ended, and client id 0",
    "f09": "optional keys of orders and fills; the quantity of an order by quote",
    "f10": "the cancellation of an order that is not there",
    "f11": "a price file with two tokens under `pair`, `market` or `ticker`",
    "f12": "times of 14 and 17 digits in a price file",
    "f13": "klines as published, without a header line",
    "f14": "blanks after commas, and tabs",
}
_IDS = re.compile(r"\b([SG]\d{1,2}|f\d\d)\b(?: to G(\d))?")


def proofs() -> dict[str, list[str]]:
    """The tests of each attack and case: path of the file and name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                said = (ast.get_docstring(node) or "").partition("\n")[0]
                for name in _names(said):
                    found[name].append(f"{path.relative_to(TESTS.parent)}::{node.name}")
    return found


def _names(said: str) -> list[str]:
    names = []
    for first, last in _IDS.findall(said):
        names += [f"G{each}" for each in range(int(first[1:]), int(last) + 1)] if last else [first]
    return names


def page() -> str:
    """The page as it should be."""
    found = proofs()
    lines = [
        "# Attacks, and the tests that keep each from coming back",
        "",
        "2026-11-30. In force. Written by `python -m tests.attacks` out of the tests' docstrings;",
        "the tests fail when it is stale or an attack has no test. What was decided about them is",
        "[the service under attack](2026-11-30-service-under-attack.md) and the pages it names.",
        *_table("attack or fault", ATTACKS, found),
        "",
        "## What clients sent",
        "",
        "What was decided about them is [client shapes](2026-11-30-client-shapes.md).",
        *_table("what came", CLIENTS, found),
    ]
    return "\n".join(lines) + "\n"


def _table(head: str, titles: dict[str, str], found: dict[str, list[str]]) -> list[str]:
    lines = ["", f"| id | {head} | tests |", "|---|---|---|"]
    for name, title in titles.items():
        tests = ", ".join(
            f"[{test.rpartition('::')[2]}](../../{test.partition('::')[0]})" for test in found[name]
        )
        lines.append(f"| {name} | {title} | {tests} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page())
