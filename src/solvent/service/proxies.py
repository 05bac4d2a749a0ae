"""Proxies: whose requests come through one, and who really asks.

Behind a proxy everybody has its address. One that is trusted, by its address, says for whom it
asks: in `X-Forwarded-For`, whose last entry that is no trusted proxy is the client, or, where it
passes connections on as they are, in the PROXY protocol's line before them. Nobody else is
believed: whoever writes such a header himself stays who he is.
"""

import ipaddress
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The trusted proxies, networks like 10.0.0.0/8. Raises ValueError for what is none."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(each) for each in networks]
        self._told: dict[int, str] = {}

    def is_one(self, host: str) -> bool:
        """Whether an address is a trusted proxy's."""
        if not self._networks:
            return False
        address = _address(host)
        return address is not None and any(address in network for network in self._networks)

    def tell(self, port: int, host: str | None) -> None:
        """A connection that we passed on to ourselves from this port is a host's; None: no more."""
        if host is None:
            self._told.pop(port, None)
        else:
            self._told[port] = host

    def peer(self, peer: tuple[str, int | str]) -> tuple[str, int]:
        """Who is at the other end of a connection, which we may have passed on to ourselves."""
        host, port = peer[0], int(peer[1])
        # The server below gives ports as texts.
        return (self._told.get(port, host) if self._told else host), port

    def client(
        self, peer: tuple[str, int | str] | None, headers: Sequence[tuple[bytes, bytes]]
    ) -> str:
        """The address of who asks."""
        if peer is None:
            return ""
        host = self.peer(peer)[0]
        if not self.is_one(host):
            return host
        said = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        for each in reversed(said.decode("latin-1").split(",")):
            named = _address(each.strip())
            if named is None:
                break
            host = str(named)
            if not self.is_one(host):
                break
        return host


def counted_as(host: str) -> str:
    """As whose an address counts: in IPv6 all of a network of 64 bits, which is one customer's."""
    if ":" not in host:
        return host
    found = _address(host.partition("%")[0])
    if not isinstance(found, ipaddress.IPv6Address):
        return host if found is None else str(found)
    return str(ipaddress.ip_network((int(found), _NETWORK_BITS), strict=False).network_address)


_NETWORK_BITS = 64


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
