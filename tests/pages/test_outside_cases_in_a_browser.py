"""A buyer keeps an outside case in a browser, on a phone's width: files dropped, read, confirmed, packed later."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
CHAT = "订单编号：2026112300012345678\n实付款：￥199.00\n".encode()


@pytest.mark.parametrize("scripts", [True, False])
def test_files_become_facts(visitor: Visit, scripts: bool) -> None:
    page = visitor("buyer", width=360, scripts=scripts)
    page.goto("/cases/new")
    page.get_by_label("Name of the case").fill("A card that was used")
    page.get_by_role("button", name="Begin the case").click()
    page.locator('input[type="file"]').set_input_files([{"name": "chat.txt", "mimeType": "text/plain", "buffer": CHAT}])
    page.get_by_role("button", name="Give the files").click()
    expect(page.get_by_text("chat.txt")).to_be_visible()
    page.get_by_role("button", name="Read the files").click()
    form = page.locator('form[action*="/facts/"]', has=page.locator('input[value="199.00"]'))
    for _ in range(60):
        if form.count() and not page.get_by_text("Look again").count():
            break
        page.reload()
        page.wait_for_load_state()
    form.get_by_label("Which it is").select_option("paid")
    form.get_by_role("button", name="It is so").click()
    expect(page.get_by_label("Amount paid")).to_have_value("199.00")
    expect(page.get_by_text("¥199.00").first).to_be_visible()
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if shots := os.environ.get("FAIRKEY_SHOTS"):
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for lang in ("zh", "en"):
                page.goto(page.url.split("#")[0].split("?")[0] + f"?lang={lang}")
                page.screenshot(path=Path(shots) / f"case_{lang}_{width}.png", full_page=True)


def test_a_letter_is_read_copied_and_taken_away(visitor: Visit) -> None:
    page = visitor("buyer", width=360)
    page.goto("/cases/new")
    page.get_by_label("Name of the case").fill("A card that was used")
    page.get_by_role("button", name="Begin the case").click()
    page.get_by_label("Amount paid").fill("128.00")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Letters").click()
    expect(page.get_by_text("Look at this before you send it")).to_be_visible()
    page.goto(f"{page.url.rstrip('/')}/small_claims")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "壹佰贰拾捌元整" in page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as taken:
        page.get_by_role("link", name="As PDF").click()
    assert taken.value.path().read_bytes().startswith(b"%PDF-")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if shots := os.environ.get("FAIRKEY_SHOTS"):
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for lang in ("zh", "en"):
                page.goto(page.url.split("#")[0].split("?")[0] + f"?lang={lang}")
                page.screenshot(path=Path(shots) / f"letter_{lang}_{width}.png", full_page=True)
