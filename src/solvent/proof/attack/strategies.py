"""The strategies of attackers, each with the rule that stops it.

A strategy is a script over a `World`: it asks for prices and time where it needs them, and acts
with the attackers of the world's cast. It may use whatever the state shows, and previews.
"""

from collections.abc import Callable
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.domain.units import SECOND
from solvent.proof.attack.world import Act, Acts, World
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending import wallet
from solvent.reference.queries import ReferenceQueries

PARTS = 40


class Strategy(NamedTuple):
    """One way to attack: what it tries, and the rule of the specification that stops it."""

    play: Callable[[World], Acts]
    tries: str
    stopped_by: str


def late_lender(world: World) -> Acts:
    """Lend in a pool whose borrower is ruined, and get out before the loss is booked."""
    cast = world.cast
    yield Act(c.Lend(cast.head, cast.token, world.free(cast.head, cast.token)))
    yield from _ruin(world)
    yield from world.mine(c.Lend(cast.friend, USDC, world.free(cast.friend, USDC)))
    yield from _leave(world, cast.head)
    yield from world.rest()


def jit_lender(world: World) -> Acts:
    """Lend a second before the full hour, and redeem a second after it."""
    cast = world.cast
    yield Act(c.Deposit(cast.borrower, cast.coin, world.atoms(cast.coin, 600_000)))
    yield from world.loan(cast.borrower, USDC, 380_000)
    yield Act(c.Deposit(cast.saver, USDC, world.atoms(USDC, 800_000)))
    yield from world.loan(cast.saver, cast.token, 300_000)
    for _ in range(3):
        yield from world.until_top(before=SECOND)
        for asset in (USDC, cast.token):
            yield from world.mine(c.Lend(cast.head, asset, world.free(cast.head, asset)))
        yield from world.seconds(2)
        for asset in (USDC, cast.token):
            claim = claim_of(world.state, cast.head, asset)
            yield from world.mine(c.Redeem(cast.head, asset, max(1, claim)))


def splitter(world: World) -> Acts:
    """Lend, borrow, repay and trade in many small parts, and owe nothing while the hour turns."""
    cast = world.cast
    token = cast.token
    part = max(1, world.atoms(token, 20_000) // PARTS)
    for _ in range(PARTS):
        yield from world.mine(c.Borrow(cast.friend, token, part))
        yield from world.seconds(1)
    yield from world.until_top(before=SECOND)
    for _ in range(PARTS):
        yield from world.mine(c.Repay(cast.friend, token, part))
    yield from world.seconds(2)
    yield from world.mine(c.Borrow(cast.friend, token, PARTS * part))
    for _ in range(PARTS):
        atom = world.rng.randint(1, 3)
        yield from world.mine(c.Lend(cast.head, token, atom), c.Redeem(cast.head, token, atom))
    for side in c.Side:
        market = c.OrderType.MARKET
        order = c.PlaceOrder(cast.head, token, side, market, quantity=world.lot(token))
        yield from world.mine(*[order] * PARTS)
    yield from world.until_top()


def dust_giver(world: World) -> Acts:
    """Give a ruined account an atom of a halted token, so that its loss is not booked."""
    cast = world.cast
    yield Act(c.HaltPrice(cast.other, True))
    yield from world.mine(
        c.Deposit(cast.borrower, cast.other, 1),
        c.Deposit(cast.borrower, USDC, 1),
        c.Deposit(cast.borrower, cast.token, 1),
    )
    yield from _ruin(world)
    yield from world.mine(c.Deposit(cast.borrower, cast.other, 1))
    for _ in range(5):
        yield from world.seconds(1)
        yield from world.mine(c.Deposit(cast.borrower, cast.other, 1))
    yield from world.rest()


def mark_pusher(world: World) -> Acts:
    """Quote single lots far below the index, so that a borrower near the edge is liquidated."""
    cast = world.cast
    token = cast.token
    yield Act(c.Deposit(cast.borrower, token, world.atoms(token, 150_000)))
    yield from world.loan(cast.borrower, USDC, 100_000)
    yield Act(c.CancelAllOrders(cast.maker, token))
    yield from _to_the_edge(world, cast.borrower, token)
    yield from world.mine(c.PostBackstop(cast.backer, USDC, world.atoms(USDC, 40_000)))
    lot = world.lot(token)
    for _ in range(6):
        yield from world.mine(
            c.CancelAllOrders(cast.head, token),
            c.PlaceOrder(cast.head, token, c.Side.BID, price=world.tick(token, 920), quantity=lot),
            c.PlaceOrder(cast.head, token, c.Side.ASK, price=world.tick(token, 930), quantity=lot),
        )
        yield from world.seconds(10)
    yield from world.mine(c.CancelAllOrders(cast.head, token))
    yield from world.rest()


def wash_trader(world: World) -> Acts:
    """Borrow the most, buy dear from a friend, sell back cheap, and leave the debt behind."""
    cast = world.cast
    token, lot = cast.token, world.lot(cast.token)
    yield Act(c.CancelAllOrders(cast.maker, token))
    yield Act(c.Deposit(cast.friend, cast.coin, world.atoms(cast.coin, 50_000)))
    loan = wallet.largest_borrow(world.state, cast.friend, USDC)
    yield from world.mine(c.Borrow(cast.friend, USDC, max(1, loan)))
    quantity = max(lot, world.atoms(token, 10_000) // lot * lot)
    for _ in range(PARTS // 2):
        for side, permille in ((c.Side.BID, 1450), (c.Side.ASK, 550)):
            price = world.tick(token, permille)
            other = c.Side.ASK if side is c.Side.BID else c.Side.BID
            yield from world.mine(
                c.PlaceOrder(cast.head, token, other, price=price, quantity=quantity),
                c.PlaceOrder(cast.friend, token, side, price=price, quantity=quantity),
                c.CancelAllOrders(cast.head),
                c.CancelAllOrders(cast.friend),
            )
    yield from world.seconds(1)
    for account in (cast.friend, cast.head):
        yield from _leave(world, account)
    yield from world.price(cast.coin, 99)
    yield from world.rest()


def colluding_provider(world: World) -> Acts:
    """Be liquidated by one's own backstop provider, who leaves when others are on offer."""
    cast = world.cast
    yield Act(c.Deposit(cast.friend, cast.coin, world.atoms(cast.coin, 100_000)))
    yield Act(c.PostBackstop(cast.provider, USDC, world.atoms(USDC, 20_000)))
    most = wallet.largest_borrow(world.state, cast.friend, USDC)
    yield from world.mine(
        c.Borrow(cast.friend, USDC, max(1, most)),
        c.PostBackstop(cast.backer, USDC, world.atoms(USDC, 100_000)),
    )
    taken = wallet.largest_withdraw(world.state, cast.friend, USDC, redeem=False, borrow=False)
    yield from world.mine(c.Withdraw(cast.friend, USDC, max(1, taken)))
    yield from world.price(cast.coin, world.rng.randint(90, 97))
    yield from world.rest()
    committed = world.state.accounts[cast.backer].committed[USDC]
    yield from world.mine(c.WithdrawBackstop(cast.backer, USDC, max(1, committed)))


def hider(world: World) -> Acts:
    """Owe a token whose price is halted, leave with the collateral, and let the price reopen."""
    cast = world.cast
    token = cast.token
    yield from world.loan(cast.friend, token, 30_000)
    yield Act(c.HaltPrice(token, True))
    yield from world.seconds(2)
    yield from _leave(world, cast.friend)
    yield from world.seconds(30)
    yield Act(c.HaltPrice(token, False))
    yield from world.price(token, 150)
    yield from world.rest()


def reduce_only_flipper(world: World) -> Acts:
    """Rest more reduce-only bids than is owed, repay elsewhere, and let others fill them."""
    cast = world.cast
    token, lot = cast.token, world.lot(cast.token)
    yield from world.loan(cast.friend, token, 10_000)
    quantity = max(lot, world.atoms(token, 9_000) // lot * lot)
    bid = c.PlaceOrder(
        cast.friend,
        token,
        c.Side.BID,
        price=world.tick(token, 999),
        quantity=quantity,
        reduce_only=True,
        auto_borrow_repay=True,
    )
    yield from world.mine(bid, bid, bid)
    sale = c.PlaceOrder(cast.maker, token, c.Side.ASK, c.OrderType.MARKET, quantity=quantity)
    yield Act(sale)
    debt = debt_of(world.state, cast.friend, token)
    yield from world.mine(
        c.Deposit(cast.friend, token, max(1, debt)), c.Repay(cast.friend, token, max(1, debt))
    )
    yield Act(sale)
    yield from world.mine(c.Borrow(cast.friend, token, quantity))
    yield Act(sale)
    yield from world.rest()


def share_inflator(world: World) -> Acts:
    """Lend two atoms to an empty pool and borrow one of them, over and over, before others lend."""
    cast = world.cast
    other = cast.other
    yield from world.mine(c.Lend(cast.head, other, 2))
    for _ in range(4 * PARTS):
        yield from world.mine(c.Borrow(cast.friend, other, 1), c.Repay(cast.friend, other, 2))
    yield Act(c.Lend(cast.lender, other, world.atoms(other, 180)))
    yield from world.mine(
        c.Redeem(cast.head, other, max(1, claim_of(world.state, cast.head, other)))
    )
    yield from world.until_top()


def standby_farmer(world: World) -> Acts:
    """Default on purpose, and stand by for the most to get the fee of it back from the lenders."""
    cast = world.cast
    token = cast.token
    yield Act(c.CancelAllOrders(cast.maker, token))
    yield Act(c.Deposit(cast.friend, token, world.atoms(token, 100_000)))
    premium = world.state.parameters.waterfall.max_discount
    yield from world.mine(c.PostStandby(cast.head, world.atoms(USDC, 90_000), premium))
    own, loan = world.atoms(USDC, 50_000), world.atoms(USDC, 60_000)
    yield from world.mine(
        c.Withdraw(cast.friend, USDC, own),
        c.Borrow(cast.friend, USDC, loan),
        c.Withdraw(cast.friend, USDC, loan),
    )
    yield from _to_the_edge(world, cast.friend, token)
    yield from world.price(token, 97)
    yield from world.rest()
    standby = world.state.standbys.get(cast.head)
    posted = standby.posted if standby else 1
    yield from world.mine(c.WithdrawStandby(cast.head, posted))


def _ruin(world: World) -> Acts:
    """The borrower owes most of a pool, against a coin that then loses most of its price."""
    cast = world.cast
    yield Act(c.Deposit(cast.borrower, cast.coin, world.atoms(cast.coin, 600_000)))
    yield from world.loan(cast.borrower, cast.token, 350_000)
    yield from world.seconds(1)
    yield from world.price(cast.coin, 15)


def _leave(world: World, account: int) -> Acts:
    """Take out all that can be taken, claims redeemed and margin used up.

    All that is held is asked for before the most that previews allow: a preview of nothing would
    leave the rule untried.
    """
    for asset in reversed(range(len(world.state.pools))):
        claim = claim_of(world.state, account, asset)
        if claim:
            yield from world.mine(c.Redeem(account, asset, claim))
        held = world.state.accounts[account].available[asset]
        if held:
            yield from world.mine(c.Withdraw(account, asset, held))
        for redeem, borrow in ((True, True), (True, False), (False, False)):
            most = wallet.largest_withdraw(
                world.state, account, asset, redeem=redeem, borrow=borrow
            )
            if most:
                yield from world.mine(c.Withdraw(account, asset, most, redeem, borrow))


def _to_the_edge(world: World, account: int, asset: int) -> Acts:
    """The price goes to one per cent above that at which the account is liquidatable."""
    below = ReferenceQueries(world.state).liquidation_prices(account, asset).below
    if below:
        yield from world.price_at(asset, below * 101 // 100)


STANDBY_FARMER = "standby farmer"
STRATEGIES: dict[str, Strategy] = {
    "late lender": Strategy(
        late_lender,
        "leaves a pool, or borrows against a claim on it, between insolvency and booking",
        "the gate; losses booked first and equally (8.7)",
    ),
    "JIT lender": Strategy(
        jit_lender,
        "lends two seconds around each full hour",
        "interest by the second (5.3)",
    ),
    "splitter": Strategy(
        splitter,
        "cuts loans, repayments, lends and orders into parts",
        "interest by the second; rounding against who acts (2, 5.3)",
    ),
    "dust giver": Strategy(
        dust_giver,
        "gives atoms, of a halted token too, to an insolvent account",
        "a loss is certain whatever is stale (8.7)",
    ),
    "mark pusher": Strategy(
        mark_pusher,
        "quotes single lots below the index, with a provider at hand",
        "the impact notional (6.4)",
    ),
    "wash trader": Strategy(
        wash_trader,
        "moves worth from a borrower to a friend by trades off the index",
        "margin asked at each fill (6.3)",
    ),
    "colluding provider": Strategy(
        colluding_provider,
        "is liquidated by a provider of its own",
        "the discount is capped, a third goes to the fund (7.4)",
    ),
    "hider": Strategy(
        hider,
        "owes a halted token and leaves with the collateral",
        "a stale debt counts (1 + doubt) times in its own commands (4)",
    ),
    "reduce-only flipper": Strategy(
        reduce_only_flipper,
        "rests more reduce-only bids than it owes",
        "reduce-only is asked at the fill and trimmed (6.3)",
    ),
    "share inflator": Strategy(
        share_inflator,
        "borrows and repays an atom of an empty pool before others lend",
        "rounding gains go to the residue sink (2)",
    ),
    STANDBY_FARMER: Strategy(
        standby_farmer,
        "defaults on purpose and stands by for the fee",
        "a share of the fee stays with the lenders (8.10)",
    ),
}
"""Every strategy by its name, in the order of the table."""
