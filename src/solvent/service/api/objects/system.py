"""System and operation: whether the service runs."""

from typing import Annotated, Literal

from solvent.service.api.objects.base import ApiObject, says
from solvent.service.api.objects.enums import Blockchain, Status

Part = Literal["alone", "leads", "follows"]
"""A node's part in a cluster."""


class StatusAndMessage(ApiObject):
    """Whether the service carries out requests."""

    status: Annotated[Status, says("Ok, or Maintenance once its writer stopped.", "Ok")]
    message: Annotated[str | None, says("What is the matter; null when nothing is.")]


class WalletResponse(ApiObject):
    """A wallet of the exchange: never told, for no chain is behind the market."""

    blockchain: Annotated[Blockchain, says("Its chain.", "Solana")]
    address: Annotated[str, says("Its address.", "home")]


class Alive(ApiObject):
    """The process answers."""

    status: Annotated[Literal["alive"], says("Always alive.")]


class NodeSeen(ApiObject):
    """A node of a cluster, as the node that answers sees it."""

    node: Annotated[int, says("Its number in the cluster's file.", 0)]
    url: Annotated[str, says("Where it serves clients.", "http://node-0:8620")]
    part: Annotated[
        Literal["leads", "follows", "silent"],
        says("What it said of itself last; silent where it did not answer.", "leads"),
    ]
    sequence: Annotated[int | None, says("Its latest frame; null where it is silent.", 41)]
    epoch: Annotated[int | None, says("The epoch of that frame; null where it is silent.", 3)]
    lag: Annotated[int | None, says("Frames that it lacks of the log; null where silent.", 0)]
    version: Annotated[str | None, says("What it runs; null where it is silent.", "1.0.0")]


class ClusterSeen(ApiObject):
    """Where the nodes of a cluster stand; of a market on one node there are none."""

    node: Annotated[int, says("The number of the node that answers.", 1)]
    part: Annotated[Part, says("What it is itself.", "follows")]
    sequence: Annotated[int, says("The latest frame, or record, carried out here.", 41)]
    epoch: Annotated[int, says("How often a node has begun to lead, as far as it knows.", 3)]
    leader: Annotated[
        int | None, says("Who wrote the latest frame that it knows; null before the first.", 0)
    ]
    quiet_ms: Annotated[int, says("For how long it has carried out none.", 120)]
    nodes: Annotated[list[NodeSeen], says("All nodes, itself included, by number.")]


class Readiness(ApiObject):
    """Whether requests are carried out; status 503 when they are not."""

    status: Annotated[Literal["ready", "not ready"], says("Whether they are.")]
    part: Annotated[
        Part, says("Leads or follows in a cluster; alone where there is no other node.", "alone")
    ]
    sequence: Annotated[int, says("The latest record, or frame, that is carried out.", 41)]
    epoch: Annotated[int, says("How often a node has begun to lead; 0 where it is alone.", 0)]
    lag: Annotated[int, says("Frames of the log that are not carried out here yet.", 0)]
    histories: Annotated[
        Literal["following", "behind"],
        says("Whether histories and tickers can be asked for; the market trades either way."),
    ]
    histories_lag: Annotated[int, says("Commands that are not in the histories yet.", 0)]
    clock: Annotated[
        Literal["right", "leapt"],
        says("Whether the wall clock agrees with the market's, which does not leap."),
    ]
