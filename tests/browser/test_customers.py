"""Customers' pages in a real browser: they fit a phone, and everybody can use them."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.bench.pages import violations_of
from tests.customers.served import served_pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_pages_fit_a_phone_and_keep_wcag(tmp_path: Path, chromium: str) -> None:
    wrong = []
    with served_pages(tmp_path) as links, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        for name, url in links.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": 360, "height": 740}, color_scheme=scheme
                )
                page = context.new_page()
                said: list[str] = []
                page.on("console", lambda line, said=said: said.append(line.text))
                page.goto(url)
                width = page.evaluate("document.documentElement.scrollWidth")
                found = violations_of(page)
                if width > 360 or found or said:
                    wrong.append((name, scheme, width, found, said))
                context.close()
        browser.close()
    assert not wrong
