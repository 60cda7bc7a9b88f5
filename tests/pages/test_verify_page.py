"""The verify page as people meet it: served, with the network cut after load; and as one file from the disk."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from browser_town import Town
from fairkey.business.basics import Stream
from fairkey.web.i18n import Locale
from fairkey.web.render import PageContext
from fairkey.web.verify.saved import saved_page
from verify_cases import HOSTILE, cases, leaves, policy_of, proof, receipt

pytestmark = pytest.mark.browser

Opened = Callable[..., Page]
SERIOUS = {"serious", "critical"}
SIZES = [(360, True), (360, False), (1280, False), (1280, True)]


@pytest.fixture
def saved(chromium: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Open the saved page from the disk, without any network; a broken script or a forbidden load fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(
        locale: Locale = "en", policy: str | None = None, *, width: int = 1280, dark: bool = False, scripts: bool = True
    ) -> Page:
        path = tmp_path / f"verify-{locale}.html"
        path.write_text(saved_page(PageContext(locale=locale), policy_of() if policy is None else policy), "utf-8")
        context = chromium.new_context(
            offline=True,
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("request", lambda sent: errors.append(sent.url) if not sent.url.startswith(path.as_uri()) else None)
        page.goto(path.as_uri())
        if scripts:
            expect(page.locator("#verify")).to_have_attribute("data-ready", "yes")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def file_of(data: bytes, name: str = "a.fairkey-receipt") -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def verdicts(page: Page, *files: FilePayload) -> list[str]:
    """Choose files; what the page says of each: good, bad or unknown."""
    before = page.locator("#verify").get_attribute("data-judged")
    page.locator("#verify-files").set_input_files(list(files))
    expect(page.locator("#verify")).not_to_have_attribute("data-judged", before or "")
    return [str(one.get_attribute("data-verdict")) for one in page.locator(".result").all()]


def confirmed(page: Page) -> Page:
    page.locator("#verify-confirm").check()
    expect(page.locator("#verify-confirm")).to_be_checked()
    return page


def test_every_case_gets_its_verdict_from_the_disk_without_a_network(saved: Opened) -> None:
    page = confirmed(saved())
    wrong = {}
    for name, case in cases().items():
        if case.policy != policy_of():
            continue
        files = [file_of(case.data, "a.tlog-proof" if "proof" in name else "a.file")]
        files += [file_of(case.entry, "a.entry")] if case.entry is not None else []
        if (told := verdicts(page, *files)) != [case.expected]:
            wrong[name] = told
    assert wrong == {}


def test_what_is_proven_is_told_in_words_and_yuan(saved: Opened) -> None:
    page = confirmed(saved())
    assert verdicts(page, file_of(receipt(1, ()))) == ["good"]
    result = page.locator(".result")
    expect(result.locator(".verdict")).to_contain_text("Holds")
    for words in (
        "An order was paid in full; the money is held",
        "\u00a51,234.50",
        "Order order-1",
        "keys.example/log",
        "1 / 7",
        "Seen by ash",
        "(UTC+8)",
        "What this does not prove",
        "That what the entry says is true",
    ):
        expect(result).to_contain_text(words)
    expect(result.locator("ol > li")).to_have_count(8)


def test_the_same_in_chinese(saved: Opened) -> None:
    page = confirmed(saved("zh_CN"))
    assert verdicts(page, file_of(receipt(1, ()))) == ["good"]
    expect(page.locator(".verdict")).to_contain_text("成立")
    for words in ("订单已付清，款项托管中", "\u00a51,234.50", "见证人 ash 见到的时间", "这不能证明什么"):
        expect(page.locator(".result")).to_contain_text(words)


def test_nothing_counts_before_the_visitor_says_whom_he_trusts(saved: Opened) -> None:
    page = saved()
    expect(page.locator("#verify-results")).to_have_text("Nothing chosen yet.")
    assert verdicts(page, file_of(receipt())) == ["unknown"]
    expect(page.locator(".result")).to_contain_text("You have not said yet that you trust these keys.")
    confirmed(page)
    expect(page.locator(".result")).to_have_attribute("data-verdict", "good")
    page.locator("#verify-policy").fill(policy_of(needed=3))
    expect(page.locator("#verify-confirm")).not_to_be_checked()
    expect(page.locator(".result")).to_have_attribute("data-verdict", "unknown")
    confirmed(page)
    expect(page.locator(".result")).to_have_attribute("data-verdict", "bad")
    page.locator("#verify-policy").fill("log nonsense")
    expect(page.locator("#verify-policy-says")).to_contain_text("Line 1")
    page.locator("#verify-policy-file").set_input_files([file_of(policy_of().encode(), "policy.txt")])
    confirmed(page)
    expect(page.locator(".result")).to_have_attribute("data-verdict", "good")


def test_markup_in_files_and_names_stays_text(saved: Opened) -> None:
    page = confirmed(saved())
    told = verdicts(
        page, file_of(receipt(5, (0, 2), clear=HOSTILE), f"{HOSTILE}.fairkey-receipt"), file_of(receipt(6, ()))
    )
    assert told == ["good", "good"]
    assert page.locator("#verify-results img").count() == 0
    assert page.title() == "fairkey verify"
    shown = page.locator(".result").first.inner_text()
    assert "<img src=x" in shown
    assert "\u202e" not in shown


def test_zips_and_several_files(saved: Opened) -> None:
    page = confirmed(saved())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("receipts/one.fairkey-receipt", receipt())
        file.writestr("receipts/two.fairkey-receipt", receipt(head=b"nothing\n\n"))
        file.writestr("entry-3.tlog-proof", proof(3).encode())
        file.writestr("entry-3.entry", leaves()[3].body)
        file.writestr("picture.png", b"not looked at")
    assert verdicts(page, file_of(packed.getvalue(), "all.zip"), file_of(b"what", "b.txt")) == [
        "good",
        "bad",
        "good",
        "unknown",
    ]


def test_a_zip_that_unpacks_without_end_is_refused(saved: Opened) -> None:
    page = confirmed(saved())
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.fairkey-receipt", bytes(17 * 1024 * 1024))
    damaged = bytearray(bomb.getvalue())
    damaged[-4] ^= 0xFF
    assert (
        verdicts(page, file_of(bomb.getvalue(), "bomb.zip"), file_of(bytes(damaged), "damaged.zip")) == ["unknown"] * 2
    )
    expect(page.locator(".result").first).to_contain_text("a file in the zip is too long")
    expect(page.locator(".result").last).to_contain_text("the zip is damaged")


def test_without_cryptography_it_says_so(saved: Opened) -> None:
    page = saved()
    page.evaluate("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    assert verdicts(page, file_of(receipt())) == ["unknown"]
    expect(page.locator(".result")).to_contain_text("This browser offers no cryptography here")


def test_without_scripts_it_says_how_to_go_on(saved: Opened) -> None:
    page = saved(scripts=False)
    expect(page.locator("noscript .notice")).to_contain_text("fairkey verify FILE --policy POLICY")


def test_keyboard_alone_is_enough(saved: Opened) -> None:
    page = saved()
    # Listened for from the start: the browser begins to hand choosers over some time after it was asked to.
    page.on("filechooser", lambda chooser: chooser.set_files([file_of(receipt())]))
    page.locator("#verify-policy").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#verify-policy-file")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#verify-confirm")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.locator("#verify-files")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".result")).to_have_attribute("data-verdict", "good")
    expect(page.locator("#verify-results")).to_be_focused()


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_it_fits_any_screen_and_axe_finds_nothing_serious(saved: Opened, pictures_folder: Path, locale: Locale) -> None:
    asked = cases()
    folder = pictures_folder / "all"
    folder.mkdir(exist_ok=True)
    bad: list[str] = []
    for width, dark in SIZES:
        page = confirmed(saved(locale, width=width, dark=dark))
        verdicts(
            page,
            file_of(receipt(0, (), clear="not today"), "order-1-3.fairkey-receipt"),
            file_of(asked["a bit of the path"].data, "spoiled.fairkey-receipt"),
            file_of(asked["another log's receipt"].data, "x" * 300),
        )
        look = f"{width}-{'dark' if dark else 'light'}"
        page.screenshot(path=folder / f"saved-verify-{locale}-{look}.png", full_page=True)
        wide_px = page.evaluate("document.scrollingElement.scrollWidth")
        bad += [f"{look}: {wide_px} px wide"] if wide_px > width else []
        violations = Axe().run(page).response["violations"]
        bad += [f"{look}: {one['id']}: {one['nodes'][0]['target']}" for one in violations if one["impact"] in SERIOUS]
    assert bad == []


def test_the_served_page_needs_and_uses_no_network_once_it_is_there(visitor: Callable[..., Page], town: Town) -> None:
    shop_id = next(iter(town.world.shops.values())).shop_id
    given = town.run(town.opened.house.log.promise(Stream(shop_id, "shop", shop_id), 1))
    assert given is not None
    page = visitor()
    with page.expect_navigation() as navigation:
        page.get_by_role("link", name="Verify a receipt").click()
    answer = navigation.value
    assert answer is not None
    assert "connect-src 'none'" in (answer.header_value("content-security-policy") or "")
    expect(page.locator("#verify")).to_have_attribute("data-ready", "yes")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save this page").click()
    assert download.value.suggested_filename == "fairkey-verify.html"
    assert "<script" in download.value.path().read_text("utf-8")
    page.context.set_offline(True)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    confirmed(page)
    assert verdicts(page, file_of(given, "a.fairkey-promise")) == ["good"]  # by the house's own policy
    page.locator("#verify-policy").fill(policy_of())
    confirmed(page)
    assert verdicts(page, file_of(receipt()), file_of(cases()["a bit of the entry"].data)) == ["good", "bad"]
    expect(page.locator("#say")).to_have_text("\u2713Holds \u2717Does not hold")
    assert sent == []
