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
from fairkey.web.render import PageContext, Viewer, render_text, view_of
from fairkey.web.states import LOOKS

NOW_MS: Final = 1_790_000_000_000
_MINUTE_MS: Final = 60_000

PAGES: Final = ("components", "home", "order")


def _card(**values: object) -> dict[str, object]:
    return {
        "href": "#",
        "face_value": "",
        "edition": "",
        "from_price": False,
        "is_manual": False,
        "shop_href": "#",
        "coverage": None,
        **values,
    }


CARDS: Final = (
    _card(product="星海远征 标准版", region="中国大陆", edition="PC", price_fen=12_800, stock=342, delivery_s=1, validity=0.9987,
          shop_name="青禾数码", score=97, coverage=2.4, from_price=True),
    _card(product="办公套件 2026 家庭版 一年订阅激活码", face_value="1 年", region="全球", price_fen=29_900, stock=57, delivery_s=1,
          validity=1.0, shop_name="青禾数码", score=97, coverage=2.4),
    _card(product="点卡 100 元", face_value="¥100", region="中国大陆", price_fen=9_780, stock=0, delivery_s=2, validity=0.964,
          shop_name="飞速卡铺", score=81, coverage=0.6),
    _card(product="Moonlit Harbor – Deluxe", region="HK / TW", edition="Deluxe", price_fen=8_850, stock=4, delivery_s=640,
          validity=None, shop_name="新岸小店", score=None, is_manual=True),
)

ORDER: Final = {
    "number": "7K-3M9QZ-0C4T2", "state": "delivered", "product": "星海远征 标准版", "region": "中国大陆", "quantity": 2,
    "unit_fen": 12_800, "paid_fen": 25_600, "held_fen": 25_600, "released_fen": 0, "refunded_fen": 0,
    "deadline_ms": NOW_MS + 71 * 60 * _MINUTE_MS, "placed_at_ms": NOW_MS - 64 * _MINUTE_MS, "shop_name": "青禾数码",
}  # fmt: skip

_STORY: Final = {
    "zh_CN": ("下单", "2 份，单价 ¥128.00", "付款到账", "由支付机构持有", "发码", "两个封存的卡密归你", "打开 1 号卡密", "订单完成", "款项放给店铺", "则自动完成"),
    "en": ("Placed", "2 units at ¥128.00", "Payment arrived", "held by the payment provider", "Delivered", "two sealed codes are yours",
           "Code 1 opened", "Completion", "the money goes to the shop", "then by itself"),
}  # fmt: skip


def _entries(locale: Locale) -> list[dict[str, Any]]:
    words = _STORY[locale]

    def entry(title: str, text: str, icon: str, tone: str, **more: object) -> dict[str, Any]:
        return {"title": title, "text": text, "icon": icon, "tone": tone, "at_ms": None, **more}

    return [
        entry(words[0], words[1], "receipt", "mute", at_ms=NOW_MS - 64 * _MINUTE_MS, proof_href="#", log_index=10_474),
        entry(words[2], words[3], "lock", "hold", at_ms=NOW_MS - 62 * _MINUTE_MS, proof_href="#", log_index=10_475, amount_fen=25_600),
        entry(words[4], words[5], "envelope", "hold", at_ms=NOW_MS - 62 * _MINUTE_MS + 180, proof_href="#", log_index=10_476),
        entry(words[6], "", "envelope-open", "good", at_ms=NOW_MS - 58 * _MINUTE_MS, proof_href="#", log_index=10_482),
        entry(words[7], words[8], "check", "good", deadline_ms=NOW_MS + 71 * 60 * _MINUTE_MS, then=words[9]),
    ]


def values_of(page: str, locale: Locale) -> dict[str, Any]:
    """Made-up values for an example page."""
    if page == "home":
        regions = [("", "全部" if locale == "zh_CN" else "all"), ("CN", "中国大陆"), ("HK", "香港")]
        return {"cards": CARDS, "query": "", "regions": regions, "region": "", "sort": "score", "count": len(CARDS)}
    if page == "order":
        return {
            "order": ORDER,
            "entries": _entries(locale),
            "codes": [
                {"number": 1, "text": "A7K2-99QX-41ZD-KK3P", "commitment": "9f2c61d0a4e7b835", "revealed_at_ms": NOW_MS - 58 * _MINUTE_MS},
                {"number": 2, "text": None, "commitment": "41be07c9d2f6a018", "revealed_at_ms": None},
            ],
            "messages": [
                {"author": "wang…@qq.com", "at_ms": NOW_MS - 40 * _MINUTE_MS, "text": "在哪里激活？", "is_mine": True},
                {"author": "青禾数码", "at_ms": NOW_MS - 33 * _MINUTE_MS, "text": "启动器 → 设置 → 兑换激活码。", "is_mine": False},
            ],
        }
    context = PageContext(locale=locale)
    states = ("delivered", "disputed", "completed", "partly_refunded")
    return {
        "looks": LOOKS,
        "refusal": view_of(context, "InvalidInput"),
        "now_ms": NOW_MS,
        "icon_names": list(shapes()),
        "rows": [
            {"number": f"7K-3M9QZ-0C4T{n}", "product": CARDS[n]["product"], "state": state, "placed_at_ms": NOW_MS - n * 47 * _MINUTE_MS,
             "paid_fen": 12_800 * (n + 1)}
            for n, state in enumerate(states)
        ],
        "days": [(f"08-{n + 1:02d}", 20 + (n * 37) % 61) for n in range(14)],
        "money_days": [(f"08-{n + 1:02d}", 90_000 + (n * 73_111) % 240_000) for n in range(14)],
    }  # fmt: skip


def write(folder: Path) -> list[Path]:
    """Write all example pages below ``folder`` and return their paths."""
    shutil.copytree(WEB / "static", folder / "static", dirs_exist_ok=True)
    written = []
    for page in PAGES:
        for locale in LOCALES:
            viewer = Viewer("merchant", "青禾数码") if page == "components" else Viewer()
            context = PageContext(
                locale=locale, path="/desk/orders" if page == "components" else "/", now_ms=NOW_MS, viewer=viewer, static_base="static",
                is_sandbox=True, platform_name="fairkey 公钥码",
            )  # fmt: skip
            path = folder / f"{page}.{locale}.html"
            path.write_text(
                render_text(context, f"components/examples/{page}.html", **values_of(page, locale)), encoding="utf-8"
            )
            written.append(path)
    return written


def main(arguments: Sequence[str]) -> int:
    """Write the gallery; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fairkey.web.gallery", description="Write the component gallery as static HTML.")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR")
    chosen = parser.parse_args(arguments)
    for path in write(chosen.folder):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
