"""What is reached: who names a number is told when it is there, or that it is not."""

import asyncio

import pytest

from solvent.service.core.place import Reached

LONG = 20.0


def test_what_is_there_is_not_waited_for() -> None:
    async def story() -> list[bool]:
        reached = Reached(7)
        return [await reached.wait(number, 0.0) for number in (6, 7, 8)]

    assert asyncio.run(story()) == [True, True, False]


@pytest.mark.parametrize("told", [8, 9])
def test_who_waits_goes_on_when_it_is_there(told: int) -> None:
    async def story() -> list[bool]:
        reached = Reached(7)
        waiting = [asyncio.create_task(reached.wait(8, LONG)) for _ in range(3)]
        await asyncio.sleep(0)
        reached.tell(told)
        return await asyncio.gather(*waiting)

    assert asyncio.run(story()) == [True] * 3


def test_less_than_is_asked_for_wakes_nobody() -> None:
    async def story() -> tuple[bool, int]:
        reached = Reached(7)
        waiting = asyncio.create_task(reached.wait(9, 0.05))
        await asyncio.sleep(0)
        reached.tell(8)
        return await waiting, len(reached._waiting)

    assert asyncio.run(story()) == (False, 0)
