"""What a buyer does, in a real browser, against a real house and a real sandbox cashier."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser_town import Town, buy, place_of

pytestmark = pytest.mark.browser

CODE = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}")
Visitor = Callable[..., Page]


def test_buy_pay_open_confirm(visitor: Visitor, town: Town) -> None:
    page = visitor()
    buy(page, town, "steam100", "browser.one@mail.example")
    sealed = page.locator(".envelope.is-sealed")
    expect(sealed).to_have_count(1)
    assert not [code for code in town.world.codes if code in page.content()]
    sealed.get_by_text("Open this code").click()
    sealed.get_by_role("button", name="Open now").click()
    code = page.locator(".envelope:not(.is-sealed)")
    expect(code).to_contain_text(CODE)
    page.get_by_text("Everything works").click()
    page.get_by_role("button", name="Yes, release the money").click()
    expect(page.locator("#order-state")).to_contain_text("Completed")
    expect(page.locator(".envelope:not(.is-sealed)")).to_contain_text(CODE)


def test_a_missed_promise_is_refunded_without_a_click(visitor: Visitor, town: Town) -> None:
    page = visitor()
    buy(page, town, "qq100", "browser.two@mail.example")
    expect(page.locator("main")).to_contain_text("¥94.00")
    town.skip(61)
    expect(page.locator("#order-state")).to_contain_text("Cancelled", timeout=20_000)
    expect(page.locator("main")).to_contain_text("refund", ignore_case=True)
    expect(page.locator("main")).to_contain_text("¥94.00")


def test_without_scripts_everything_can_be_bought_and_opened(visitor: Visitor, town: Town) -> None:
    page = visitor(scripts=False)
    buy(page, town, "video", "browser.three@mail.example")
    page.reload()
    sealed = page.locator(".envelope.is-sealed")
    sealed.get_by_text("Open this code").click()
    sealed.get_by_role("button", name="Open now").click()
    expect(page.locator(".envelope:not(.is-sealed)")).to_contain_text(CODE)


def test_a_complaint_freezes_the_money_and_silence_loses(visitor: Visitor, town: Town) -> None:
    page = visitor()
    buy(page, town, "video", "browser.four@mail.example")
    sealed = page.locator(".envelope.is-sealed")
    sealed.get_by_text("Open this code").click()
    sealed.get_by_role("button", name="Open now").click()
    page.get_by_role("link", name="A problem with this code?").click()
    page.get_by_label(re.compile("already", re.IGNORECASE)).check()
    page.get_by_label("2. What happened?").fill("It says: <b>already redeemed</b>. I have a recording.")
    page.get_by_role("button", name="Complain and freeze the money").click()
    expect(page.locator("#order-state")).to_contain_text("In dispute")
    expect(page.locator("main")).to_contain_text("<b>already redeemed</b>")
    town.skip(48 * 60 + 1)
    page.reload()
    expect(page.locator("#ruling")).to_contain_text("R15")
    town.skip(24 * 60 + 1)
    page.reload()
    expect(page.locator("#order-state")).to_contain_text("Refunded")
    visitor("merchant").goto("/desk")  # a sign of life: the shop was silent and has not vanished (R18)


def test_a_guest_finds_his_order_by_number_and_secret(visitor: Visitor, town: Town) -> None:
    buyer = visitor()
    buy(buyer, town, "eshop3000", "browser.five@mail.example")
    reference = buyer.url.rpartition("/o/")[2].partition("?")[0].partition("#")[0]
    stranger = visitor()
    stranger.goto(f"/o/{reference}")
    expect(stranger.locator(".envelope")).to_have_count(0)
    stranger.goto("/orders")
    stranger.get_by_label("Order number").fill(reference)
    stranger.get_by_label("Secret", exact=True).fill("WRONG-SECRET-0000")
    stranger.get_by_role("button", name="Look it up").click()
    expect(stranger.locator(".envelope")).to_have_count(0)
    secret = town.opened.house.keys.order_secret(place_of(reference)[1])
    stranger.get_by_label("Order number").fill(reference)
    stranger.get_by_label("Secret", exact=True).fill(secret)
    stranger.get_by_role("button", name="Look it up").click()
    expect(stranger.locator(".envelope.is-sealed")).to_have_count(1)


def test_from_this_code_does_not_work_to_a_decided_refund_in_three_taps(visitor: Visitor, town: Town) -> None:
    page = visitor(width=360)
    buy(page, town, "steam100", "browser.taps@mail.example")
    sealed = page.locator(".envelope.is-sealed")
    sealed.get_by_text("Open this code").click()
    sealed.get_by_role("button", name="Open now").click()
    code = CODE.search(page.locator(".envelope:not(.is-sealed)").inner_text())
    assert code is not None
    town.run(town.world.maker.say(code.group(), "activated", 5 * 3_600_000, "somebody else"))
    taps = 0
    for tap in (
        page.get_by_role("link", name="A problem with this code?"),
        page.locator("form label", has_text="It says the code was already used"),
        page.get_by_role("button", name="Complain and freeze the money"),
    ):
        tap.click()
        taps += 1
    assert taps == 3
    ruling = page.locator("#ruling")
    for _ in range(20):
        if ruling.count():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(ruling).to_contain_text("R03")
    expect(ruling).to_contain_text("back to the buyer")
