"""A market on several nodes: what a cluster's file says, one node of it, and a trial of all.

`solvent cluster ...` has a module a command, imported when it is called.
"""

from cyclopts import App

CLUSTER = {
    "status": "Say where each node of a cluster and each server of its log stands.",
    "check": "Say whether all nodes and servers have the same; exit code 1 where not.",
    "repair": "Let a node begin anew, and keep what it had.",
    "add": "Write one node more into a cluster's file.",
    "hand-over": "Let another node lead, without a wait for silence.",
}


def cluster_app(said: str) -> App:
    """The commands for a cluster, named and not imported; `said` is its help."""
    app = App(name="cluster", help=said)
    for name, help_of in CLUSTER.items():
        module = name.replace("-", "_")
        app.command(f"solvent.cli.cluster.{module}:{module}", name=name, help=help_of)
    return app
