"""What a merchant and the operator do, in a real browser."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser_town import Town, buy, place_of
from fairkey.business.askers import Asker
from fairkey.business.complaints import ContestComplaint

pytestmark = pytest.mark.browser

Visitor = Callable[..., Page]
LINES = 10_000


def test_ten_thousand_lines_are_deposited_through_the_page(visitor: Visitor, tmp_path: Path) -> None:
    run = secrets.token_hex(2).upper()
    lines = [f"{run}{number % 10}-{number:05d}-{secrets.token_hex(2).upper()}Q" for number in range(LINES)]
    file = tmp_path / "codes.txt"
    file.write_text("\r\n".join([*lines, lines[17], "a\x07b"]) + "\r\n", encoding="utf-8")
    page = visitor("merchant")
    page.goto("/desk/batches/import")
    page.get_by_label("Listing").select_option(label=page.locator("select option").all_inner_texts()[-1])
    page.locator('input[name="source"]').last.check()
    page.locator('input[type="file"][name="file"]').set_input_files(file)
    seen: list[str] = []
    page.expose_function("told", lambda words: seen.append(words))  # noqa: PLW0108 - it is given an attribute
    page.evaluate(
        "new MutationObserver(() => told(document.querySelector('.upload-progress')?.textContent ?? ''))"
        ".observe(document.querySelector('form[data-upload]'), {childList: true, subtree: true, characterData: true})"
    )
    page.get_by_role("button", name="Check and deposit").click()
    page.wait_for_url(re.compile(r"/desk/batches/[0-9a-f-]{36}"), timeout=60_000)
    expect(page.locator("main")).to_contain_text("10,000", timeout=60_000)
    expect(page.locator("main")).to_contain_text(re.compile("line 18|same as", re.IGNORECASE), timeout=60_000)
    assert not [line for line in lines[:50] if line in page.content()]
    assert any(seen), "the upload showed how far it was"


def test_typed_codes_reach_the_buyer_while_he_looks(visitor: Visitor, town: Town) -> None:
    buyer = visitor()
    buyer.goto(town.listing("office"))
    buyer.get_by_label("E-mail").fill("browser.typed@mail.example")
    buyer.get_by_role("button", name="Buy and pay").click()
    buyer.get_by_role("button", name="Go to the payment provider").click()
    buyer.locator('form[action^="/cashier/"] button[name="pay"]').click()
    buyer.wait_for_url(re.compile(r"/o/[0-9A-Z]+(?:\?|#|$)"))
    expect(buyer.locator("#order-state")).to_contain_text("Paid, money held", timeout=15_000)
    reference = buyer.url.rpartition("/o/")[2].partition("?")[0].partition("#")[0]
    merchant = visitor("merchant")
    merchant.goto(f"/desk/orders/{reference}")
    merchant.locator('form[action$="/deliver"] textarea').fill("TYPED-AAAAA-00001\nTYPED-BBBBB-00002")
    merchant.locator('form[action$="/deliver"] button[type="submit"]').click()
    expect(merchant.locator(".refusal, .error-summary, [role=alert]").first).to_be_visible()
    merchant.locator('form[action$="/deliver"] textarea').fill("TYPED-AAAAA-00001")
    merchant.locator('form[action$="/deliver"] button[type="submit"]').click()
    expect(merchant.locator('form[action$="/deliver"]')).to_have_count(0)
    expect(buyer.locator(".envelope.is-sealed")).to_have_count(1, timeout=20_000)
    buyer.get_by_text("Open this code").click()
    buyer.get_by_role("button", name="Open now").click()
    expect(buyer.locator(".envelope:not(.is-sealed)")).to_contain_text("TYPED-AAAAA-00001")


def test_the_operator_reads_a_contested_complaint_and_rules_nothing(visitor: Visitor, town: Town) -> None:
    buyer = visitor()
    buy(buyer, town, "video", "browser.quarrel@mail.example")
    buyer.get_by_text("Open this code").click()
    buyer.get_by_role("button", name="Open now").click()
    buyer.get_by_role("link", name="A problem with this code?").click()
    buyer.get_by_label(re.compile("already", re.IGNORECASE)).check()
    buyer.get_by_label("2. What happened?").fill("It says that it had been used last week.")
    buyer.get_by_role("button", name="Complain and freeze the money").click()
    expect(buyer.locator("#order-state")).to_contain_text("In dispute")
    reference = buyer.url.rpartition("/o/")[2].partition("?")[0].partition("#")[0].partition("/")[0]
    _contest(town, reference)
    page = visitor("operator")
    page.goto("/floor/complaints")
    page.locator(f'a[href="/floor/complaints/{reference}"]').first.click()
    expect(page.locator("main")).to_contain_text("The code left us unused; see the bill.")
    expect(page.locator("main")).to_contain_text("dispute.opened")
    expect(page.locator('input[name="outcome"]')).to_have_count(0)  # nobody at the platform sets an outcome


def _contest(town: Town, reference: str) -> None:
    """The merchant of a shop that is nobody's login here says no."""
    house = town.opened.house
    shop_no, order_id = place_of(reference)
    shop_id = town.run(house.numbers.shop_of(shop_no))
    assert shop_id is not None
    contest = ContestComplaint(shop_id=shop_id, order_id=order_id, text="The code left us unused; see the bill.")
    assert not town.run(house.ask(Asker.MERCHANT, contest)).refusal
