"""Where a probe may connect, address by address."""

from ipaddress import ip_address

import pytest

from app.config.tables.probe_addresses import always_forbidden, may_probe

NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
]
PRIVATE = [
    "127.0.0.1",
    "::1",
    "10.0.0.7",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::7",
    "::ffff:10.0.0.7",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]


@pytest.mark.parametrize("address", NEVER)
def test_no_allowed_host_may_have_the_address(address: str) -> None:
    assert always_forbidden(ip_address(address))
    assert not may_probe(ip_address(address), allowed=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_has_to_be_allowed(address: str) -> None:
    assert not may_probe(ip_address(address), allowed=False)
    assert may_probe(ip_address(address), allowed=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_asked(address: str) -> None:
    assert may_probe(ip_address(address), allowed=False)
