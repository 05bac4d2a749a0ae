"""Writes the section Hostile of docs/reference/benchmarks.md from a run of the bench.

./run bench hostile --json >FILE
python -m tests.docs.hostile_table FILE
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from benches.common.rows import shown
from benches.service.hostile import ANSWERS, DISK, DISK_MIB, MANY, MEMORY, MEMORY_MIB, NAME, ONE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "benchmarks.md"
SECTION = re.compile(r"(?<=\n### Hostile\n\n).*?(?=\n### )", re.DOTALL)
PLACES = (f"{ONE} address", f"{MANY} addresses")
_HALF = " | on nobody | | memory | disk |"
HEAD = f"""\
`./run bench hostile`, on {{date}}, with a load of {{load}}: the 99th percentile of the answers to
five clients beside each attack, and beside the same generator against a port where nobody answers;
the most memory that the service had meanwhile, and what came to its disk, in MiB. Written by
`python -m tests.docs.hostile_table FILE` from what `--json` prints. The disk grows in steps: by a
MiB of the journal ahead of its records, and when SQLite puts its log into the histories.

| attack | from one address{_HALF} from {MANY} addresses{_HALF}
|{"---|" * 11}
"""
END = """
Of {count} ratios {good} are within three, the largest is {worst:.2f}. The most memory under any
attack was {memory} MiB (target: {most}), the most that came to the disk {disk} MiB (bounded by the
account's bytes: {bound:g}).
"""


def section(document: dict[str, Any]) -> str:
    """The section as the JSON of a run says it."""
    figures = {row["measured"]: row for row in document["rows"] if row["bench"] == NAME}
    attacks = dict.fromkeys(
        said.rpartition(f", {PLACES[0]}: ")[0] for said in figures if f", {PLACES[0]}: " in said
    )
    lines, ratios = [], []
    for attack in attacks:
        cells = [attack]
        for place in PLACES:
            answers = figures[f"{attack}, {place}: {ANSWERS}"]
            here, there = answers["figure"]["value"], answers["peer_figure"]["value"]
            ratios.append(here / there)
            cells += [f"{shown(here)} ms", f"{shown(there)} ms", f"{here / there:.2f}x"]
            cells += [_value(figures, f"{attack}, {place}: {name}") for name in (MEMORY, DISK)]
        lines.append(f"| {' | '.join(cells)} |\n")
    machine = document["machine"]
    head = HEAD.format(date=machine["date"], load=machine["load"].split()[0])
    return (
        head
        + "".join(lines)
        + END.format(
            count=len(ratios),
            good=sum(ratio <= 3 for ratio in ratios),
            worst=max(ratios),
            memory=_value(figures, "most memory under any attack"),
            most=MEMORY_MIB,
            disk=_value(figures, "most that any attack left on the disk"),
            bound=DISK_MIB,
        )
    )


def _value(figures: dict[str, Any], name: str) -> str:
    return str(shown(figures[name]["figure"]["value"]))


def main() -> None:
    """Write the section."""
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    assert SECTION.search(text)
    PAGE.write_text(SECTION.sub(lambda _: section(document), text), encoding="utf-8")


if __name__ == "__main__":
    main()
