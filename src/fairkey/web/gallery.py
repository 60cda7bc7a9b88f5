"""All components and two worked example pages as static HTML, to look at while designing.

    python -m fairkey.web.gallery OUT_DIR

writes ``<page>.<language>.html`` beside copies of the static files. Nothing here is served to visitors.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fairkey.web.i18n import LOCALES, WEB, Locale
from fairkey.web.icons import shapes
from fairkey.web.refusals import refusal_view
from fairkey.web.render import PageContext, Viewer, render_text
from fairkey.web.states import LOOKS

NOW_MS: Final = 1_790_000_000_000
_MINUTE_MS: Final = 60_000

PAGES: Final = ("components", "home", "order")


def _card(product: str, shop_name: str, **more: object) -> dict[str, object]:
    """A listing card with made-up values; see ``trade.listing_card`` for what each means."""
    card = {
        "product": product,
        "shop_name": shop_name,
        "href": "#",
        "shop_href": "#",
        "face_value": "",
        "region": "中国大陆",
        "edition": "",
        "price_fen": 12_800,
        "from_price": False,
        "is_manual": False,
        "stock": 342,
        "delivery_s": 1,
        "validity": 0.9987,
        "score": 97,
        "coverage": 2.4,
    }
    return {**card, **more}


CARDS: Final = (
    _card("星海远征 标准版", "青禾数码", edition="PC", from_price=True),
    _card(
        "办公套件 2026 家庭版 一年订阅激活码", "青禾数码", face_value="1 年", region="全球", price_fen=29_900, stock=57
    ),
    _card(
        "点卡 100 元", "飞速卡铺", face_value="¥100", price_fen=9_780, stock=0, validity=0.964, score=81, coverage=0.6
    ),
    _card(
        "Moonlit Harbor – Deluxe",
        "新岸小店",
        region="HK / TW",
        edition="Deluxe",
        price_fen=8_850,
        delivery_s=640,
        validity=None,
        score=None,
        coverage=None,
        is_manual=True,
    ),
)

ORDER: Final = {
    "number": "7K-3M9QZ-0C4T2",
    "state": "delivered",
    "product": "星海远征 标准版",
    "region": "中国大陆",
    "quantity": 2,
    "unit_fen": 12_800,
    "paid_fen": 25_600,
    "held_fen": 25_600,
    "released_fen": 0,
    "refunded_fen": 0,
    "deadline_ms": NOW_MS + 71 * 60 * _MINUTE_MS,
    "placed_at_ms": NOW_MS - 64 * _MINUTE_MS,
    "shop_name": "青禾数码",
}

_STORY: Final[dict[Locale, tuple[str, ...]]] = {
    "zh_CN": (
        "下单",
        "2 份，单价 ¥128.00",
        "付款到账",
        "由支付机构托管",
        "发码",
        "两个封存的卡密归你",
        "打开 1 号卡密",
        "订单完成",
        "款项放给店铺",
        "到时自动完成",
    ),
    "en": (
        "Placed",
        "2 units at ¥128.00",
        "Payment arrived",
        "held by the payment provider",
        "Delivered",
        "two sealed codes are yours",
        "Code 1 opened",
        "Completion",
        "the money goes to the shop",
        "then by itself",
    ),
}


def _entries(locale: Locale) -> list[dict[str, Any]]:
    words = _STORY[locale]

    def happened(title: str, text: str, icon: str, tone: str, minutes_ago: int, log_index: int) -> dict[str, Any]:
        return {
            "title": title,
            "text": text,
            "icon": icon,
            "tone": tone,
            "at_ms": NOW_MS - minutes_ago * _MINUTE_MS,
            "proof_href": "#",
            "log_index": log_index,
        }

    ahead = {"title": words[7], "text": words[8], "icon": "check", "tone": "good", "at_ms": None}
    return [
        happened(words[0], words[1], "receipt", "mute", 64, 10_474),
        {**happened(words[2], words[3], "lock", "hold", 62, 10_475), "amount_fen": 25_600},
        happened(words[4], words[5], "envelope", "hold", 62, 10_476),
        happened(words[6], "", "envelope-open", "good", 58, 10_482),
        {**ahead, "deadline_ms": ORDER["deadline_ms"], "then": words[9]},
    ]


def _order_values(locale: Locale) -> dict[str, Any]:
    opened = {"number": 1, "text": "A7K2-99QX-41ZD-KK3P", "revealed_at_ms": NOW_MS - 58 * _MINUTE_MS}
    sealed = {"number": 2, "text": None, "revealed_at_ms": None}
    question = {"author": "wang…@qq.com", "text": "在哪里激活？", "is_mine": True}
    answer = {"author": "青禾数码", "text": "启动器 → 设置 → 兑换激活码。", "is_mine": False}
    return {
        "order": ORDER,
        "entries": _entries(locale),
        "codes": [{**opened, "commitment": "9f2c61d0a4e7b835"}, {**sealed, "commitment": "41be07c9d2f6a018"}],
        "messages": [
            {**question, "at_ms": NOW_MS - 40 * _MINUTE_MS},
            {**answer, "at_ms": NOW_MS - 33 * _MINUTE_MS},
        ],
    }


def _component_values(locale: Locale) -> dict[str, Any]:
    states = ("delivered", "disputed", "completed", "partly_refunded")
    return {
        "looks": LOOKS,
        "refusal": refusal_view("StockIsShort", {"wanted": 5, "left": 2}, locale),
        "now_ms": NOW_MS,
        "icon_names": list(shapes()),
        "rows": [
            {
                "number": f"7K-3M9QZ-0C4T{n}",
                "product": CARDS[n]["product"],
                "state": state,
                "placed_at_ms": NOW_MS - n * 47 * _MINUTE_MS,
                "paid_fen": 12_800 * (n + 1),
            }
            for n, state in enumerate(states)
        ],
        "days": [(f"08-{n + 1:02d}", 20 + (n * 37) % 61) for n in range(14)],
        "money_days": [(f"08-{n + 1:02d}", 90_000 + (n * 73_111) % 240_000) for n in range(14)],
    }


def values_of(page: str, locale: Locale) -> dict[str, Any]:
    """Made-up values for an example page."""
    if page == "home":
        regions = [("", "不限" if locale == "zh_CN" else "any"), ("CN", "中国大陆"), ("HK", "香港")]
        return {
            "cards": CARDS,
            "query": "",
            "regions": regions,
            "region": "",
            "sort": "score",
            "count": len(CARDS),
        }
    return _order_values(locale) if page == "order" else _component_values(locale)


def page_text(page: str, locale: Locale) -> str:
    """An example page as HTML that expects the static files in ``static/`` beside it."""
    is_desk = page == "components"
    context = PageContext(
        platform_name="fairkey 公钥码",
        locale=locale,
        path="/desk/orders" if is_desk else "/",
        now_ms=NOW_MS,
        viewer=Viewer("merchant", "青禾数码") if is_desk else Viewer(),
        static_base="static",
        is_sandbox=True,
    )
    return render_text(context, f"components/examples/{page}.html", **values_of(page, locale))


def write(folder: Path) -> list[Path]:
    """Write all example pages below ``folder`` and return their paths."""
    shutil.copytree(WEB / "static", folder / "static", dirs_exist_ok=True)
    written = []
    for page in PAGES:
        for locale in LOCALES:
            path = folder / f"{page}.{locale}.html"
            path.write_text(page_text(page, locale), encoding="utf-8")
            written.append(path)
    return written


def main(arguments: Sequence[str]) -> int:
    """Write the gallery; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fairkey.web.gallery", description="Write the gallery as HTML.")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR")
    chosen = parser.parse_args(arguments)
    for path in write(chosen.folder):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
