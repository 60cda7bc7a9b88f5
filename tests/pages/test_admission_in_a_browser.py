"""An applicant keeps a draft with his licence, a reviewer asks for more, the public reads a measure: in a browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def test_a_draft_keeps_what_was_typed_and_the_image(visitor: Callable[..., Page]) -> None:
    page = visitor("merchant", width=360)
    page.goto("/desk/admission")
    page.get_by_label("Business address").fill("another road 7")
    page.locator('input[type="file"]').set_input_files(
        files=[{"name": "licence.png", "mimeType": "image/png", "buffer": PNG}]
    )
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_text("The draft is kept.")).to_be_visible()
    expect(page.get_by_label("Business address")).to_have_value("another road 7")
    expect(page.get_by_text("An image is there.")).to_be_visible()


def test_a_reviewer_asks_for_more(visitor: Callable[..., Page]) -> None:
    page = visitor("operator")
    page.goto("/floor/admission")
    page.get_by_role("link", name="小陈的卡").click()
    page.get_by_label("Ask for more").check()
    page.get_by_label("Where the codes come from").check()
    page.get_by_label("Reasons, written for the applicant").fill("Which contracts are these?")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Which contracts are these?")).to_be_visible()
    expect(page.get_by_role("heading", name="Decide")).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_fits(visitor: Callable[..., Page], locale: str, width: int) -> None:
    for door, paths in (
        ("", ("/sanctions", "/terms/shops", "/shops/108")),
        ("merchant", ("/desk/admission",)),
        ("operator", ("/floor/admission", "/floor/admission/108", "/floor/shops")),
    ):
        page = visitor(door, locale=locale, width=width)
        for path in paths:
            page.goto(path)
            expect(page).to_have_title(re.compile("fairkey"))
            page.wait_for_load_state("load")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
