"""Rounds: what a forecast says of an account, as plain numbers that leave the process apart."""

from typing import NamedTuple

import msgspec

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.parameters import Policy
from solvent.foresight.forecast import Forecaster, Listed
from solvent.foresight.leaving import Way, ways_off


class PartnerTold(NamedTuple):
    """Somebody who could be paired with the account; `move` is of 10^-9, None where none does."""

    account: int
    stake: int
    asset: int | None
    move: int | None


class WayTold(NamedTuple):
    """A command after which the round passes the account by: atoms, and its value, 10^-6 USDC."""

    command: str
    asset: int
    quantity: int
    brings: int
    value: int


class RoundTold(NamedTuple):
    """The largest round of a kind: atoms of `asset`, the value of the share in 10^-6 USDC."""

    case: AdlCase
    asset: int
    tier: Tier
    paid_in: int
    borrowed: bool
    policy: Policy
    quantity: int
    rank: int
    candidates: int
    cap: int
    allotted: int
    value: int
    reached: int | None
    partners: tuple[PartnerTold, ...]
    """The nearest to being liquidatable first."""
    ways: tuple[WayTold, ...]
    """The cheapest first."""


class RoundsTold(NamedTuple):
    """All rounds that could reach an account; `time` is the book's, microseconds UTC."""

    time: int
    rounds: tuple[RoundTold, ...]


class Taken(NamedTuple):
    """A book as it was taken."""

    state: bytes

    def snapshot(self) -> bytes:
        """Its state."""
        return self.state


def rounds_of(state: bytes, account: int) -> bytes:
    """What rounds could reach an account of a snapshot, encoded. LookupError: no such account."""
    forecaster = Forecaster(Taken(state))
    rounds = tuple(
        _told(listed, ways_off(forecaster, account, listed.place))
        for listed in forecaster.lists(account, tiers=False)
    )
    return msgspec.msgpack.encode(RoundsTold(forecaster.time, rounds))


def decode_rounds(data: bytes) -> RoundsTold:
    """What `rounds_of` encoded."""
    return msgspec.msgpack.decode(data, type=RoundsTold)


def _told(listed: Listed, ways: list[Way]) -> RoundTold:
    place, kind = listed.place, listed.place.asked.kind
    return RoundTold(
        case=kind.case,
        asset=kind.asset,
        tier=kind.means.tier,
        paid_in=kind.means.asset,
        borrowed=kind.means.borrowed,
        policy=place.policy,
        quantity=place.asked.quantity,
        rank=place.rank,
        candidates=place.candidates,
        cap=place.cap,
        allotted=place.allotted,
        value=place.value,
        reached=place.reached,
        partners=tuple(
            PartnerTold(each.account, each.stake, each.asset, each.move) for each in listed.partners
        ),
        ways=tuple(
            WayTold(
                type(way.command).__name__,
                way.command.asset,
                way.command.quantity,
                way.brings,
                way.value,
            )
            for way in ways
        ),
    )
