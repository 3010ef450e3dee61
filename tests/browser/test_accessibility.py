"""No page of the office breaks WCAG 2.2, A and AA, as far as a machine can tell."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from tests.browser.driving import Driver

pytestmark = pytest.mark.browser

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
DESK: ViewportSize = {"width": 1280, "height": 900}
TABLET: ViewportSize = {"width": 820, "height": 1180}
LISTS = (
    *("routes/plan", "routes/route", "routes/planchange", "routes/condition"),
    *("orders/order", "drivers/driver", "drivers/shift", "journal/entry"),
    *("sync/quarantinedevent", "core/taskrun", "routes/depotmode"),
    *("overrides/override", "overrides/decisionright", "incidents/incident"),
    *("incidents/actionitem", "feedback/feedback", "notifications/message"),
    *("customers/addressproposal", "verdicts/verdict", "learning/estimate"),
    *("tuning/proposal", "metrics/dailyfigure", "metrics/dailyfigure/monitor"),
)
ROWS = (
    *("orders/order", "drivers/driver", "routes/plan", "routes/route"),
    *("overrides/override", "incidents/incident", "feedback/feedback"),
    *("notifications/message", "verdicts/verdict", "tuning/proposal"),
)
WITH_HISTORY = ("orders/order",)
FORMS = ("routes/plan/add/", "routes/condition/add/", "drivers/shift/add/")
THE_THEMES: dict[str, set[str]] = {}
"""Rule → beginnings of targets in the theme's own pages that we cannot reach."""


def addresses(page: Page, office: str) -> list[str]:
    """Return the pages to look at; of some lists a row and its history."""
    found = ["?date=2026-03-17", "?date=2026-03-18", *FORMS]
    for name in LISTS:
        found.append(f"{name}/")
        if name not in ROWS:
            continue
        page.goto(f"{office}/admin/{name}/")
        link = page.locator("#result_list tbody a[href*='/change/']").first
        row = str(link.get_attribute("href")).partition("/admin/")[2].partition("?")[0]
        found.append(row)
        if name in WITH_HISTORY:
            found.append(row.replace("/change/", "/history/"))
    return found


def broken(axe: Axe, page: Page) -> list[str]:
    """Return what the page breaks: rule, target, and the piece of the page."""
    answer: dict[str, Any] = axe.run(page, options=OPTIONS).response
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}"
        for rule in answer["violations"]
        for node in rule["nodes"]
        if not is_the_themes(rule["id"], str(node["target"][0]))
    ]


def is_the_themes(rule: str, target: str) -> bool:
    return any(target.startswith(begin) for begin in THE_THEMES.get(rule, ()))


def test_no_page_breaks_the_rules_light_or_dark_on_desk_or_tablet(
    driver: Driver,
) -> None:
    def look() -> None:
        axe, wrong = Axe(), []
        with driver.opened((1280, 900)) as (page, _):
            for where in addresses(page, driver.address):
                page.set_viewport_size(DESK)
                page.goto(f"{driver.address}/admin/{where}")
                wrong += [f"{where} light {each}" for each in broken(axe, page)]
                page.set_viewport_size(TABLET)
                page.evaluate("document.documentElement.classList.add('dark')")
                wrong += [f"{where} dark {each}" for each in broken(axe, page)]
        assert not wrong, "\n".join(wrong)

    driver.run(look)
