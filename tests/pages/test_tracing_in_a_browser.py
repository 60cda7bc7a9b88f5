"""A buyer traces the code he holds, a visitor asks what backs a listing, a merchant keeps his invoice to himself."""

import hashlib
import re
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser_town import Town, buy

pytestmark = pytest.mark.browser

Visitor = Callable[..., Page]
WIDTHS = (360, 1280)


def no_sideways(page: Page) -> None:
    page.wait_for_load_state("load")  # without its style sheet any page is too wide
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


def test_a_bought_code_is_traced_and_its_proofs_are_downloaded(visitor: Visitor, town: Town, tmp_path: Path) -> None:
    buyer = visitor()
    buy(buyer, town, "video", "browser.trace@mail.example")
    buyer.get_by_text("Open this code").click()
    buyer.get_by_role("button", name="Open now").click()
    text = buyer.locator(".envelope:not(.is-sealed) .code-text, .envelope:not(.is-sealed) code").first.inner_text()
    page = visitor()
    page.goto("/trace")
    page.get_by_label("Code", exact=True).fill(f" {text} ")
    page.get_by_role("button", name="Show its life").click()
    main = page.locator("main")
    expect(main).to_contain_text("sold and opened")
    expect(main).to_contain_text("Reserved for an order")
    expect(main).to_contain_text("Opened by its buyer")
    assert text not in page.url
    no_sideways(page)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download all proofs").click()
    file = tmp_path / "code-life.zip"
    downloading.value.save_as(file)
    with zipfile.ZipFile(file) as archive:
        assert "code-life/life.json" in archive.namelist()
    page.get_by_label("Code", exact=True).fill("NOBODY-HAS-THIS-0001")
    page.get_by_role("button", name="Show its life").click()
    expect(main).to_contain_text("No code with this text can be traced here.")
    no_sideways(page)


def test_what_backs_a_listing_is_one_click_away(visitor: Visitor, town: Town) -> None:
    page = visitor()
    page.goto(town.listing("video"))
    page.get_by_role("link", name="Proof of stock").click()
    expect(page.locator("h1")).to_have_text("Proof of stock")
    expect(page.locator("main")).to_contain_text("Root of the batch")
    no_sideways(page)


def test_an_invoice_stays_with_its_merchant(visitor: Visitor, tmp_path: Path) -> None:
    invoice = tmp_path / "invoice.pdf"
    invoice.write_bytes(b"%PDF a secret purchase price")
    page = visitor("merchant")
    page.goto("/desk/batches/import")
    page.get_by_label("Listing").select_option(label=page.locator("select option").all_inner_texts()[-1])
    page.locator('input[name="source"][value="invoice"]').check()
    page.locator('input[type="file"][name="invoice"]').set_input_files(invoice)
    page.get_by_label("Paste them").fill(f"INVOICED-{secrets.token_hex(6)}")
    with page.expect_request(lambda request: request.method == "POST") as sending:
        page.get_by_role("button", name="Check and deposit").click()
    assert b"secret purchase price" not in (sending.value.post_data_buffer or b"")
    page.wait_for_url(re.compile(r"/desk/batches/[0-9a-f-]{36}"), timeout=60_000)
    expect(page.locator("main")).to_contain_text(hashlib.sha256(invoice.read_bytes()).hexdigest())
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Proof of the batch").click()
    assert downloading.value.suggested_filename.startswith("batch-")
