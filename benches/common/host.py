"""Where a bench ran: machine, cores, how busy it was, and the versions of what took part."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benches.common.rows import NOT_INSTALLED

LIBRARIES = (
    "numpy",
    "polars",
    "llvmlite",
    "duckdb",
    "limit-order-book",
)
"""Libraries that benches measure with or against."""


def describe() -> dict[str, str]:
    """The machine in words."""
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": f"{busy:.2f} in the last minute",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version_of(name) for name in LIBRARIES},
    }


def version_of(library: str) -> str:
    """The installed version, or that there is none."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
