"""The front: which pages of a browser, and under which names, may speak to the service.

A page of another site can make its visitor's browser connect to a service on the same machine, and
by rebinding a name of its own to 127.0.0.1 read the answers too. Such a page says its origin, and
its requests name a host that is not the service's. So an origin must be listed or be the very host
that the request names, which is the service's own page, and a host that is a name, not a number,
must be one of the service's. In a cluster the page that one node serves may ask the others: their
addresses are in the cluster's file, and no other counts.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from solvent.service.limits import LOOPBACK


class Front(NamedTuple):
    """Origins of pages that are served, none by default, and names of the host; None: any name.

    `proxies` are the networks of trusted proxies; with `has_proxy_line` each connection begins with
    one of theirs. `health_port` is the port of the door for health and metrics, if there is one.
    `nodes` are the origins of a cluster's nodes, in the order of their numbers.
    """

    origins: Collection[str] = ()
    hosts: Collection[str] | None = None
    proxies: Collection[str] = ()
    has_proxy_line: bool = False
    health_port: int | None = None
    nodes: tuple[str, ...] = ()

    def among(self, urls: Iterable[str]) -> Self:
        """The front of a node of a cluster whose nodes serve at these addresses."""
        parts = [urlsplit(url) for url in urls]
        names = {each.hostname for each in parts if each.hostname}
        nodes = tuple(_origin(each.scheme, each.hostname or "", each.port) for each in parts)
        return self._replace(nodes=nodes, hosts=frozenset({*(self.hosts or ()), *names}))

    def lets(self, origin: str) -> bool:
        """Whether pages of another origin are served: a listed one, or another node's."""
        return origin in self.origins or origin in self.nodes

    def refusal(self, origin: str | None, host: str | None) -> str | None:
        """Why a request with these headers is not served, if it is not."""
        is_own = self.hosts is not None and host is not None and origin in _origins(host)
        if origin is not None and not is_own and not self.lets(origin):
            return "this origin is not served; the operator may list it with --origin"
        if self.hosts is None or host is None:
            return None
        name = _name(host)
        if name in self.hosts or name in LOOPBACK or _is_number(name):
            return None
        return "this host name is not served; the operator may list it with --host-name"


def is_origin(text: str) -> bool:
    """Whether a browser could say this of a page: scheme, host and port, in small letters."""
    return _ORIGIN.fullmatch(text) is not None


def is_host_name(text: str) -> bool:
    """Whether a request could name this host, in letters of any size."""
    return _HOST.fullmatch(text) is not None


_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", re.ASCII)
_ORIGIN = re.compile(
    r"https?://([a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII
)


_PORTS = {"http": 80, "https": 443}


def _origin(scheme: str, host: str, port: int | None) -> str:
    """An origin as browsers say it: without the port that its scheme has anyway."""
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port in (None, _PORTS.get(scheme)) else f":{port}")


def _origins(host: str) -> tuple[str, str]:
    """The origins of pages that come from a host, which a proxy may serve over TLS."""
    return f"http://{host.lower()}", f"https://{host.lower()}"


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
