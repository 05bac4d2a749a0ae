"""The audit file: whole after every end, put aside where it does not fit, readable by its owner."""

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest

from solvent.service.authority.audit import AuditEntry
from solvent.service.authority.audit_file import AuditFile
from solvent.service.core.opening import AUDIT, open_node
from solvent.service.limits import AUDIT_KEPT
from tests.service.harness import House, with_house


async def acts(house: House) -> tuple[list[AuditEntry], list[object]]:
    """Some acts, and what the log and the endpoint say of them."""
    reply = await house.client("auditor").get("/solvent/v1/audit", "auditQuery", limit=5)
    assert reply.status_code == 200
    return list(house.node.market.desk.audit.latest), reply.json()


def lines(folder: Path) -> list[dict[str, object]]:
    """The file's objects."""
    return [msgspec.json.decode(line) for line in (folder / AUDIT).read_bytes().splitlines()]


def test_the_file_has_every_entry_and_is_its_owners(tmp_path: Path) -> None:
    entries, shown = with_house(tmp_path, acts)
    found = lines(tmp_path)
    assert [each["hash"] for each in found] == [each.hash for each in entries]
    assert stat.S_IMODE((tmp_path / AUDIT).stat().st_mode) == 0o600
    assert shown[-1]["number"] == len(entries)  # type: ignore[index]
    assert {each["act"] for each in found} >= {"AdmitKey", "OpenAccount", "BookDeposit"}


@pytest.mark.parametrize("harm", ["lost", "cut", "changed", "longer"])
def test_a_file_that_does_not_fit_is_mended(tmp_path: Path, harm: str) -> None:
    entries, _ = with_house(tmp_path, acts)
    path = tmp_path / AUDIT
    written = path.read_bytes()
    if harm == "lost":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(written[:-7])
    elif harm == "changed":
        path.write_bytes(written.replace(entries[-1].hash.encode(), b"0" * 32))
    else:
        path.write_bytes(written + written.splitlines(keepends=True)[-1])
    node = open_node(tmp_path, None)
    assert list(node.market.desk.audit.latest) == entries
    asyncio.run(node.close())
    assert [each["hash"] for each in lines(tmp_path)] == [each.hash for each in entries]
    aside = list(tmp_path.glob("audit.*.jsonl"))
    assert len(aside) == (harm in ("changed", "longer"))


def test_old_entries_are_read_from_the_file(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "a.jsonl")
    count = 2 * AUDIT_KEPT + 5
    entries = [
        AuditEntry(number, number, 1, "r", "A", f'{{"n":{number}}}', "done", 0, "h")
        for number in range(1, count)
    ]
    file.write(entries)
    file.write(entries)
    for first in (1, 999, 1000, 1001, 1999, 2000, 2001):
        assert file.read(first, 3) == entries[first - 1 : first + 2]
    file.close()
    again = AuditFile(tmp_path / "a.jsonl")
    assert again.last == count - 1
    assert again.read(2000, 2) == entries[1999:2001]
    again.close()
