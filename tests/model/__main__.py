"""`python -m tests.model [letters] [depth]`: explore the small worlds and say what was seen."""

import sys
from time import perf_counter

from tests.model.explorer import explore
from tests.model.letters import ALPHABET
from tests.model.order import wrong_in
from tests.model.worlds import WORLDS


def main(letters: int = len(ALPHABET), depth: int = 5) -> int:
    """Explore all worlds; 1 where something is wrong."""
    wrong = 0
    for world in WORLDS:
        began = perf_counter()
        seen = explore(world, ALPHABET[:letters], depth, wrong_in, most_findings=5)
        wrong += len(seen.findings)
        print(
            f"{world.name}: all {letters**depth:,} sequences of {depth} of {letters} letters, "
            f"{len(seen.kinds)} kinds of command; new states by depth {seen.depths}, "
            f"{seen.transitions:,} transitions, {seen.refused:,} refusals; "
            f"{perf_counter() - began:.0f} s"
        )
        print("  " + ", ".join(f"{name} {count:,}" for name, count in sorted(seen.events.items())))
        for finding in seen.findings:
            print(f"  WRONG: {finding.wrong}\n    " + "\n    ".join(finding.letters))
    return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
