"""One label by clicking, in the web page that annotators use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.pull import pull
from pipeline.annotation.push import push
from pipeline.annotation.server_client import connect, dataset_name
from tests.annotation.conftest import Local, passwords
from tests.annotation.example_round import NAMES, a_push, item

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.argilla,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
WAIT_MS = 60_000


@pytest.fixture
def page() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            headless=True,
            args=["--no-sandbox", "--disable-gpu", "--no-first-run"],
        )
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(WAIT_MS)
        yield page
        browser.close()


def test_a_label_that_is_clicked_comes_home(server: Local, tmp_path: Path, page: Any) -> None:
    accounts = tmp_path / "accounts.json"
    push(server.address, a_push(7, [item(1, blind=True)], ["una"]), accounts=accounts)
    dataset = connect(server.address).datasets(dataset_name(7), workspace=server.address.workspace)
    strangers: list[str] = []
    page.on(
        "response",
        lambda reply: (
            None
            if reply.url.startswith((server.running.url, "data:", "blob:"))
            else strangers.append(reply.url)
        ),
    )

    page.goto(f"{server.running.url}/sign-in")
    page.wait_for_selector("input[type=password]")
    page.locator("input").first.fill("una")
    page.fill("input[type=password]", passwords(accounts)["una"])
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.goto(f"{server.running.url}/dataset/{dataset.id}/annotation-mode")
    page.get_by_text("Utterance 1.").first.wait_for()
    page.locator("label:visible", has_text="3").first.click()
    with page.expect_response(
        lambda reply: "/responses" in reply.url and reply.request.method in ("POST", "PUT")
    ) as replied:
        page.locator("button[class*=submit]:visible").first.click()
    assert replied.value.status in (200, 201)

    answers = pull(server.address, 7, NAMES)
    assert [(row.question, row.value, row.status) for row in answers] == [
        ("empathy", 3, "submitted")
    ]
    assert answers[0].annotator == NAMES("una")
    assert strangers == []
