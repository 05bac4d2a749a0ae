"""Health: for whoever runs the service. Nothing here names an account or a key."""

from solvent.cluster.peers import NodeStatus
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects.system import Alive, ClusterSeen, NodeSeen, Readiness
from solvent.service.core.cluster.sights import status_of

TAG = "Operation"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNAVAILABLE = 503


async def health(call: Call) -> Reply:  # noqa: ARG001
    """The process answers."""
    return json_reply(Alive(status="alive"))


async def ready(call: Call) -> Reply:
    """Whether requests are carried out, whether histories follow, whether the clock is right."""
    node, is_ready = call.node, call.node.is_ready
    place = node.sequencer.place
    reply = json_reply(
        Readiness(
            status="ready" if is_ready else "not ready",
            part=place.part,
            sequence=place.sequence,
            epoch=place.epoch,
            lag=place.lag,
            histories="following" if node.views_writer.follows else "behind",
            histories_lag=node.views_writer.lag,
            clock="right" if node.clock.is_trusted else "leapt",
        )
    )
    return reply if is_ready else reply._replace(status=UNAVAILABLE)


async def cluster(call: Call) -> Reply:
    """Which node answers, who leads, and where all nodes of the cluster stand."""
    sights, said = call.node.sights, await call.node.sights.now()
    place = call.node.sequencer.place
    return json_reply(
        ClusterSeen(
            node=place.node,
            part=place.part,
            sequence=place.sequence,
            epoch=place.epoch,
            leader=place.leader,
            quiet_ms=int(place.quiet * 1000),
            nodes=[
                _seen(number, at.url, said.get(number, None if at.ask else status_of(place)))
                for number, at in enumerate(sights.nodes)
            ],
        )
    )


def _seen(number: int, url: str, said: NodeStatus | None) -> NodeSeen:
    if said is None:
        return NodeSeen(
            node=number, url=url, part="silent", sequence=None, epoch=None, lag=None, version=None
        )
    return NodeSeen(
        node=number,
        url=url,
        part="leads" if said.part == "leads" else "follows",
        sequence=said.sequence,
        epoch=said.epoch,
        lag=said.lag,
        version=said.version,
    )


async def metrics(call: Call) -> Reply:
    """Counters and gauges for Prometheus."""
    return Reply(200, await call.node.metrics_text.now(), METRICS_TYPE)


ENDPOINTS = [
    Endpoint(TAG, "GET", "/solvent/v1/health", health, returns=Alive),
    Endpoint(TAG, "GET", "/solvent/v1/ready", ready, returns=Readiness),
    Endpoint(TAG, "GET", "/solvent/v1/cluster", cluster, returns=ClusterSeen),
    Endpoint(TAG, "GET", "/solvent/v1/metrics", metrics, returns=str, media="text/plain"),
]
