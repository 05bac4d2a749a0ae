"""One scenario under several rules: the same people, prices and seed, one choice changed at a time.

What differs between two rows is the choice alone. Rules are taken away one by one from the
scenario's own (`RULES`), or a policy is replaced by each that there is (`policies`).

Deliberately absent: several changes at once; write them into a scenario of your own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from solvent.domain.parameters import Policy, WaterfallParameters
from solvent.foresight.stage_figures import OPPOSITES
from solvent.lab.driving import EngineFactory
from solvent.lab.report.formatting import ABSENT, money, number, percent, trimmed
from solvent.lab.report.summary import Sheet
from solvent.lab.runner import run
from solvent.lab.scenario.model import Scenario
from solvent.reference.engine import ReferenceEngine

Change = Callable[[WaterfallParameters], WaterfallParameters]


class Variant(NamedTuple):
    """A row of the comparison: what is changed, and how."""

    name: str
    change: Change


RULES: tuple[Variant, ...] = (
    Variant("as it is", lambda rules: rules),
    Variant("opposites off", lambda rules: replace(rules, opposites=False)),
    Variant("tiers off", lambda rules: replace(rules, tiers=False)),
    Variant("patience 1", lambda rules: replace(rules, patience=1)),
    Variant("mark limits off", lambda rules: replace(rules, mark_limits=False)),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A variant and its run's figures (`runner.run`)."""

    name: str
    figures: Mapping[str, Any]


def policies(*, default: bool) -> tuple[Variant, ...]:
    """A row for each policy: of case B where `default`, else of case L."""

    def to(policy: Policy) -> Variant:
        name = policy.name.lower().replace("_", "-")
        if default:
            return Variant(name, lambda rules: replace(rules, default_policy=policy))
        return Variant(name, lambda rules: replace(rules, lender_policy=policy))

    return tuple(map(to, Policy))


def compare(
    scenario: Scenario,
    variants: Sequence[Variant],
    *,
    accounts: int | None = None,
    seed: int | None = None,
    engine_factory: EngineFactory = ReferenceEngine,
) -> Iterator[Compared]:
    """Carry the scenario out once a variant; further arguments and errors are `runner.run`'s."""
    for variant in variants:
        parameters = scenario.parameters
        changed = replace(parameters, waterfall=variant.change(parameters.waterfall))
        result = run(
            replace(scenario, parameters=changed),
            accounts=accounts,
            seed=seed,
            engine_factory=engine_factory,
        )
        yield Compared(variant.name, result.figures)


def comparison_sheets(rows: list[Compared]) -> list[Sheet]:
    """What ADL moved, in what it was paid, what that was worth later, and who was in default."""
    paid = ("", "Opposites", "Owed to lenders", "Token", "USDC", "Kind", "Claims", "Deficit")
    defaults = ("", "In default", "Worth something", "The first after", "The last after")
    later = ("", "Liquidated", "Closed", "Token or USDC", "Kind 1 h later", "Kind at the end")
    return [
        Sheet(
            "What ADL moved, USDC, and in what lenders were paid",
            paid,
            [_paid(row) for row in rows],
        ),
        Sheet(
            "Of all that ADL moved, in the token or in USDC; payments in kind, worth later",
            later,
            [_later(row) for row in rows],
        ),
        Sheet(
            "Who was in default; how long after coming into the waterfall, if worth something",
            defaults,
            [_in_default(row) for row in rows],
        ),
    ]


def _paid(row: Compared) -> tuple[str, ...]:
    lenders = row.figures["lenders"]
    received = Decimal(lenders["received"])
    forms = (lenders[form] for form in ("in_token", "in_usdc", "in_kind", "as_claims"))
    return (
        row.name,
        money(_opposites(row)),
        money(lenders["owed"]),
        *(_share(Decimal(value), received) for value in forms),
        money(lenders["deficit"]),
    )


def _later(row: Compared) -> tuple[str, ...]:
    figures, lenders = row.figures, row.figures["lenders"]
    opposites = _opposites(row)
    plain = opposites + Decimal(lenders["in_token"]) + Decimal(lenders["in_usdc"])
    hour, end = figures["kind_later"]["after"][0], figures["kind_later"]["end"]
    return (
        row.name,
        number(figures["liquidated_accounts"]),
        number(figures["closed_accounts"]),
        _share(plain, opposites + Decimal(lenders["received"])),
        *(_share(Decimal(each["worth"]), Decimal(each["paid"])) for each in (hour, end)),
    )


def _in_default(row: Compared) -> tuple[str, ...]:
    defaults = row.figures["defaults"]
    waits = [each["after_seconds"] for each in defaults if Decimal(each["worth"]) > 0]
    ends = (f"{trimmed(end)} s" for end in (min(waits), max(waits))) if waits else (ABSENT,) * 2
    return row.name, number(len(defaults)), number(len(waits)), *ends


def _opposites(row: Compared) -> Decimal:
    """What opposites closed: both sides of it in the token or in USDC."""
    (stage,) = (each for each in row.figures["stages"] if each["stage"] == OPPOSITES)
    return Decimal(stage["value"])


def _share(part: Decimal, whole: Decimal) -> str:
    """A part of what is worth a cent or more; less is dust, of which a share says nothing."""
    return percent(part / whole) if whole >= Decimal("0.01") else ABSENT
