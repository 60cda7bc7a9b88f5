"""Every main page of every role: nothing serious for axe, nothing wider than the screen, and a picture to look at.

`./run screenshots` keeps the pictures: `store.png` and `order.png` for the README, all others in `all/`.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser_town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visitor = Callable[..., Page]
LOOKS = [(360, False), (360, True), (1280, False), (1280, True)]
SERIOUS = {"serious", "critical"}

GUEST = [
    "/",
    "/?delivery=manual",
    "/orders",
    "/login",
    "/register",
    "/forgot",
    "/about",
    "/sell",
    "/verify",
    "/guarantee",
    "/outages",
    "/nothing-here",
]
DESK = [
    "/desk",
    "/desk/listings",
    "/desk/listings/new",
    "/desk/batches",
    "/desk/batches/import",
    "/desk/orders",
    "/desk/complaints",
    "/desk/coupons",
    "/desk/money",
    "/desk/deposit",
    "/desk/figures",
    "/desk/staff",
    "/desk/keys",
    "/desk/settings",
]
FLOOR = [
    "/floor",
    "/floor/shops",
    "/floor/complaints",
    "/floor/issuers",
    "/floor/unmatched",
    "/floor/deposits",
    "/floor/audit",
    "/floor/health",
    "/floor/orders",
    "/floor/erasure",
]
LINKS_DEEPER = {
    "merchant": r"/desk/(?:listings|batches|orders)/[0-9A-Za-z-]{20,}",
    "crooked": r"/desk/orders/[0-9A-Za-z-]{20,}",
    "operator": r"/floor/complaints/[0-9A-Z]{20,}",
    "buyer": r"/o/[0-9A-Z]{20,}",
}
DEEPER_A_PAGE = 2


def paths_of(page: Page, town: Town, door: str) -> list[str]:
    """The main pages of a role, and from its lists a few of each kind of page behind them."""
    if not door:
        shops = [f"/shops/{shop.shop_no}" for shop in town.world.shops.values()]
        listings = [town.listing(word).removeprefix(town.address) for word in ("steam100", "qq100", "music", "point")]
        return [*GUEST, *listings, *shops]
    lists = {"buyer": ["/orders", "/account"], "operator": FLOOR}.get(door, DESK)
    paths = list(lists)
    for path in lists:
        page.goto(path)
        found = dict.fromkeys(re.findall(rf'href="({LINKS_DEEPER[door]})"', page.content()))
        paths += [one for one in list(found)[: 20 if door == "buyer" else DEEPER_A_PAGE] if one not in paths]
    if door == "buyer":
        orders = [path for path in paths if path.startswith("/o/")]
        paths += [f"{orders[0]}/pay", *(f"{order}/complain" for order in orders[:3]), f"{orders[0]}/facts"]
    if door == "merchant":
        paths += [f"{path}/edit" for path in paths if re.fullmatch(r"/desk/listings/[0-9a-f-]{36}", path)][:1]
    return paths


def name_of(door: str, path: str) -> str:
    short = re.sub(r"[0-9A-Za-z-]{26,}", lambda found: found[0][-6:], path.strip("/")) or "front"
    return f"{door or 'guest'}-{re.sub(r'[^0-9A-Za-z]+', '-', short)}"


@pytest.mark.parametrize("door", ["", "buyer", "merchant", "crooked", "operator"], ids=lambda door: door or "guest")
def test_screenshots_and_accessibility(visitor: Visitor, town: Town, pictures_folder: Path, door: str) -> None:
    pictures = pictures_folder / "all"
    pictures.mkdir(exist_ok=True)
    paths: list[str] = []
    bad: list[str] = []
    axe = Axe()
    for width, dark in LOOKS:
        page = visitor(door, locale="zh-CN", width=width, dark=dark)
        paths = paths or paths_of(page, town, door)
        for path in paths:
            answer = page.goto(path)
            assert answer is not None
            assert answer.status < 500, path
            look = f"{width}-{'dark' if dark else 'light'}"
            page.screenshot(path=pictures / f"{name_of(door, path)}-{look}.png", full_page=True)
            wide_px = page.evaluate("document.scrollingElement.scrollWidth")
            if wide_px > width:
                bad.append(f"{path} {look}: {wide_px} px wide")
            if (width == 360) == dark:  # each page once on a phone in the dark, once on a desk in the light
                bad += [f"{path} {look}: {one}" for one in serious(axe, page)]
    assert bad == []


def serious(axe: Axe, page: Page) -> list[str]:
    """What axe calls serious or critical, each with where it is."""
    return [
        f"{one['id']}: {', '.join(str(node['target']) for node in one['nodes'][:3])}"
        for one in axe.run(page).response["violations"]
        if one["impact"] in SERIOUS
    ]


def test_screenshots_of_the_readme(visitor: Visitor, town: Town, pictures_folder: Path) -> None:
    page = visitor(locale="zh-CN", width=1280)
    page.set_viewport_size({"width": 1180, "height": 760})
    page.goto("/")
    page.screenshot(path=pictures_folder / "store.png")
    buyer = visitor("buyer", locale="zh-CN", width=1280)
    buyer.set_viewport_size({"width": 1180, "height": 820})
    buyer.goto("/orders")
    opened = re.findall(r'href="(/o/[0-9A-Z]+)"', buyer.content())
    for path in opened:
        buyer.goto(path)
        if buyer.locator(".envelope:not(.is-sealed)").count() and buyer.locator("#order-live[data-live-src]").count():
            break
    buyer.screenshot(path=pictures_folder / "order.png")
    for name in ("store.png", "order.png"):
        assert 10_000 < (pictures_folder / name).stat().st_size < 300_000
