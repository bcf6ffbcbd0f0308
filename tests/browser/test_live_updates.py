"""A live update does not take away what somebody is doing just now; with the stand-ins alone."""

import time

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL
from app.sandbox.slack.state.ids import with_ids
from app.sandbox.slack.state.shapes import Shown
from tests.browser.walks import TIMEOUT_MS, chip, set_speed
from tests.sandbox.slack.helpers import actions, section

pytestmark = pytest.mark.browser

SEEN_ON_A_SECOND_STREAM = """
(words) => new Promise((resolve) => {
  const who = document.querySelector("#people input:checked").value;
  const source = new EventSource(`/live?who=${who}`);
  source.addEventListener("all", ({ data }) => {
    if (!data.includes(words)) return;
    source.close();
    setTimeout(resolve, 200);
  });
})
"""
"""Resolves some time after the server has told the words: by then it has told the page, too."""


class HeldRequests:
    """The requests for one action, which wait until the test lets each go on."""

    def __init__(self, page: Page, action: str) -> None:
        self._page = page
        self._pattern = f"**/do/{action}"
        self._routes: list[Route] = []
        page.route(self._pattern, lambda route: self._routes.append(route))

    def let_go(self, number: int) -> None:
        """Returns once it was answered."""
        route = self.get(number)
        with self._page.expect_response(self._pattern):
            route.continue_()

    def get(self, number: int) -> Route:
        """Waits until so many came before it."""
        end = time.monotonic() + TIMEOUT_MS / 1000
        while len(self._routes) <= number:
            assert time.monotonic() < end, "no request came"
            self._page.wait_for_timeout(10)
        return self._routes[number]


def speed(page: Page, value: int) -> Locator:
    return page.locator(f'input[name="speed"][value="{value}"]')


def wait_for_update(page: Page, fakes: Fakes) -> None:
    """Until the page has drawn an update: all that changed before is in it, or was in an earlier one."""
    rings = fakes.aws.alarm_state("order") == "ALARM"
    fakes.aws.set_alarm("order", "OK" if rings else "ALARM")
    expect(page.locator('.tile[data-domain="order"] .alarm')).to_have_text(
        "Trigger alarm" if rings else "Clear alarm"
    )


def test_an_update_does_not_move_a_choice_that_is_on_its_way(fakes_page: Page, fakes: Fakes) -> None:
    asked = HeldRequests(fakes_page, "clock")
    set_speed(fakes_page, 60)

    fakes.aws.speed = 10
    wait_for_update(fakes_page, fakes)
    expect(speed(fakes_page, 60)).to_be_checked()

    asked.let_go(0)
    wait_for_update(fakes_page, fakes)
    expect(speed(fakes_page, 60)).to_be_checked()
    assert fakes.aws.speed == 60


def test_of_two_choices_the_later_one_stays(fakes_page: Page, fakes: Fakes) -> None:
    asked = HeldRequests(fakes_page, "clock")
    set_speed(fakes_page, 60)
    set_speed(fakes_page, 10)

    asked.let_go(0)
    wait_for_update(fakes_page, fakes)
    assert fakes.aws.speed == 60
    expect(speed(fakes_page, 10)).to_be_checked()

    asked.let_go(1)
    wait_for_update(fakes_page, fakes)
    expect(speed(fakes_page, 10)).to_be_checked()


def test_what_others_choose_while_a_choice_is_answered_is_shown_afterwards(
    fakes_page: Page, fakes: Fakes
) -> None:
    answered = HeldRequests(fakes_page, "clock")
    set_speed(fakes_page, 60)
    answer = answered.get(0).fetch()
    fakes.aws.speed = 10
    wait_for_update(fakes_page, fakes)
    expect(speed(fakes_page, 60)).to_be_checked()

    answered.get(0).fulfill(response=answer)

    expect(speed(fakes_page, 10)).to_be_checked()


def test_a_choice_that_never_arrived_is_taken_back(fakes_page: Page, fakes: Fakes) -> None:
    fakes.aws.speed = 10
    expect(speed(fakes_page, 10)).to_be_checked()
    fakes_page.route("**/do/clock", lambda route: route.abort())

    set_speed(fakes_page, 60)

    expect(speed(fakes_page, 10)).to_be_checked()


def test_an_update_does_not_turn_a_fault_off_that_is_being_chosen(fakes_page: Page, fakes: Fakes) -> None:
    asked = HeldRequests(fakes_page, "trouble")
    fakes_page.locator("#troubles-button").click()
    first, second = (fakes_page.locator("#troubles input").nth(each) for each in (0, 1))
    first.check(force=True)
    second.check(force=True)

    asked.let_go(0)
    wait_for_update(fakes_page, fakes)

    expect(second).to_be_checked()
    asked.let_go(1)
    expect(fakes_page.locator("#troubles-count")).to_have_text("2")
    expect(first).to_be_checked()
    expect(second).to_be_checked()


def test_a_card_that_changes_under_a_press_gets_its_click(fakes_page: Page, fakes: Fakes) -> None:
    card = fakes.slack.place(CHANNEL.id, "order asks", [section("order asks"), actions()])
    button = fakes_page.locator(".sl-message button[data-action-id]").first
    button.hover()
    fakes_page.mouse.down()

    fakes.slack.messages.edit(
        CHANNEL.id,
        card.ts,
        Shown("order still asks", tuple(with_ids([section("order still asks"), actions()]))),
    )
    fakes_page.evaluate(SEEN_ON_A_SECOND_STREAM, "order still asks")
    with fakes_page.expect_request("**/do/press"):
        fakes_page.mouse.up()

    expect(fakes_page.locator(".sl-message")).to_contain_text("order still asks")


def test_a_button_that_an_update_disabled_stays_so_after_its_press(fakes_page: Page, fakes: Fakes) -> None:
    stopped = HeldRequests(fakes_page, "stop")
    fakes.aws.deploy("order")
    stop = fakes_page.locator('.tile[data-domain="order"] .stop')
    stop.click()
    answer = stopped.get(0).fetch()
    fakes.aws.clock.advance(5)
    expect(chip(fakes_page, "order")).to_have_text("Stopped")

    with fakes_page.expect_response("**/do/stop"):
        stopped.get(0).fulfill(response=answer)
    wait_for_update(fakes_page, fakes)

    expect(stop).not_to_have_attribute("aria-busy", "true")
    expect(stop).to_be_disabled()
