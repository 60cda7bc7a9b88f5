"""Three persons find each other on a phone's width, without scripts, and two of them are chosen to speak."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def joined(page: Page, number: int) -> None:
    """A case against the shop, joined and released."""
    page.goto("/cases/new")
    page.get_by_label("Name of the case").fill("A card that was used")
    page.get_by_role("button", name="Begin the case").click()
    told = {"platform": "淘宝", "shop": "极速卡铺", "order_number": f"2026112000{number}", "amount": f"{100 + number}"}
    told |= {"paid": f"2026-04-1{number}T10:00", "buyer_name": f"张{number}", "buyer_phone": f"1380000000{number}"}
    for name, value in (told | {"buyer_address": "某路1号"}).items():
        page.locator(f'[name="{name}"]').fill(value)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="See and join").click()
    page.get_by_role("button", name="Join", exact=True).click()
    page.get_by_label("I am ready to speak for all").check()
    page.get_by_role("button", name="Release my statement").click()


def test_three_find_each_other(visitor: Visit) -> None:
    pages = [visitor(role, width=360, scripts=False) for role in ("buyer", "merchant", "operator")]
    for number, page in enumerate(pages, 1):
        joined(page, number)
    for page in pages:
        page.reload()
        page.get_by_label("First").select_option("张1")
        page.get_by_label("Second").select_option("张2")
        page.get_by_role("button", name="These two").click()
    expect(pages[2].get_by_text("All who released a statement chose the same two.")).to_be_visible()
    expect(pages[2].get_by_role("button", name="Take the joint pack")).to_have_count(0)
    page = pages[0]
    page.reload()
    expect(page.get_by_text("¥306.00")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Take the joint pack").click()
    assert download.value.suggested_filename == "joint.zip"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if shots := os.environ.get("FAIRKEY_SHOTS"):
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(page.url.split("#")[0].split("?")[0] + "?lang=zh")
            page.screenshot(path=Path(shots) / f"joint_{width}.png", full_page=True)
            page.goto(page.url.split("/together")[0])
            page.screenshot(path=Path(shots) / f"joint_case_{width}.png", full_page=True)
            page.go_back()
