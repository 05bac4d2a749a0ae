"""docs/reference/service.md says the limits, roles and own endpoints that there are."""

import re
from pathlib import Path

from solvent.service import limits
from solvent.service.core.keys import Role
from solvent.service.routes.all import ENDPOINTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "service.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_limits_are_those_in_force() -> None:
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| `([A-Z_]+)` \|$", TEXT, re.MULTILINE)
    assert len(rows) > 10
    assert [row for row in rows if row[0] != str(getattr(limits, row[1]))] == []


def test_roles_are_all_there() -> None:
    named = re.findall(r"^\| ([a-z_]+) \| [^|]+ \|$", TEXT, re.MULTILINE)
    assert {name for name in named if name != "code"} >= {role.value for role in Role}


def test_own_endpoints_are_all_there() -> None:
    listed = re.findall(r"^\| `(\w+ /[^`]*)` \| ([^|]*) \| ([^|]+) \|$", TEXT, re.MULTILINE)
    assert listed == own_endpoints()


def own_endpoints() -> list[tuple[str, str, str]]:
    """Endpoints outside the public API: request, who may, and what it is."""
    return [
        (
            f"{each.method} {each.path}",
            ", ".join(sorted(each.roles)),
            (each.handler.__doc__ or "").partition("\n")[0],
        )
        for each in ENDPOINTS
        if not each.path.startswith(("/api/v1/", "/wapi/v1/"))
    ]
