"""A cluster's file: what it says, and the key that is blamed where it cannot be used."""

from pathlib import Path

import pytest

from solvent.cli.cluster.joining import cluster_node
from solvent.cli.cluster.settings import (
    ClusterSettings,
    LogServer,
    NodePlace,
    read_cluster,
    with_node,
    write_cluster,
)
from solvent.cli.cluster.trial import begin_trial
from solvent.domain.errors import InputError

NODE = '[[node]]\nurl = "http://node-0:8620"\npeer = "http://node-0:8630"\n'
LOG = '[[log]]\nurl = "nats://log-0:4222"\nmonitor = "http://log-0:8222"\n'
SECRET = bytes(range(32))
PLAIN = 'head = "market.head"\n'
HEAD = 'head = "market.head"\nsecret = "cluster.secret"\n'


def test_what_is_written_is_read(tmp_path: Path) -> None:
    servers = tuple(LogServer(f"nats://log-{n}:4222", f"http://log-{n}:8222") for n in range(3))
    nodes = tuple(NodePlace(f"http://node-{n}:8620", f"http://node-{n}:8630") for n in range(3))
    file = tmp_path / "cluster.toml"
    said = ClusterSettings(file, b"head", SECRET, servers, nodes, all_on_one=True)
    write_cluster(said)
    assert read_cluster(said.file) == said
    assert (tmp_path / "cluster.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "blamed"),
    [
        ("head = 1\n" + LOG + NODE, "head: must name the file that the market begins with"),
        ('head = "none"\n' + LOG + NODE, "head: none cannot be read: No such file"),
        (PLAIN + LOG + NODE, "secret: must name the file of bytes that all nodes share"),
        (PLAIN + 'secret = "none"\n' + LOG + NODE, "secret: none cannot be read: No such file"),
        (PLAIN + 'secret = "market.head"\n' + LOG + NODE, "secret: has 4 bytes and must have 32"),
        (PLAIN + 'secret = "shown"\n' + LOG + NODE, "secret: shown can be read by others: chmod"),
        (HEAD + NODE, "log: must be tables"),
        (HEAD + LOG, "node: must be tables"),
        (HEAD + "log = 3\n" + NODE, "log: must be tables"),
        (HEAD + '[[log]]\nurl = "nats://log-0:4222"\n' + NODE, r"log\[0\]: must have url and mon"),
        (HEAD + LOG + NODE + "[[node]]\nurl = 3\npeer = 4\n", r"node\[1\]: must have texts"),
        (HEAD + LOG + NODE + "weight = 3\n", r"node\[0\]: must have url and peer and nothing"),
        (HEAD + LOG + NODE.replace("8630", "x"), r"node\[0\]: peer is http://node-0:x and must"),
        (HEAD + LOG + NODE.replace(":8630", ""), r"node\[0\]: peer is http://node-0 and must"),
        (HEAD + LOG + NODE.replace("http", "ftp"), r"node\[0\]: url is ftp://node-0:8620 and"),
        ("weight = 3\n" + HEAD + LOG + NODE, "weight: is no key here"),
        ("all_on_one = 1\n" + HEAD + LOG + NODE, "all_on_one: must be true or false"),
        ("head = [", "file: cannot be read"),
    ],
)
def test_the_key_at_fault_is_named(text: str, blamed: str, tmp_path: Path) -> None:
    (tmp_path / "market.head").write_bytes(b"head")
    for name, mode in (("cluster.secret", 0o600), ("shown", 0o640)):
        (tmp_path / name).write_bytes(SECRET)
        (tmp_path / name).chmod(mode)
    (tmp_path / "cluster.toml").write_text(text)
    with pytest.raises(InputError, match=blamed):
        read_cluster(tmp_path / "cluster.toml")


WITH_PASSWORD = LOG.replace("nats://", "tls://solvent:drawn@")


def test_a_file_with_a_password_is_its_owners_alone_also_with_a_node_more(tmp_path: Path) -> None:
    (tmp_path / "market.head").write_bytes(b"head")
    (tmp_path / "cluster.secret").write_bytes(SECRET)
    (tmp_path / "cluster.secret").chmod(0o600)
    file = tmp_path / "cluster.toml"
    file.write_text(f"{HEAD}{WITH_PASSWORD}{NODE}# the last line\n")
    file.chmod(0o640)
    with pytest.raises(InputError, match="log: has a password and can be read by others: chmod"):
        read_cluster(file)
    file.chmod(0o600)
    made = with_node(read_cluster(file), NodePlace("http://node-1:8620", "http://node-1:8630"))
    assert read_cluster(file) == made
    assert len(made.nodes) == 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert "# the last line\n" in file.read_text()
    with pytest.raises(InputError, match=r"node\[2\]: url is ftp://a and must be like"):
        with_node(made, NodePlace("ftp://a", "http://a:1"))
    assert read_cluster(file) == made


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: file: cannot be read: No such file"):
        read_cluster(tmp_path / "none.toml")


PLACE = NodePlace("http://a:1", "http://a:2")


@pytest.mark.parametrize("number", [None, -1, 2])
def test_a_node_is_one_of_the_cluster(number: int | None, tmp_path: Path) -> None:
    settings = ClusterSettings(tmp_path / "c.toml", b"", SECRET, (), (PLACE, PLACE))
    with pytest.raises(InputError, match=r"--node: number: must be the number of a node of .* 1$"):
        cluster_node(settings, number)


class TestTrial:
    def test_a_folder_is_a_cluster_for_good(self, tmp_path: Path) -> None:
        made = begin_trial(tmp_path / "c", 3, "127.0.0.1", 8620, b"head")
        assert begin_trial(tmp_path / "c", 3, "127.0.0.1", 8620, b"other") == made
        with pytest.raises(InputError, match="has 3 nodes; give --cluster 3"):
            begin_trial(tmp_path / "c", 5, "127.0.0.1", 8620, b"head")

    def test_another_folder_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "notes").write_text("mine")
        with pytest.raises(InputError, match="holds no cluster; name a new or empty one"):
            begin_trial(tmp_path, 3, "127.0.0.1", 8620, b"head")
        assert [path.name for path in tmp_path.iterdir()] == ["notes"]
