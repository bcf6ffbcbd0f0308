"""`[probes]`, `[[domains.<name>.probe]]`, and how each mistake in them is reported."""

from datetime import timedelta

import pytest

from tests.config.test_loader import SMALL, loaded, told

PROBE = '[[domains.order.probe]]\nname = "health"\nurl = "https://green.example.com/health"\n'


def test_a_probe_is_read_with_its_defaults() -> None:
    config = loaded(SMALL + PROBE + '[probes]\nallowed_hosts = ["ALB.Internal."]\n')
    (probe,) = config.domains["order"].probes
    assert (probe.method, probe.expect_status, probe.timeout) == ("GET", 200, timedelta(seconds=5))
    assert config.probe_hosts == {"alb.internal"}


def with_url(url: str) -> str:
    return SMALL + f'[[domains.order.probe]]\nname = "health"\nurl = "{url}"\n'


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (with_url("http://169.254.169.254/latest"), "domains.order.probe#1.url", "keep their credentials"),
        (with_url("http://[::ffff:169.254.169.254]/"), "domains.order.probe#1.url", "keep their credentials"),
        (with_url("http://0.0.0.0/"), "domains.order.probe#1.url", "or nobody can be"),
        (with_url("ftp://green.example.com/"), "domains.order.probe#1.url", "is no address"),
        (with_url("https://me:secret@green.example.com/"), "domains.order.probe#1.url", "names a user"),
        (with_url("https://green.example.com:99999/"), "domains.order.probe#1.url", "is malformed"),
        (with_url("https://green.example.com/#part"), "domains.order.probe#1.url", "never sent"),
        (SMALL + '[[domains.order.probe]]\nname = "x"\n', "domains.order.probe#1.url", "is missing"),
        (SMALL + PROBE + 'method = "DELETE"\n', "domains.order.probe#1.method", '"GET", "HEAD" or "POST"'),
        (SMALL + PROBE + "expect_status = 42\n", "domains.order.probe#1.expect_status", "no HTTP status"),
        (SMALL + PROBE + "timeout_seconds = 90.0\n", "domains.order.probe#1.timeout_seconds", "0.1 to 30"),
        (SMALL + PROBE + "follow = true\n", "domains.order.probe#1.follow", "is unknown"),
        (
            SMALL + PROBE + 'expect_json = { pth = "a", path = "a", equals = 1 }\n',
            "domains.order.probe#1.expect_json.pth",
            "Did you mean path?",
        ),
        (SMALL + PROBE + PROBE, "domains.order.probe", 'names "health" twice'),
        (SMALL + PROBE.replace("health", "h" * 101, 1), "domains.order.probe#1.name", "(101 characters)"),
        (SMALL + '[probes]\nallowed_hosts = ["http://alb"]\n', "probes.allowed_hosts", "is no host"),
        (SMALL + '[probes]\nallowed_hosts = ["*"]\n', "probes.allowed_hosts", "is no host"),
    ],
)
def test_a_mistake_in_a_probe_is_told_with_its_key_and_a_remedy(text: str, key: str, said: str) -> None:
    problems = told(text)
    assert list(problems) == [key]
    assert said in problems[key]


def test_more_probes_than_anybody_reads_are_refused() -> None:
    many = "".join(PROBE.replace("health", f"health {number}", 1) for number in range(21))
    assert "has 21 entries" in told(SMALL + many)["domains.order.probe"]
