"""The office in a real browser, at the width of a desk and of a phone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import Driver

pytestmark = pytest.mark.browser

SIZES = {"desk": (1440, 900), "phone": (390, 844)}


def assert_fits(page: Page) -> None:
    """Nothing of the page sticks out to the side."""
    inner, outer = page.evaluate(
        "[document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert inner <= outer


@pytest.mark.parametrize("size", SIZES)
def test_day_plan_and_route_are_seen_without_a_fault(size: str, driver: Driver) -> None:
    def look() -> None:
        with driver.opened(SIZES[size]) as (page, faults):
            page.goto(f"{driver.address}/admin/?date=2026-03-17")
            expect(page.get_by_text("All routes are full.", exact=True)).to_be_visible()
            assert_fits(page)

            page.get_by_role("link", name="Plan", exact=True).first.click()
            expect(page.get_by_role("heading", name="Why this plan")).to_be_visible()
            expect(page.get_by_role("img", name="Map of 1 route")).to_be_visible()
            assert_fits(page)

            page.get_by_role("row").get_by_role("link").first.click()
            expect(
                page.get_by_role("heading", name="The day in a line")
            ).to_be_visible()
            page.get_by_text("1 report").click()
            expect(page.get_by_text("stop note")).to_be_visible()
            assert_fits(page)
            assert faults == []

    driver.run(look)


@pytest.mark.parametrize("size", SIZES)
def test_plan_answers_for_itself_at_every_width(size: str, driver: Driver) -> None:
    def look() -> None:
        with driver.opened(SIZES[size]) as (page, faults):
            page.goto(f"{driver.address}/admin/?date=2026-03-17")
            page.get_by_role("link", name="What would serve it?").first.click()
            expect(page.get_by_text("What stands in the way")).to_be_visible()
            expect(page.get_by_text("cannot provide “crane”")).to_be_visible()
            assert_fits(page)

            page.get_by_role("button", name="Why is it there?").click()
            expect(page.get_by_role("heading", name="Why stop 1")).to_be_visible()
            assert_fits(page)

            page.get_by_role("link", name="What it costs").click()
            expect(page.get_by_text("Costs by route and part")).to_be_visible()
            assert_fits(page)

            page.get_by_role("button", name="What if it were left out?").click()
            page.get_by_role("button", name="Plan the rest anew about it").click()
            expect(page.get_by_text("Waits for a worker.")).to_be_visible()
            assert_fits(page)
            assert faults == []

    driver.run(look)


def test_page_of_a_plan_in_the_making_asks_for_its_progress(driver: Driver) -> None:
    def look() -> None:
        with driver.opened(SIZES["desk"]) as (page, faults):
            page.goto(f"{driver.address}/admin/?date=2026-03-18")
            with page.expect_response("**/progress/", timeout=60_000) as heard:
                page.get_by_role("link", name="Day plan #1").click()
            assert heard.value.status == 200
            expect(page.get_by_text("Solving: 37 %")).to_be_visible()
            assert faults == []

    driver.run(look)


def test_page_says_when_the_server_does_not_answer(driver: Driver) -> None:
    def look() -> None:
        with driver.opened(SIZES["desk"]) as (page, _):
            page.goto(f"{driver.address}/admin/?date=2026-03-18")
            page.route("**/progress/", lambda route: route.abort())
            page.get_by_role("link", name="Day plan #1").click()
            note = page.get_by_text("The server does not answer.")
            expect(note).to_be_visible(timeout=60_000)
            page.unroute("**/progress/")
            expect(note).to_be_hidden(timeout=60_000)

    driver.run(look)


def test_focus_is_seen_when_one_walks_by_keyboard(driver: Driver) -> None:
    def look() -> None:
        with driver.opened(SIZES["desk"]) as (page, faults):
            page.goto(f"{driver.address}/admin/")
            button = page.get_by_role("button", name="Show")
            button.focus()
            style = "getComputedStyle(document.activeElement).outlineStyle"
            page.keyboard.press("Shift+Tab")
            page.keyboard.press("Tab")
            assert page.evaluate(style) == "solid"
            assert faults == []

    driver.run(look)


def test_request_is_opened_and_rejected_by_keys_alone(driver: Driver) -> None:
    def decide() -> None:
        with driver.opened(SIZES["desk"]) as (page, faults):
            page.goto(f"{driver.address}/admin/overrides/override/")
            page.keyboard.press("j")
            page.keyboard.press("Enter")
            expect(page.get_by_role("button", name="Reject")).to_be_visible()
            assert_fits(page)

            page.keyboard.press("q")
            expect(page.get_by_text("What is due first stands first")).to_be_visible()
            page.keyboard.press("j")
            page.keyboard.press("Enter")
            page.get_by_label("Why").select_option(index=1)
            page.keyboard.press("Escape")
            page.locator("body").click(position={"x": 1, "y": 1})
            page.keyboard.press("r")
            expect(page.get_by_text("rejected").first).to_be_visible()
            assert faults == []

    driver.run(decide)
