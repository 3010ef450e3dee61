"""One browser for all tests, in a thread of its own, with its user signed in once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from tests.office import PASSWORD

expect.set_options(timeout=60_000)  # as long as a loaded machine may take

TELL_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`refused by policy: ${event.violatedDirective}`));
"""


class Driver:
    """A browser beside the main thread, in which its loop would stop the ORM."""

    def __init__(self, chromium: str, address: str) -> None:
        self.address = address
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._chromium = chromium
        self._signed_in: Any = None
        self.run(self._start)

    def _start(self) -> None:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=self._chromium, args=["--no-sandbox"]
        )

    def _stop(self) -> None:
        self._browser.close()
        self._playwright.stop()

    def run(self, work: Callable[[], None]) -> None:
        """Do something with the browser; wait until it is done."""
        self._thread.submit(work).result(timeout=600)

    def close(self) -> None:
        """End the browser."""
        self.run(self._stop)
        self._thread.shutdown()

    @contextmanager
    def opened(
        self, size: tuple[int, int], *, is_known: bool = True
    ) -> Iterator[tuple[Page, list[str]]]:
        """Open a page, signed in, that notes every fault that the browser tells of."""
        width, height = size
        if is_known and self._signed_in is None:
            self._sign_in()
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            storage_state=self._signed_in if is_known else None,
        )
        context.add_init_script(TELL_VIOLATIONS)
        context.set_default_timeout(90_000)
        page = context.new_page()
        faults: list[str] = []
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        try:
            yield page, faults
        finally:
            context.close()

    def _sign_in(self) -> None:
        with self.opened((1280, 900), is_known=False) as (page, faults):
            page.goto(f"{self.address}/admin/")
            page.get_by_label("Username").fill("supervisor")
            page.get_by_label("Password").fill(PASSWORD)
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Lauf")).to_be_visible()
            assert faults == []
            self._signed_in = page.context.storage_state()
