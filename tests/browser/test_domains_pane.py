"""The domains pane, with the stand-ins alone: why something ended, and what a quicker clock does not quicken."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL
from tests.browser.walks import chip, set_speed
from tests.sandbox.slack.helpers import section

pytestmark = pytest.mark.browser


def test_a_deployment_that_failed_before_its_hook_says_why_and_names_no_card(
    fakes_page: Page, fakes: Fakes
) -> None:
    tile = fakes_page.locator('.tile[data-domain="order"]')
    expect(tile.locator(".why")).to_be_hidden()
    fakes.aws.set_alarm("order", "ALARM")
    deployment = fakes.aws.deploy("order")
    fakes.aws.clock.advance(5)

    expect(chip(fakes_page, "order")).to_have_text("Stopped")  # CodeDeploy stops it: ALARM_ACTIVE
    expect(tile.locator(".why")).to_contain_text("One or more alarms have been activated")
    expect(tile).not_to_contain_text("card")

    link = f"https://console.aws.amazon.com/codesuite/codedeploy/deployments/{deployment}"
    card = fakes.slack.place(CHANNEL.id, "order asks", [section(f"<{link}|{deployment}>")])
    expect(tile.locator(".why")).to_contain_text("See its card.")

    fakes.slack.messages.delete(CHANNEL.id, card.ts)
    expect(tile).not_to_contain_text("card")


def test_what_failed_is_forgotten_by_the_next_deployment(fakes_page: Page, fakes: Fakes) -> None:
    why = fakes_page.locator('.tile[data-domain="order"] .why')
    fakes.aws.set_alarm("order", "ALARM")
    fakes.aws.deploy("order")
    fakes.aws.clock.advance(5)
    expect(why).to_be_visible()

    fakes.aws.set_alarm("order", "OK")
    fakes.aws.deploy("order")

    expect(why).to_be_hidden()


def test_a_quicker_clock_says_what_it_does_not_quicken(fakes_page: Page) -> None:
    hint = fakes_page.locator("#clock-hint")
    expect(hint).to_be_hidden()

    set_speed(fakes_page, 60)
    expect(hint).to_be_visible()
    expect(hint).to_contain_text("AWS runs faster than real time")
    expect(hint).to_contain_text("do not speed up")

    set_speed(fakes_page, 1)
    expect(hint).to_be_hidden()


def test_the_aws_clock_is_shown_with_what_it_is_ahead(fakes_page: Page, fakes: Fakes) -> None:
    clock = fakes_page.locator("#clock-now")
    expect(clock).to_have_text(re.compile(r"^\d+:\d\d:\d\d [AP]M$"))

    fakes.aws.clock.advance(600)
    fakes.aws.deploy("order")

    expect(clock).to_contain_text("10 min ahead")
    fakes.aws.clock.advance(5)
    expect(fakes_page.locator('.tile[data-domain="order"] .until')).to_contain_text("CodeDeploy times out in")
