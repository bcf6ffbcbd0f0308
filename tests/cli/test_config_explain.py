"""`switchgate config explain`: the rules in words, in both languages."""

from tests.cli.commands import Shell, is_clean

RULES = """
[slack]
channel = "C01DEPLOY"
admins = ["U01ADMIN"]
[policy]
approvers = ["S0ONCALL"]
unknown_deployer = "ask-two"
[[policy.when]]
name = "nights"
hours = "22:00-08:00"
time_zone = "Asia/Seoul"
approvals = 2
[domains.order]
application = "order-app"
deployment_group = "order-dg"
required_checks = ["order-create smoke"]
require = [{ from = "S0DBA" }]
[[freeze]]
reason = "weekend"
weekly = "fri 18:00 - mon 09:00"
time_zone = "Asia/Seoul"
"""


def test_the_rules_in_english(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(RULES)
    said = shell.run("config", "explain", "order")
    assert said.status == 0
    assert said.out.splitlines() == [
        "Rules for order",
        "1 approval needed from: S0ONCALL.",
        "Plus 1 approval from: S0DBA.",
        "You can't approve your own deployment.",
        "If the deployer is unknown, two different people must approve.",
        "One rejection is enough to stop it.",
        "A reason is required for rejecting.",
        "Required checks: “order-create smoke”.",
        "Rejected automatically if not approved within 55 minutes.",
        "Different for “nights” (every day 22:00–08:00 Asia/Seoul):",
        "   2 approvals by different people needed from: S0ONCALL.",
        "Frozen weekly Fri 18:00 – Mon 09:00 Asia/Seoul: weekend",
        "Admins can break glass: U01ADMIN.",
    ]


def test_a_variant_that_changes_nothing_here_says_so(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(RULES.replace("approvals = 2", 'reason = "reject"'))
    english = shell.run("config", "explain", "order").out.splitlines()
    assert english[9] == "No difference for “nights” (every day 22:00–08:00 Asia/Seoul)."
    assert english[10].startswith("Frozen weekly")
    korean = shell.run("config", "explain", "order", "--locale", "ko").out.splitlines()
    assert korean[9] == "“nights” 조건에서도 같습니다 (매일 22:00–08:00 Asia/Seoul)."


def test_a_variant_says_what_falls_away(shell: Shell) -> None:
    text = RULES.replace(
        "approvals = 2", "required_checks = []\nrequire = []\napprove_when_checks_pass = false"
    )
    own = 'required_checks = ["order-create smoke"]\n'
    (shell.folder / "switchgate.toml").write_text(
        text.replace(own, f"{own}approve_when_checks_pass = true\n")
    )
    english = shell.run("config", "explain", "order").out.splitlines()
    assert english[10:15] == [
        "Different for “nights” (every day 22:00–08:00 Asia/Seoul):",
        "   Not applied then: Plus 1 approval from: S0DBA.",
        "   Not applied then: Required checks: “order-create smoke”.",
        "   Not applied then: Approved automatically once they pass.",
        "Frozen weekly Fri 18:00 – Mon 09:00 Asia/Seoul: weekend",
    ]
    korean = shell.run("config", "explain", "order", "--locale", "ko").out
    assert "   이때 제외: 검사를 통과하면 자동 승인됩니다." in korean


def test_a_variant_that_only_stops_approving_by_itself_says_so(shell: Shell) -> None:
    text = RULES.replace("approvals = 2", "approve_when_checks_pass = false")
    own = 'required_checks = ["order-create smoke"]\n'
    (shell.folder / "switchgate.toml").write_text(
        text.replace(own, f"{own}approve_when_checks_pass = true\n")
    )
    english = shell.run("config", "explain", "order").out.splitlines()
    assert english[11] == "   Not applied then: Approved automatically once they pass."
    assert english[12].startswith("Frozen weekly")


def test_which_domains_exclude_each_other_and_which_goes_first(shell: Shell) -> None:
    tables = "".join(
        f'[domains.{name}]\napplication = "{name}-app"\ndeployment_group = "{name}-dg"\n{own}'
        for name, own in (("auth", ""), ("payment", 'exclusive = ["order"]\nafter = ["auth"]\n'))
    )
    (shell.folder / "switchgate.toml").write_text(RULES + tables)
    alone = "One at a time: never switched together with "
    order = shell.run("config", "explain", "order").out.splitlines()
    assert [f"{alone}payment.", "Holds its turn until all traffic is on green."] == order[8:10]
    payment = shell.run("config", "explain", "payment").out
    assert f"{alone}order." in payment
    assert "Goes after these while they are waiting or switching: auth." in payment
    assert "One at a time" not in shell.run("config", "explain", "auth").out


def test_the_rules_in_korean(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(RULES)
    said = shell.run("config", "explain", "order", SWITCHGATE_LOCALE="ko")
    assert "본인이 배포한 건은 승인할 수 없습니다." in said.out
    assert "“nights” 조건에서는 (매일 22:00–08:00 Asia/Seoul):" in said.out
    assert "매주 동결 금 18:00 – 월 09:00 Asia/Seoul: weekend" in said.out
    assert said.out == shell.run("config", "explain", "order", "--locale", "ko").out


def test_a_freeze_of_one_time_is_shown_in_its_own_time_zone(shell: Shell) -> None:
    tables = (
        ("holidays", "2026-12-24", '"2026-12-25 18:30"', "Asia/Seoul"),
        ("audit", "2026-07-01T09:00:00Z", "2026-07-02", "Europe/Berlin"),
    )
    freezes = "".join(
        f'[[freeze]]\nreason = "{reason}"\nfrom = {start}\nuntil = {until}\ntime_zone = "{zone}"\n'
        for reason, start, until, zone in tables
    )
    (shell.folder / "switchgate.toml").write_text(RULES + freezes)
    holidays = "2026-12-24 00:00 – 2026-12-25 18:30 Asia/Seoul: holidays"
    english = shell.run("config", "explain", "order").out.splitlines()
    assert f"Frozen {holidays}" in english
    assert "Frozen 2026-07-01 11:00 – 2026-07-03 00:00 Europe/Berlin: audit" in english
    assert f"동결 {holidays}" in shell.run("config", "explain", "order", "--locale", "ko").out.splitlines()


def test_a_language_that_is_not_spoken_is_refused(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(RULES)
    for locale in ("fr", "KO", ""):
        said = shell.run("config", "explain", "order", "--locale", locale)
        assert (said.status, said.out, is_clean(said)) == (2, "", True)
        assert said.err == f"--locale: {locale} is neither en nor ko\n"


def test_a_domain_that_is_not_there(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(RULES)
    said = shell.run("config", "explain", "ordr")
    assert (said.status, is_clean(said)) == (2, True)
    assert "no domain ordr; there are order" in said.err
