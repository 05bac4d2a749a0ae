"""What `demo` and `run` share: carry out a run, keep its folder, print its figures.

Everything that can be refused is refused before the folder is touched.
"""

import json
import shlex
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent.cli.called import called
from solvent.cli.progress import progress, say
from solvent.cli.runs.folder import refuse_foreign, run_folder
from solvent.domain.parameters import Policy
from solvent.domain.units import RATIO

if TYPE_CHECKING:
    from solvent.lab.driving import EngineFactory
    from solvent.lab.prices.feed import Foreign
    from solvent.lab.runner import RunResult
    from solvent.lab.scenario.model import Scenario


class EngineKind(StrEnum):
    """Which engine runs: the compiled one, or the one written to be read."""

    FAST = "fast"
    REFERENCE = "reference"


def engine_factory(kind: EngineKind) -> "EngineFactory":
    """What makes an engine of this kind; compiled code is made ready here."""
    if kind is EngineKind.REFERENCE:
        from solvent.reference.engine import ReferenceEngine

        return ReferenceEngine
    from solvent.engine.engine import FastEngine, machine

    machine(say)
    return FastEngine


@dataclass(frozen=True, slots=True)
class Request:
    """One run as the command line asks for it; None leaves a choice to the scenario.

    `drawn` is a path of the scenario, which is then not read again.
    """

    scenario: str
    drawn: "Scenario | None" = None
    prices: "Foreign | None" = None
    positions: Path | None = None
    policy: Policy | None = None
    default_policy: Policy | None = None
    accounts: int | None = None
    seed: int | None = None
    depth: int = RATIO
    check_depth: bool = False
    out: Path | None = None
    as_json: bool = False
    engine: EngineKind = EngineKind.FAST


def carry_out(request: Request) -> None:
    """Run, write the folder where one is asked for, and print. Raises InputError."""
    from solvent.lab.runner import run
    from solvent.lab.scenario.catalog import load_scenario

    scenario = request.drawn or load_scenario(request.scenario)
    if request.out is not None:
        refuse_foreign(request.out)
    factory = engine_factory(request.engine)
    folder = nullcontext() if request.out is None else run_folder(request.out)
    with folder as partial, progress(f"running {scenario.name}", "steps") as report:
        result = run(
            scenario,
            prices=request.prices,
            positions=request.positions,
            policy=request.policy,
            default_policy=request.default_policy,
            accounts=request.accounts,
            seed=request.seed,
            depth=request.depth,
            check_depth=request.check_depth,
            out=partial,
            check_step=partial is not None,
            progress=report,
            engine_factory=factory,
        )
    for note in result.notes:
        say(f"note: {note}")
    if request.as_json:
        print(json.dumps(result.figures))
    else:
        show(result.figures)
        if request.out is not None:
            _show_files(result, request.out)


def show(figures: Mapping[str, Any]) -> None:
    """Print the tables and the hashes of a run."""
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.report.formatting import number, utc
    from solvent.lab.report.summary import sheets

    print(f"{figures['scenario']}: {figures['description']}")
    print(f"{utc(figures['start'])} to {utc(figures['end'])}, {', '.join(figures['assets'])}")
    print(
        f"{number(figures['accounts'])} accounts, {number(figures['steps'])} steps, "
        f"{number(figures['commands'])} commands ({number(figures['refused'])} refused), "
        f"{number(figures['events'])} events"
    )
    print(
        f"seed {figures['seed']}; ADL policy {figures['policy']} for stuck lenders, "
        f"{figures['default_policy']} for defaults"
    )
    print(
        f"{number(figures['liquidated_accounts'])} accounts liquidated: "
        f"{number(figures['restored_accounts'])} restored to health, "
        f"{number(figures['closed_accounts'])} closed"
    )
    for sheet in sheets(figures):
        print_sheet(sheet)
    print()
    print(f"state_hash  {figures['state_hash']}")
    print(f"event_hash  {figures['event_hash']}")


def _show_files(result: "RunResult", out: Path) -> None:
    """Print where the files of a run are and what to type next."""
    receipts = out / "receipts.jsonl"
    written, settled = result.receipts, result.figures["receipts"]
    of_all = f"{written:,}" if written == settled else f"{written:,} of {settled:,}"
    print()
    print(f"report      {out / 'report.html'}")
    print(f"event log   {out / 'events.log'}")
    print(f"receipts    {receipts} ({of_all})")
    print()
    print("Check it:")
    print(f"  {called()} verify {shlex.quote(str(receipts))}")
    print(f"  {called()} audit {shlex.quote(str(out))}")
    if written != settled:
        print("Any other receipt:")
        print(f"  {called()} receipts {shlex.quote(str(out))} --account NUMBER")
