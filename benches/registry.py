"""The benches by name: what each asks, and the module that answers, imported when it is run."""

from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module

from benches.common.rows import Row


class Bench(StrEnum):
    """The benches in the order in which `all` runs them."""

    ARITHMETIC = "arithmetic"
    HEALTH_SCAN = "health-scan"
    MARGIN_WATCH = "margin-watch"
    WHAT_IF = "what-if"
    FORECASTS = "forecasts"
    CERTIFICATES = "certificates"
    COMMANDS = "commands"
    ORDER_BOOK = "order-book"
    WAITING = "waiting"
    ADL_ROUND = "adl-round"
    BURST = "burst"
    BOOKINGS = "bookings"
    RESOLVE = "resolve"
    GROWTH = "growth"
    SERVICE = "service"
    LATENCY = "latency"
    EDGE = "edge"
    FAN_OUT = "fan-out"
    SLOW_SOCKETS = "slow-sockets"
    HOSTILE = "hostile"
    CLUSTER = "cluster"
    RECOVERY = "recovery"
    MEMORY = "memory"
    FILES = "files"
    WHOLE_RUN = "whole-run"
    LAB = "lab"


MODULES = {
    Bench.SERVICE: "service.throughput",
    Bench.LATENCY: "service.latency",
    Bench.EDGE: "service.edge",
    Bench.FAN_OUT: "service.fan_out",
    Bench.SLOW_SOCKETS: "service.slow_sockets",
    Bench.HOSTILE: "service.hostile",
    Bench.CLUSTER: "service.cluster",
    Bench.RECOVERY: "service.recovery",
    Bench.MEMORY: "service.memory",
}
"""Where a bench is that has no module of its own name here."""


def run_bench(bench: Bench, *, quick: bool = False) -> Iterator[Row]:
    """Rows of one bench as they are measured. Raises WrongAnswerError.

    `quick` takes sizes that only show that the bench works.
    """
    module = import_module(f"benches.{MODULES.get(bench, bench.replace('-', '_'))}")
    rows: Iterator[Row] = module.bench(quick=quick)
    return rows
