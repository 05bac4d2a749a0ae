"""What the tests of price files share: planting a file, reading its refusal, exact figures."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.lab.prices.paths import read_prices

MINUTE = 60 * 10**6
LONG = "time,symbol,close\n"
BARS = "time,symbol,open,high,low,close\n"
NOON = "2025-10-10 12:00"


def at(text: str) -> int:
    """Microseconds UTC of an ISO time without a zone."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def price(text: str) -> int:
    """Units of 10^-10 USDC."""
    return int(Decimal(text).scaleb(10))


def planted(folder: Path, text: str, name: str = "prices.csv") -> Path:
    """A new file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def reason(path: Path, **options: object) -> str:
    """What the refusal of a file says, without the folder it lies in; it must be one line."""
    with pytest.raises(InputError) as refusal:
        read_prices(path, **options)  # type: ignore[arg-type]
    text = str(refusal.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(f"{path.parent}/")
