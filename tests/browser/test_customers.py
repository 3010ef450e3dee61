"""Customers' pages in a phone's browser, from an SMS: no log-in, no script needed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Driver
from tests.browser.test_office import assert_fits
from tests.customers.served import served_pages
from tests.migrated import put_migrated

pytestmark = pytest.mark.browser

PHONE = (360, 740)


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Serve a depot on the road; give the addresses by what they show."""
    data_dir = tmp_path_factory.mktemp("customers")
    put_migrated(data_dir)
    with served_pages(data_dir) as addresses:
        yield addresses


def test_customer_moves_a_delivery_and_says_where_to_leave_it(
    visitor: Driver, links: dict[str, str]
) -> None:
    def look() -> None:
        with visitor.opened(PHONE, is_known=False) as (page, faults):
            page.goto(links["reschedule"])
            assert_fits(page)
            slot = page.get_by_role("radio").first
            opens_at = slot.get_attribute("value")
            slot.check()
            page.get_by_role("button", name="Keep this time for me").click()
            expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()
            kept = page.locator(".hours").inner_text()
            page.get_by_role("button", name="Choose another time").click()
            page.locator(f'input[value="{opens_at}"]').check()
            page.get_by_role("button", name="Keep this time for me").click()
            page.get_by_role("button", name="Yes, move my delivery").click()
            expect(page.get_by_text("Done: the driver knows.")).to_be_visible()
            assert page.locator(".hours").inner_text() == kept
            assert_fits(page)

            page.goto(links["reschedule"])
            page.get_by_text("If nobody is at home").click()
            page.get_by_label("With a neighbour").check()
            page.get_by_label("Name and house number").fill("Huber, 16")
            page.get_by_role("button", name="Tell the driver").click()
            expect(page.get_by_text("The driver has this from you.")).to_be_visible()
            assert_fits(page)
            assert faults == []

    visitor.run(look)


def test_customer_follows_the_van_and_reads_it_in_another_language(
    visitor: Driver, links: dict[str, str]
) -> None:
    def look() -> None:
        with visitor.opened(PHONE, is_known=False) as (page, faults):
            page.goto(links["tracking_near"])
            expect(page.get_by_text("before you")).to_be_visible()
            expect(page.get_by_role("img", name=re.compile("The van"))).to_be_visible()
            page.get_by_role("button", name="Where is it now?").click()
            expect(page.get_by_text("before you")).to_be_visible()
            page.get_by_role("link", name="Deutsch").click()
            assert page.locator("html").get_attribute("lang") == "de"
            assert_fits(page)
            page.goto(links["tracking_done"] + "?lang=de")
            expect(page.get_by_role("heading", name="Zugestellt")).to_be_visible()
            assert faults == []

    visitor.run(look)


def test_customer_answers_a_survey_and_is_thanked(
    visitor: Driver, links: dict[str, str]
) -> None:
    def look() -> None:
        with visitor.opened(PHONE, is_known=False) as (page, faults):
            page.goto(links["survey"] + "?q_csat=5")
            assert page.locator('input[name="q_csat"][value="5"]').is_checked()
            page.locator('input[name="q_nps"][value="9"]').check(force=True)
            page.get_by_role("button", name="Send").click()
            expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
            page.goto(links["survey"])
            expect(page.get_by_role("button", name="Send")).to_have_count(0)
            assert faults == []

    visitor.run(look)
