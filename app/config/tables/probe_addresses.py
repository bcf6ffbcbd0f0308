"""Which addresses a probe may connect to. A probe's URL is configuration, but the address of its host is not."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

_NAT64: Final = IPv6Network("64:ff9b::/96")
_METADATA: Final = frozenset(
    {ip_address("fd00:ec2::254"), ip_address("fd00:ec2::23"), ip_address("169.254.170.2")}
)
"""Where AWS serves credentials, apart from 169.254.169.254, which is link-local already."""


def embedded_address(address: Address) -> Address:
    """The IPv4 address in an IPv6 one (mapped, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def always_forbidden(address: Address) -> bool:
    """Link-local (cloud metadata), multicast, unspecified or reserved: refused for allowed hosts, too."""
    found = embedded_address(address)
    odd = found.is_link_local or found.is_multicast or found.is_unspecified
    reserved = found.is_reserved and not found.is_loopback
    return odd or reserved or found in _METADATA


def may_probe(address: Address, *, allowed: bool) -> bool:
    """Whether a probe may connect there. `allowed`: its host is in `allowed_hosts`."""
    if always_forbidden(address):
        return False
    return allowed or embedded_address(address).is_global
