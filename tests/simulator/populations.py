"""Boundary populations: a few accounts just where a planted bug shows, as stories.

Seeds find what nobody thought of, and miss what happens at one value among millions. A population
is told like a story (`tests.tables.story`), in an engine without the bug, so that its rows say what
is right; the commands it was made of are then given to an engine with the bug.
"""

from functools import cached_property

from solvent.domain.commands import Command
from solvent.domain.parameters import EngineParameters
from solvent.proof.fuzz.checked import CheckedEngine
from solvent.proof.invariants.invariants import Breach
from solvent.reference.engine import ReferenceEngine
from tests.tables.story import Story, run_story


class Population:
    """Accounts at a boundary and what happens to them, by the rows of a story."""

    def __init__(self, rows: str) -> None:
        self.rows = rows

    @cached_property
    def story(self) -> Story:
        """The story, told to the engine as it is when this is asked first."""
        return run_story(self.rows)

    def first_breaches(self) -> tuple[int, list[Breach]]:
        """The story's commands again, up to the first that breaks anything: how many, and what."""
        return first_breaches(self.story.parameters, self.story.log)


def first_breaches(
    parameters: EngineParameters, commands: list[Command]
) -> tuple[int, list[Breach]]:
    """Commands until an engine broke something, and what; nothing where it did not."""
    under = CheckedEngine(ReferenceEngine(parameters), look_every=1)
    for done, command in enumerate(commands, 1):
        under.carry_out(command)
        if under.breaches:
            return done, under.breaches
    return len(commands), []


AT_MAINTENANCE = Population("""
    deposit ann SOL 100
    lend    ann SOL 100
    deposit bob USDC 20,400
    price   SOL 100
    borrow  bob SOL 100
    withdraw bob SOL 100
    price   SOL 200                       # net equity 400, maintenance 2 % of 20,000
    saw     LiquidationStarted account=bob net_equity=400 maintenance=400
""")
"""The highest price at which a loan is not liquidated yet is one unit lower."""

MOST_IS_LOST = Population("""
    deposit ann SOL 100
    lend    ann SOL 100
    deposit bob USDC 22,000
    borrow  bob SOL 100
    withdraw bob SOL 100
    price   SOL 2,000                     # 22,000 for a debt of 200,000
    step    +1s
    saw     PoolWrittenDown asset=SOL claims=100SOL loss=89SOL
    saw     SharesRescaled asset=SOL of_debts=0
    # A share is worth at least half an atom again, so a lend fits its columns.
    expect  pool SOL lend_index > 0.5
""")
"""Claims lose eight parts in nine: a share is worth next to nothing."""

A_LENDER_OWES = """
    price   BTC 1,000
    deposit eve USDC 1,000,000
    lend    eve USDC 1,000,000
    deposit ann BTC 5
    lend    ann BTC 5
    deposit bea BTC 4.999
    lend    bea BTC 4.999
    borrow  bea USDC 4,500
    deposit bob SOL 60
    borrow  bob BTC 9.999
"""
"""What one pool loses makes a lender of it insolvent, who owes the other."""

A_LOSS_SPREADS = Population(
    A_LENDER_OWES
    + """
    withdraw bea USDC 4,500
    withdraw bob BTC 9.999
    price   SOL 100                       # 6,000 for a debt of 9,999
    # The pool of USDC is impaired before anything is booked: bea will lack 1,500.30 of 4,500.
    redeem  eve USDC 1                    | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
    step    +1s
    saw     BookedAccount account=bea round=2
"""
)

THE_INSOLVENT_REPAY = Population("""
    deposit ann SOL 100
    lend    ann SOL 100
    deposit eve BTC 1
    lend    eve BTC 1
    deposit bob USDC 130,000
    borrow  bob SOL 100
    withdraw bob SOL 50
    borrow  bob BTC 1
    withdraw bob BTC 1
    price   SOL 2,000                     # 230,000 for debts of 300,000, 50 SOL free
    repay   bob SOL 50                    | ACCOUNT_LIQUIDATING INSOLVENCY_GATE 0
    deposit bob USDC 1
    step    +1s
    saw     DebtWrittenOff account=bob asset=SOL
    saw     DebtWrittenOff account=bob asset=BTC
""")
"""Who lacks of two pools has tokens of one of them, and would make the other bear all."""

WHO_OWES_TOO_MUCH = """
    set waterfall.patience 1
    set waterfall.opposites_fee 1%
    deposit lender USDC 1,000,000
    lend    lender USDC 1,000,000
    deposit bob SOL 100
    borrow  bob USDC 17,000
    withdraw bob USDC 17,000
"""
"""Bob holds SOL that nobody bids for; at 190 he is worth 2,000 and below maintenance."""

PAID_IN_LIGHTER_TOKENS = Population(
    WHO_OWES_TOO_MUCH
    + """
    price   SOL 190
    step    +1s
    # SOL weighs 0.9, the lender's claim on USDC all of itself: his NE - M falls.
    saw     AdlLeg giver=bob receiver=lender asset=SOL tier=FLAGGED
    unseen  AdlLeg tier=IN_KIND
"""
)
"""Who is in default has nothing that weighs as much as his lender's claim."""

AN_OPPOSITE_HAS_CASH = Population(
    WHO_OWES_TOO_MUCH
    + """
    deposit sue SOL 100
    lend    sue SOL 100
    deposit eve USDC 40,000
    borrow  eve SOL 60
    withdraw eve SOL 60
    price   SOL 190
    step    +1s
    saw     AdlOpened case=OPPOSITES
    saw     AdlMatched lender=bob payer=eve value=2296.506902 fee=23.197039
"""
)
"""Who is closed against an opposite bears the stated fee, all of it."""

A_PROVIDER_HAS_LITTLE = Population(
    WHO_OWES_TOO_MUCH
    + """
    open    vera provider
    deposit vera USDC 50
    commit  vera USDC 17,000
    price   SOL 190
    step    +1s
    saw     BackstopFilled provider=vera
    expect  vera USDC owed < 17,000
"""
)
"""A provider is committed to more than his margin bears."""

NOBODY_BUYS = Population(
    WHO_OWES_TOO_MUCH
    + """
    price   SOL 192.1                     # MF 1.7 %, between ACMF 1.4 % and 2 %
    expect  bob liquidating 1
    step    +1s
    saw     AdlOpened case=BORROWER_DEFAULT
    saw     LiquidationEnded account=bob
"""
)
"""Between auto-close and maintenance only patience hands over what nobody buys."""

SOMEBODY_HAS_TOKENS = Population("""
    deposit ann USDC 100
    step    +1s
    expect  ann USDC available 100
    expect  fund USDC available 0
    expect  treasury USDC available 0
""")
"""A step may touch the fund and the treasury, and neither has any USDC here."""

LENDERS_WOULD_LEAVE = Population("""
    deposit ann SOL 150
    lend    ann SOL 150
    deposit bob USDC 22,000
    borrow  bob SOL 100
    withdraw bob SOL 100
    price   SOL 250                       # 22,000 for a debt of 25,000, and 50 SOL in the pool
    redeem  ann SOL 1                     | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
    step    +1s
    saw     PoolWrittenDown asset=SOL claims=150SOL loss=12SOL
    redeem  ann SOL 1
""")
"""A pool has cash for those who are quick, and a loss that nobody has booked."""

A_CLAIM_BECOMES_DUST = Population("""
    deposit ann SOL 1,000
    lend    ann SOL 1,000
    deposit eve USDC 1,000
    lend    eve USDC 1,000
    deposit cat BTC 1
    borrow  cat SOL 100
    withdraw cat SOL 100
    deposit bob BTC 0.002
    deposit bob SOL 0.000026
    lend    bob SOL 0.000026
    borrow  bob USDC 100
    withdraw bob USDC 100
    halt    SOL
    price   BTC 1,000                     # bob's claim falls from 0.0104 to 0.0095 USDC
    step    +1s
    saw     PoolWrittenDown asset=USDC
""")
"""A claim on a halted token counts from 0.01 USDC on, and loses that by the loss of its pool."""

INTEREST_WAITS = Population("""
    set SOL pool.curve.points 0:80% 1:80%
    deposit ann SOL 1,000
    lend    ann SOL 1,000
    deposit bob BTC 1
    borrow  bob SOL 280
    withdraw bob SOL 280
    halt    BTC
    price   SOL 1,000
    step    +1s
    step    +59s
    saw     PoolWrittenDown asset=SOL
    step    +60s
    saw     PoolWrittenDown asset=SOL
    step    +60s
    saw     PoolWrittenDown asset=SOL
""")
"""Nobody acts, and what a halted token covers loses its interest for certain, 0.3 USDC a minute."""

SOMEBODY_STANDS_BY = Population("""
    set waterfall.max_discount 20%
    deposit eve USDC 20,000
    lend    eve USDC 20,000
    deposit ann SOL  100
    lend    ann SOL  100
    borrow  ann USDC 17,000
    withdraw ann USDC 17,000
    deposit bob BTC  0.4
    borrow  bob SOL  100
    withdraw bob SOL 100
    deposit sue USDC 10,000
    stand_by sue 10,000 at 20%
    price   SOL 190
    step    +1s
    saw     AdlLeg giver=bob receiver=ann asset=BTC tier=IN_KIND
    saw     StandbySwapped standby=sue receiver=ann asset=BTC
    expect  ann BTC available 0
""")
"""The only one who stands by asks for more than the stuck lender bears."""

THE_FAST_LEAVE = Population("""
    deposit ann USDC 700
    lend    ann USDC 700
    deposit bea USDC 300
    lend    bea USDC 300
    price   SOL 110
    deposit bob SOL 7.5
    borrow  bob USDC 600
    withdraw bob USDC 600
    price   SOL 100
    halt    SOL
    redeem  bea USDC 300                  | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 232.5
    redeem  bea USDC 100
    redeem  bea USDC 200                  | INSUFFICIENT_SUPPLY UNCERTAIN_LOSS 132.5
    deposit bea USDC 1
    lend    bea USDC 1
    step    +1s
    resume  SOL
    redeem  bea USDC 200
""")
"""A lender in parts out of a pool of which a halted token may take 22.5 %."""
