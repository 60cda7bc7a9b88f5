"""The caller's address: that of the connection, unless it is a trusted proxy that says for whom it calls."""

import ipaddress

from fairkey.gates.rules import Network


def caller_address(peer: str, forwarded_for: str, trusted_proxies: tuple[Network, ...]) -> str:
    """Walk `X-Forwarded-For` from our side outwards past trusted proxies; the first stranger is the caller.

    What stands left of the first stranger was written by the stranger and is never believed. Unreadable text ends the
    walk.
    """
    address = peer
    hops = [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []
    while hops and _is_trusted(address, trusted_proxies):
        hop = _without_port(hops.pop())
        if not _is_address(hop):
            break
        address = hop
    return address


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, _ = text.partition(":")
    return host if colon and text.count(":") == 1 else text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(address: str, trusted_proxies: tuple[Network, ...]) -> bool:
    if not trusted_proxies:
        return False
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in trusted_proxies if network.version == ip.version)
