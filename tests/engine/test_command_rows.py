"""Rows of commands: the same from objects and from what is recorded of them."""

from hypothesis import given
from hypothesis import strategies as st

from solvent.domain import commands as c
from solvent.domain.codec.commands import EncodedCommands
from solvent.engine.memory.command_rows import command_rows, encode_batch
from tests.domain.strategies import records

any_command = st.one_of([records(kind) for kind in c.COMMAND_KINDS])


@given(st.lists(st.lists(any_command, max_size=4), max_size=4))
def test_rows_are_those_of_the_objects(groups: list[list[c.Command]]) -> None:
    rows = command_rows([EncodedCommands.of(group) for group in groups])
    assert rows.tolist() == encode_batch([each for group in groups for each in group]).tolist()


def test_no_commands_are_no_rows() -> None:
    assert command_rows([EncodedCommands(b"")]).shape == encode_batch([]).shape
