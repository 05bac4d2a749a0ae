"""Oracle commands: a source's quote, and an asset's price halted or let go on.

Each has the shape of the account commands in `dispatch`: what refuses, then the change. At the end
of a moment (a command that does not say that more follow) all that was given in it takes effect
together, and then the accounts that became liquidatable are found (I41). How quotes become prices
is in `prices`.

Specification: sections 6.1, 6.4.
"""

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_VALUE
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import INT64_MAX, value_divisor
from solvent.reference import prices
from solvent.reference.ledger import borrowed_total
from solvent.reference.state import Quote, State
from solvent.reference.waterfall.gate import reckon_doubts, reckon_gate
from solvent.reference.waterfall.liquidation import watch


def update_price(state: State, command: c.UpdatePrice) -> Refusal | None:
    """Take one source's quote."""
    asset = command.asset
    if not 0 < asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    if not 0 <= command.source < len(state.prices[asset].quotes):
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    quoted = (command.bid, command.ask, command.last)
    if min(quoted) < 1 or command.bid > command.ask:
        return Refusal(RejectionCode.INVALID_PRICE)
    highest = _highest_price(state, asset)
    if max(quoted) > highest:
        return Refusal(RejectionCode.INVALID_PRICE, Limit.SUPPLY_CAP, highest)
    highest = min(highest, state.asset(asset).highest_first_price)
    if not state.prices[asset].index and max(quoted) > highest:
        return Refusal(RejectionCode.INVALID_PRICE, Limit.ATOM_VALUE, highest)
    prices.give_quote(state, asset, command.source, Quote(*quoted, state.now))
    if not command.more:
        _end_moment(state)
    return None


def _highest_price(state: State, asset: int) -> int:
    """The highest price at which the whole supply's value still fits, at most a 64-bit half."""
    supply = max(1, -state.external[asset], borrowed_total(state.pools[asset]))
    divisor = value_divisor(state.asset(asset).decimals)
    return min(INT64_MAX // 4, MAX_VALUE * divisor // supply)


def halt_price(state: State, command: c.HaltPrice) -> Refusal | None:
    """Halt an asset's price or let it go on."""
    if not 0 < command.asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    prices.give_halt(state, command.asset, halted=command.halted)
    if not command.more:
        _end_moment(state)
    return None


def _end_moment(state: State) -> None:
    """Let all prices take effect, then find the accounts that they made liquidatable."""
    prices.take_effect(state)
    watch(state)
    reckon_gate(state)
    reckon_doubts(state)
