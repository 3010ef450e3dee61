"""No page of the office breaks WCAG 2.2, A and AA, as far as a machine can tell."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

from tests.browser.driving import Driver

pytestmark = pytest.mark.browser

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
LOOK = "options => axe.run(options).then(found => found.violations)"
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


def visited(page: Page, office: str) -> Iterator[str]:
    """Go to each page, and of some lists to a row and its history; say where it is."""
    coming = deque(["?date=2026-03-17", "?date=2026-03-18", *FORMS])
    coming.extend(f"{name}/" for name in LISTS)
    while coming:
        where = coming.popleft()
        page.set_viewport_size(DESK)
        page.goto(f"{office}/admin/{where}")
        coming.extend(rows_of(page, where.rstrip("/")))
        yield where


def rows_of(page: Page, name: str) -> list[str]:
    """Return the first row of the list that the page shows, where one is to be seen."""
    if name not in ROWS:
        return []
    link = page.locator("#result_list tbody a[href*='/change/']").first
    row = str(link.get_attribute("href")).partition("/admin/")[2].partition("?")[0]
    history = [row.replace("/change/", "/history/")] if name in WITH_HISTORY else []
    return [row, *history]


def broken(page: Page) -> list[str]:
    """Return what the page breaks: rule, target, and the piece of the page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    violations: list[dict[str, Any]] = page.evaluate(LOOK, OPTIONS)
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}"
        for rule in violations
        for node in rule["nodes"]
        if not is_the_themes(rule["id"], str(node["target"][0]))
    ]


def is_the_themes(rule: str, target: str) -> bool:
    return any(target.startswith(begin) for begin in THE_THEMES.get(rule, ()))


def test_no_page_breaks_the_rules_light_or_dark_on_desk_or_tablet(
    driver: Driver,
) -> None:
    def look() -> None:
        wrong = []
        with driver.opened((1280, 900)) as (page, _):
            for where in visited(page, driver.address):
                wrong += [f"{where} light {each}" for each in broken(page)]
                page.set_viewport_size(TABLET)
                page.evaluate("document.documentElement.classList.add('dark')")
                wrong += [f"{where} dark {each}" for each in broken(page)]
        assert not wrong, "\n".join(wrong)

    driver.run(look)
