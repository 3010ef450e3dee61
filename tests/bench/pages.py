"""`bench pages`: how heavy customers' pages are, and how soon they show what matters.

Each page is opened in Chromium as a phone of 360 px does, with its processor slowed down
four times; LCP is the browser's own largest-contentful-paint, weight is all bytes of all
answers as they come over the wire. `axe` counts violations of WCAG 2.2 A and AA.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.core.management import CommandError
from playwright.sync_api import Browser, Page, sync_playwright

from tests.customers.served import served_pages

LCP = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => done(-1), 5000);
})"""
WEIGHT = """() => performance.getEntriesByType("navigation")
  .concat(performance.getEntriesByType("resource"))
  .reduce((sum, one) => sum + one.transferSize, 0)"""
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    }
}


def main(argv: list[str]) -> dict[str, Any]:
    """Return weight, LCP and violations of each page, and the worst of each."""
    parser = argparse.ArgumentParser(prog="bench pages")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slower", type=int, default=4, help="Of the processor.")
    given = parser.parse_args(argv)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise CommandError("No chromium is installed.")
    with (
        tempfile.TemporaryDirectory() as place,
        served_pages(Path(place)) as links,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        pages = {
            name: _measure(browser, url, given.rounds, given.slower)
            for name, url in links.items()
        }
        browser.close()
    return {
        "pages": pages,
        "heaviest_kb": max(one["kb"] for one in pages.values()),
        "slowest_lcp_ms": max(one["lcp_ms"] for one in pages.values()),
        "violations": sum(one["violations"] for one in pages.values()),
        "rounds": given.rounds,
        "slower": given.slower,
    }


def _measure(browser: Browser, url: str, rounds: int, slower: int) -> dict[str, Any]:
    shown, heavy, violations = [], 0.0, 0
    for number in range(rounds):
        context = browser.new_context(viewport={"width": 360, "height": 740})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        page.goto(url)
        shown.append(float(page.evaluate(LCP)))
        heavy = max(heavy, float(page.evaluate(WEIGHT)) / 1000)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        if not number:
            violations = violations_of(page)
        context.close()
    return {
        "kb": round(heavy, 1),
        "lcp_ms": round(statistics.median(shown)),
        "violations": violations,
    }


def violations_of(page: Page) -> int:
    """Count what is against WCAG 2.2 AA on a page, with all that is folded open."""
    page.evaluate(
        "document.querySelectorAll('details').forEach((d) => (d.open = true))"
    )
    return int(Axe().run(page, options=RULES).violations_count)
