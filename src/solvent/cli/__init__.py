"""The command line: one module a command, and the one place where errors become exit codes.

Exit codes: 0 done; 1 a check failed (an altered receipt, a log that does not replay, a breach);
2 the input cannot be used, said in one line on standard error, with nothing written; 130 and 143
interrupted; 141 the reader of the output went away.

Commands are named here and imported when they are called, so that `--help` stays quick: whatever is
heavy (NumPy, tables, the lab) is imported inside a command.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Env, Toml

from solvent import __version__
from solvent.cli.cluster import cluster_app
from solvent.cli.lab import lab_app
from solvent.domain.errors import InputError
from solvent.journal.journal_errors import JournalError

BAD_INPUT = 2
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
READER_GONE = 128 + 13  # SIGPIPE, which not every platform names

COMMANDS = {
    "demo": "Replay the crash of 10 October 2025 through the whole waterfall.",
    "up": "Serve the market: REST and WebSocket over a durable journal.",
    "cluster": "Look at a market of several nodes, and hand it from one to another.",
    "feed": "Post prices to a running market with the oracle's key.",
    "keygen": "Make key pairs for a market.",
    "call": "Send one request to a market, signed where it has to be.",
    "archive": "Move old segments of a market's journal to another folder.",
    "backup": "Copy a market's journal while it is served.",
    "restore": "Make a market's folder from a backup.",
    "readmit": "Let an operator's key into a market that has lost its own.",
    "truncate": "Give up what follows a damaged record of a market's journal.",
    "run": "Run a scenario: a packaged one by name, or a file of your own.",
    "compare": "Run a scenario with one rule or policy changed at a time, as a table.",
    "scenarios": "List the packaged scenarios.",
    "export": "Write a run's events and figures as tables, CSV or Parquet.",
    "report": "Write the report of a run, or of a market, as one HTML file.",
    "receipts": "Make receipts of a run's settlements again from its log.",
    "verify": "Compute receipts again, offline, and say which were altered.",
    "certify": "Sign what a run's market owes everybody, against what it has.",
    "prove": "Prove to an account that a certificate counts it.",
    "what-if": "Ask a book who would be liquidatable at other prices.",
    "forecast": "Say how ADL would treat an account, who could cause it, and the way out.",
    "rehearse": "Try a parameter change on a copy of a book.",
    "audit": "Replay a run's log and check every invariant and hash.",
    "lab": "The stress lab: many paths, many parameters, and how sure the result is.",
    "sim": "Let seeded random commands loose on the engine and check every invariant.",
}
UPKEEP = frozenset({"archive", "backup", "call", "keygen", "readmit", "restore", "truncate"})
"""Those that are in `upkeep`."""
AHEAD = frozenset({"forecast", "rehearse", "what-if"})
"""Those that are in `ahead`."""

GROUPS = {"cluster": cluster_app, "lab": lab_app}
"""Those with commands of their own."""


def build() -> App:
    """The command line, with every command named and none imported."""
    app = App(
        name="solvent",
        help="An open borrow/lend engine with the whole liquidation waterfall.",
        version=__version__,
        help_format="plaintext",
        default_parameter=Parameter(negative=""),
        suppress_keyboard_interrupt=False,
    )
    app.config = _configuration()
    for name, said in COMMANDS.items():
        if name in GROUPS:
            app.command(GROUPS[name](said))
            continue
        room = "upkeep." if name in UPKEEP else "ahead." if name in AHEAD else ""
        module = name.replace("-", "_")
        app.command(f"solvent.cli.{room}{module}:{module}", name=name, help=said)
    return app


def _configuration() -> Sequence[Callable[..., None]]:
    """Where options come from that are not on the command line, the first one first.

    The environment, like SOLVENT_UP_PORT, then the file that SOLVENT_CONFIG names, with a table for
    each command. What is there and no option's name is an error.
    """
    file = os.environ.get("SOLVENT_CONFIG")
    found: list[Callable[..., None]] = [Env("SOLVENT_", command=True)]
    if file:
        found.append(Toml(file, must_exist=True))
    return found


def main(arguments: Sequence[str] | None = None, app: App | None = None) -> int:
    """Carry out one command line and return its exit code.

    `arguments` default to the process's, `app` to the product's own command line.
    """
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = _carry_out(app or build(), sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered has no reader: let the flush at exit go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    return code


def _carry_out(app: App, arguments: Sequence[str]) -> int:
    try:
        result = app(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except (CycloptsError, InputError, JournalError) as error:
        return _complain(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("interrupted, nothing was written", INTERRUPTED)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", BAD_INPUT)
    return result if isinstance(result, int) else 0


def _complain(text: str, code: int) -> int:
    """Write one line on standard error and return `code`."""
    if sys.stderr is not None:
        print(f"solvent: {' '.join(text.split())}", file=sys.stderr)
    return code


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """End as an error would, so that what a command half wrote is taken away."""
    raise SystemExit(TERMINATED)
