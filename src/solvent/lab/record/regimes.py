"""Regret where two regimes alternate: a fixed severity pays every round, one that learns does not.

In rounds that alternate, a light and a heavy regime each have a severity that would have been right
(`RIGHT`), and a severity costs its distance from it. Any fixed one pays at least half the distance
between the two in the mean, for ever: its regret against the right one of each regime is linear in
the rounds. Projected subgradient descent with a step of 1 / sqrt(t), one memory a regime, pays
O(sqrt(rounds)).

The paper (arXiv 2512.01112) prints orders and no numbers, so orders are what is compared.
"""

from math import log, sqrt

RIGHT = (0.2, 0.8)
START = 0.5
SHORT, LONG = 1_000, 64_000


def fixed_regret(severity: float, rounds: int) -> float:
    """What a fixed severity pays in all; the right ones pay nothing."""
    return sum(abs(severity - RIGHT[each % 2]) for each in range(rounds))


def learned_regret(rounds: int) -> float:
    """What descent pays in all."""
    learned, paid = [START, START], 0.0
    for each in range(rounds):
        regime = each % 2
        distance = learned[regime] - RIGHT[regime]
        paid += abs(distance)
        step = 1.0 / sqrt(each // 2 + 1)
        # Any slope from -1 to 1 is one at the very point; 0 would end the descent by chance.
        slope = 1.0 if distance >= 0.0 else -1.0
        learned[regime] = min(1.0, max(0.0, learned[regime] - step * slope))
    return paid


def best_fixed_order() -> float:
    """The power of rounds with which the best of 101 fixed severities' regret grows."""

    def best(rounds: int) -> float:
        return min(fixed_regret(each / 100, rounds) for each in range(101))

    return _order(best(SHORT), best(4 * SHORT), 4)


def learned_order() -> float:
    """The power of rounds with which descent's regret grows."""
    return _order(learned_regret(SHORT), learned_regret(LONG), LONG // SHORT)


def _order(less: float, more: float, times: int) -> float:
    return log(more / less) / log(times)
