"""What is said of attacks: a table, a row a strategy, and a line for each that pays."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from solvent.lab.report.formatting import number
from solvent.lab.report.summary import Sheet
from solvent.proof.attack.attacks import Attack
from solvent.proof.attack.strategies import STRATEGIES

HEAD = ("attack", "what stops it", "cost", "gain", "harm", "left")
CAPTION = (
    "USDC, the worst of {runs} each: cost by the rules, gain beyond them, harm to honest accounts, "
    "debt left unsettled"
)
PLACES = 2


def lines_of(found: Sequence[Attack], called: str) -> list[str]:
    """What of the attacks pays or breaks an invariant, and how to see it again; or that none does.

    `called` is what the command line is called.
    """
    lines = []
    for each in found:
        lines += [f"BREACH {each.strategy}: {breach}" for breach in each.breaches]
        if each.pays:
            lines.append(f"PAYS {each.strategy}: {_said(each)}")
        if each.is_fault:
            lines.append(f"  {called} sim --attack --seed {each.seed}")
    nothing = "no attack gained more than an atom a command, hurt anybody, or left anything"
    return lines or [nothing]


def sheet_of(found: Sequence[Attack], runs: int) -> Sheet:
    """A row a strategy, the worst of its runs."""
    rows = []
    for name, group in groupby(found, key=lambda each: each.strategy):
        attacks = list(group)
        rows.append(
            (
                name,
                STRATEGIES[name].stopped_by,
                _usdc(max(each.paid for each in attacks)),
                _usdc(max(each.gain for each in attacks)),
                _usdc(max(each.harm for each in attacks)),
                _usdc(max(each.left for each in attacks)),
            )
        )
    return Sheet(caption=CAPTION.format(runs=number(runs)), head=HEAD, rows=rows, text_columns=2)


def _said(each: Attack) -> str:
    return (
        f"gain {_exactly(each.gain)}, harm {_exactly(each.harm)}, left {_exactly(each.left)}, "
        f"allowed {_exactly(each.allowed)} USDC"
    )


def _usdc(value: Fraction) -> str:
    return number(_exactly(value), PLACES)


def _exactly(value: Fraction) -> Decimal:
    """10^-6 USDC as USDC, rounded down to the eighteenth place."""
    return Decimal(value * 10**12 // 1).scaleb(-18)
