"""Nodes and log servers are killed and paused under real clients, and nothing is lost."""

from pathlib import Path

import msgspec
import pytest

from tests.cluster.rehearsals import AT_ONCE, SHARD, Line, lines_of, rehearse_many, together
from tests.sizes import sized

HARMS = sized(4, 200, 2000)
SHARDS = max(AT_ONCE, HARMS // 100)
SEED = 15


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    each = -(-HARMS // SHARDS)
    found = rehearse_many(tmp_path / "lines", range(SEED, SEED + SHARDS), each)
    done = together(found)
    assert [(line.seed, line.flaw) for line in found if line.flaw] == []
    assert len(found) == SHARDS
    assert done.harms >= HARMS
    assert done.orders > 5 * HARMS
    assert done.reads > HARMS


def test_a_rehearsal_that_a_file_has_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    line = Line(1, SHARD, 900, 90, {"kill node": [1.5]}, None)
    whole = msgspec.json.encode(line) + b"\n"
    path.write_bytes(whole + whole[:40])
    assert lines_of(path) == [line] == rehearse_many(path, [1], SHARD)
    assert path.read_bytes() == whole
    assert together([line] * 2).pauses == {"kill node": [1.5, 1.5]}
