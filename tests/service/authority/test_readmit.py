"""A lost operator: `up` names the command that recovers, and whoever has the folder lets one in."""

from pathlib import Path

import pytest

from tests.cli.helpers import files, solvent
from tests.proof import proves
from tests.service.clients.served import OPERATOR, STAFF, Staff, key_of, serving

LOST, FOUND = key_of("an operator"), key_of("another operator")


@pytest.mark.slow
@proves("I36")
def test_an_operator_comes_back_by_who_has_the_folder(tmp_path: Path) -> None:
    """S12: the old market says how; it is an act in the log; the others go on as they were."""
    place = tmp_path / "market"
    with serving(tmp_path):
        pass
    kept = files(place / "journal")
    words = ("up", "--folder", place, "--port", "0", "--operator-key")
    refused = solvent(*words, FOUND.public)
    assert refused.returncode == 2
    assert f"solvent readmit {place} --operator-key KEY" in refused.stderr
    assert files(place / "journal").keys() == kept.keys()

    assert solvent("readmit", place, "--operator-key", "abc").returncode == 2
    assert solvent("readmit", tmp_path / "nowhere", "--operator-key", FOUND.public).returncode == 2
    assert not (tmp_path / "nowhere").exists()
    said = solvent("readmit", place, "--operator-key", FOUND.public)
    assert (said.returncode, said.stderr) == (0, "")
    again = solvent("readmit", place, "--operator-key", FOUND.public)
    assert again.returncode == 2
    assert "in use" in again.stderr

    with serving(tmp_path, *STAFF) as service:
        found = Staff(service, FOUND)
        keys = found.get("/solvent/v1/admin/keys", "adminKeyQuery")
        assert [key["role"] for key in keys].count("operator") == 2
        last = found.get("/solvent/v1/audit", "auditQuery")[-2:]
        assert [(each["role"], each["act"]) for each in last] == [("house", "AdmitKey")] * 2
        found.post_digest(
            "/solvent/v1/admin/keys", "adminKeyRemove", {"publicKey": OPERATOR.public}, "DELETE"
        )


def test_nobody_is_let_in_while_the_market_is_served(tmp_path: Path) -> None:
    with serving(tmp_path):
        refused = solvent("readmit", tmp_path / "market", "--operator-key", LOST.public)
    assert refused.returncode == 2
    assert "another process has this journal open" in refused.stderr
