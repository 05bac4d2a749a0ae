"""Where value ran short: who was in default and after how long, and which losses were booked.

The time to a default counts from the moment at which the account came into the waterfall to its
first round of case B. An account that is worth something must have had its patience with the book
before; one that is worth nothing is settled at once.

What an account lacks for certain is booked: a record a booking. Losses under a cent that a pool's
residue pays are among them; they lower no claim.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvent.domain.events import Event, Stepped
from solvent.domain.labels import AdlCase
from solvent.domain.units import RATIO, SECOND, VALUE_DECIMALS, format_decimal
from solvent.domain.waterfall_events import (
    AdlMatched,
    AdlOpened,
    AdlStuck,
    BookedAccount,
    BookingOpened,
    LiquidationStarted,
    PoolWrittenDown,
)
from solvent.foresight.marks import Marks, value_text
from solvent.lab.prices.paths import time_text


@dataclass(slots=True)
class _Default:
    """An account's first default: `worth` is 10^-6 USDC then, `settled` 10^-22 USDC since.

    Its liquidation had begun at `started`, and the default was at `time`.
    """

    started: int
    time: int
    worth: int
    settled: int = 0

    @property
    def after(self) -> int:
        """How long the account was in the waterfall before, in microseconds."""
        return self.time - self.started


class Defaults:
    """Follows accounts in default; feed it the events of `KINDS`.

    `now` is the time of the event's command; what a step of several passes did has its pass's.
    """

    KINDS = (LiquidationStarted, AdlOpened, AdlStuck, AdlMatched, Stepped)

    def __init__(self, marks: Marks, names: Mapping[int, str], now: Callable[[], int]) -> None:
        self._marks = marks
        self._names = names
        self._now = now
        self._started: dict[int, int] = {}
        self._is_default = False
        self._found: dict[int, _Default] = {}
        self._fresh: set[int] = set()

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, LiquidationStarted):
            self._started[event.account] = self._now()
            self._fresh.add(event.account)
        elif isinstance(event, Stepped):
            self._end_pass(event.time)
        elif isinstance(event, AdlOpened):
            self._is_default = event.case is AdlCase.BORROWER_DEFAULT
        elif not self._is_default:
            return
        elif isinstance(event, AdlStuck):
            found = _Default(self._started[event.account], self._now(), event.total_value)
            self._found.setdefault(event.account, found)
            self._fresh.add(event.account)
        elif isinstance(event, AdlMatched):
            worth = self._marks.exact(event.asset, event.quantity)
            self._found[event.payer].settled += worth

    def _end_pass(self, time: int) -> None:
        """What was heard since the pass before happened at the time of this one."""
        for account in self._fresh:
            self._started[account] = min(time, self._started[account])
            if (each := self._found.get(account)) is not None:
                each.started, each.time = min(time, each.started), min(time, each.time)
        self._fresh.clear()

    def result(self) -> list[dict[str, Any]]:
        """One record an account, those who waited least first."""
        ordered = sorted(self._found.items(), key=lambda item: (item[1].after, item[0]))
        return [
            {
                "account": number,
                "name": self._names.get(number, str(number)),
                "time": time_text(each.time),
                "after_seconds": each.after / SECOND,
                "worth": format_decimal(each.worth, VALUE_DECIMALS),
                "settled": value_text(each.settled),
            }
            for number, each in ordered
        ]


class Bookings:
    """Gathers bookings; feed it the events of `KINDS`. `now` is as for `Defaults`."""

    KINDS = (BookingOpened, BookedAccount, PoolWrittenDown, Stepped)

    def __init__(self, marks: Marks, names: Mapping[int, str], now: Callable[[], int]) -> None:
        self._marks = marks
        self._names = names
        self._now = now
        self._records: list[dict[str, Any]] = []
        self._times: list[int] = []

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Stepped):
            # A pass makes one booking at most.
            self._times[-1:] = [min(time, event.time) for time in self._times[-1:]]
        elif isinstance(event, BookingOpened):
            self._times.append(self._now())
            self._records.append(
                {
                    "booking": event.booking,
                    "accounts": [],
                    "lacked": format_decimal(event.shortfall, VALUE_DECIMALS),
                    "fund": format_decimal(event.paid, VALUE_DECIMALS),
                    "pools": [],
                }
            )
        elif isinstance(event, BookedAccount):
            name = self._names.get(event.account, str(event.account))
            self._records[-1]["accounts"].append(name)
        elif isinstance(event, PoolWrittenDown):
            self._records[-1]["pools"].append(self._pool(event))

    def _pool(self, event: PoolWrittenDown) -> dict[str, Any]:
        def atoms(quantity: int) -> str:
            return format_decimal(quantity, self._marks.decimals[event.asset])

        return {
            "asset": self._marks.symbols[event.asset],
            "claims": atoms(event.claims),
            "loss": atoms(event.loss),
            "value": value_text(self._marks.exact(event.asset, event.loss)),
            "lenders": atoms(event.lenders),
            "fraction": event.fraction / RATIO,
        }

    def result(self) -> list[dict[str, Any]]:
        """One record a booking, in order."""
        return [
            {"time": time_text(time), **record}
            for time, record in zip(self._times, self._records, strict=True)
        ]
