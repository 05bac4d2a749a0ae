"""How many random moves were held against really applied quotes: a market a seed, ten moments each.

    python -m tests.foresight.moves_compared [MARKETS] [MOVES]

asks MOVES a moment, as `test_what_if` does, and stops where an answer differs.
"""

import sys

from tests.foresight.test_what_if import asked, hold_against_the_market


def compared(markets: int, moves: int) -> int:
    """How many answers were equal to the market after the quotes; AssertionError at another."""
    count = 0
    for seed in range(markets):
        for each in asked(seed, moves):
            hold_against_the_market(each)
            count += 1
    return count


if __name__ == "__main__":
    markets, moves = (int(word) for word in (sys.argv[1:] + ["3", "3"][len(sys.argv) - 1 :]))
    count = compared(markets, moves)
    print(f"{count:,} moves of {markets} markets: every answer is the market after the quotes")
