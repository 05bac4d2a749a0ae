"""`solvent lab ...`: the stress lab, one module a command, imported when it is called."""

from cyclopts import App

LAB = {
    "run": "Run one path of a scenario, at any point of a sweep.",
    "sweep": "Run many paths at many parameter points, and say how sure the result is.",
    "tail": "Estimate what happens seldom, by strata or by splitting paths.",
    "reverse": "Find the least implausible day on which a lender loses.",
    "compare": "Run many paths under each policy or rule, and say who bears what.",
    "cover": "Say what lenders lose if the n largest providers and borrowers fail together.",
    "exits": "Run withdrawals from a full pool under each exit, and say who gets out.",
    "rates": "Run a scenario under each rate model, and say what parking utilization gains.",
    "tune": "Search many parameters, each trial proposed by what came of those before.",
    "models": "Run the same sweep under four price models, and say whether they agree.",
    "merge": "Put the shards of a sweep together.",
    "reproduce": "Print the published record of ADL beside ours.",
    "verify": "Compute some paths of a sweep again, to the bit.",
}


def lab_app(said: str) -> App:
    """The commands of the lab, named and not imported; `said` is its help."""
    app = App(name="lab", help=said)
    for name, said in LAB.items():
        app.command(f"solvent.cli.lab.{name}:{name}", name=name, help=said)
    return app
