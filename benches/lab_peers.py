"""What frameworks for agents and systems take for a part of the lab's screening.

    python benches/lab_peers.py mesa|radcad ACCOUNTS MINUTES

Each account holds one token and owes USDC; every minute there is a new price, and whoever is worth
less than his debt and a maintenance of 4 % is counted and taken out. Prints accounts times minutes
a second. It runs in an environment of its own (requirements/bench-lab.txt), without Solvent.
"""

import random
import sys
import time
from typing import Any

MAINTENANCE = 1.04


def prices(minutes: int) -> list[float]:
    """A walk that falls."""
    draws, level, found = random.Random(1), 1.0, []
    for _ in range(minutes):
        level *= 1.0 + draws.gauss(-0.0002, 0.002)
        found.append(level)
    return found


def cushions(accounts: int) -> list[float]:
    """What each owes, of a holding worth 1."""
    draws = random.Random(2)
    return [draws.uniform(0.3, 0.9) for _ in range(accounts)]


def mesa(accounts: int, path: list[float]) -> int:
    """An agent an account, asked in turn every minute."""
    from mesa import Agent, Model

    class Borrower(Agent):  # type: ignore[misc]
        def __init__(self, model: Any, owed: float) -> None:
            super().__init__(model)
            self.owed = owed

        def step(self) -> None:
            if self.model.price < self.owed * MAINTENANCE:
                self.model.found += 1
                self.remove()

    class Market(Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.price, self.found = 1.0, 0
            for owed in cushions(accounts):
                Borrower(self, owed)

    model = Market()
    for price in path:
        model.price = price
        model.agents.do("step")
    return model.found


def radcad(accounts: int, path: list[float]) -> int:
    """A state of lists, one update function a minute."""
    from radcad import Experiment, Model, Simulation
    from radcad.engine import Backend, Engine

    def update(_params: Any, _substep: Any, _history: Any, state: Any, _inputs: Any) -> Any:
        price = path[state["minute"]]
        left = [owed for owed in state["owed"] if price >= owed * MAINTENANCE]
        return "owed", left

    def tick(_params: Any, _substep: Any, _history: Any, state: Any, _inputs: Any) -> Any:
        return "minute", state["minute"] + 1

    model = Model(
        initial_state={"owed": cushions(accounts), "minute": 0},
        state_update_blocks=[{"policies": {}, "variables": {"owed": update, "minute": tick}}],
        params={},
    )
    experiment = Experiment([Simulation(model=model, timesteps=len(path), runs=1)])
    experiment.engine = Engine(backend=Backend.SINGLE_PROCESS, deepcopy=False, drop_substeps=True)
    found = experiment.run()
    return accounts - len(found[-1]["owed"])


def main() -> None:
    """Do it, and print the rate; both must find the same accounts."""
    name, accounts, minutes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    path = prices(minutes)
    begun = time.process_time()
    found = {"mesa": mesa, "radcad": radcad}[name](accounts, path)
    took = time.process_time() - begun
    expected = sum(1 for owed in cushions(accounts) if min(path) < owed * MAINTENANCE)
    assert found == expected, (found, expected)
    sys.stdout.write(f"{accounts * minutes / took}\n")


if __name__ == "__main__":
    main()
