"""Receipts in a browser: the order's page changes by itself when the log shows its facts, and gives the files."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser_town import Town, buy
from fairkey.proofs.receipts import read_receipt
from receipt_world import policy, write_log

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def logged(town: Town) -> None:
    """Let the log show what was recorded so far."""
    town.run(write_log(town.opened, town.opened.house.settings.database_url))


def test_the_page_turns_promises_into_receipts_by_itself(
    town: Town, visitor: Visit, tmp_path: Path, pictures_folder: Path
) -> None:
    logged(town)
    page = visitor(locale="zh-CN", width=360)
    other = visitor(width=1280)
    buy(other, town, "steam100", "receipts@example.com")
    first = other.locator(".timeline .place").first
    expect(first).to_contain_text("Recorded")
    with other.expect_download() as promised:
        other.get_by_role("link", name="Promise").first.click()
    assert promised.value.suggested_filename.endswith("-1.fairkey-promise")
    other.screenshot(path=pictures_folder / "receipts-promised-1280.png", full_page=True)
    logged(town)
    expect(first).to_contain_text("Published in the log at no.")
    expect(other.locator(".timeline .is-recorded")).to_have_count(0)
    with other.expect_download() as received:
        other.get_by_role("link", name="Receipt", exact=True).first.click()
    assert received.value.suggested_filename.endswith("-1.fairkey-receipt")
    file = tmp_path / "one.fairkey-receipt"
    received.value.save_as(file)
    receipt = read_receipt(file.read_bytes())
    receipt.check_proof(town.run(policy(town.opened)))
    assert [one.value for one in receipt.check_disclosures()] == ["receipts@example.com"]
    with other.expect_download() as everything:
        other.get_by_role("link", name="All receipts").click()
    everything.value.save_as(tmp_path / "all.zip")
    assert len(zipfile.ZipFile(tmp_path / "all.zip").namelist()) > 3
    other.screenshot(path=pictures_folder / "receipts-published-1280.png", full_page=True)
    page.context.add_cookies(other.context.cookies())
    page.goto(other.url)
    page.screenshot(path=pictures_folder / "receipts-published-360.png", full_page=True)
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(other.url.split("?")[0].split("#")[0] + "/facts")
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=pictures_folder / "receipts-facts-360.png", full_page=True)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_page_of_the_log_stands(
    town: Town, visitor: Visit, width: int, locale: str, pictures_folder: Path
) -> None:
    logged(town)
    page = visitor(width=width, locale=locale)
    page.goto("/log")
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=pictures_folder / f"log-{locale}-{width}.png", full_page=True)


def test_the_desk_and_the_floor_show_where_facts_are(town: Town, visitor: Visit, pictures_folder: Path) -> None:
    logged(town)
    desk = visitor("merchant", width=360)
    desk.goto("/desk/orders")
    desk.locator('a[href^="/desk/orders/0"]').first.click()
    expect(desk.get_by_role("link", name="All receipts")).to_be_visible()
    desk.screenshot(path=pictures_folder / "receipts-desk-360.png", full_page=True)
    desk.wait_for_load_state("load")
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    floor = visitor("operator", width=1280)
    floor.goto("/floor/health")
    floor.screenshot(path=pictures_folder / "log-health-1280.png", full_page=True)
