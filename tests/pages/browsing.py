"""A page as a person meets it: opened from disk in Chromium, with the network off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
# The checker's script, as `npm pack axe-core` brings it: https://github.com/dequelabs/axe-core
AXE = os.environ.get("AXE_CORE", "")
LOUD = ("serious", "critical")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium, or skip where it or its driver is missing."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visit:
    """A page that is open, and everything it complained about or asked for."""

    def __init__(
        self,
        browser: Any,
        path: Path,
        *,
        width: int = 1280,
        scheme: str = "light",
        to_check: bool = False,
    ):
        # `to_check`: axe is put in from outside, past the policy of the page.
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            offline=True,
            bypass_csp=to_check,
        )
        self.page = context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.url = path.as_uri()
        self.page.goto(self.url)

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def violations(self) -> list[str]:
        """Return the serious and critical findings of axe-core, or skip without it."""
        if not Path(AXE).is_file():
            pytest.skip("axe-core is not here: npm pack axe-core, AXE_CORE=path to its axe.min.js")
        self.page.add_script_tag(path=AXE)
        found = self.page.evaluate("axe.run()")["violations"]
        return [
            f"{one['id']}: {node['html'][:160]}"
            for one in found
            if one["impact"] in LOUD
            for node in one["nodes"]
        ]
