"""Pages in the styles of chats, order pages, bills and error dialogs, and what is to be read on each."""

from datetime import datetime
from html import escape
from typing import Any, NamedTuple

from .purchases import Bought

PHONE = (390, 844)
DESKTOP = (1100, 720)
Facts = list[dict[str, Any]]


class Look(NamedTuple):
    """A page: its HTML, the window in CSS pixels, how many pixels for one, and its facts."""

    name: str
    html: str
    size: tuple[int, int]
    facts: Facts
    scale: int = 2


def fact(kind: str, value: str | int, role: str = "", said_by: str = "") -> dict[str, Any]:
    """One fact of a truth file."""
    return {"kind": kind, "value": value, "role": role} | ({"said_by": said_by} if said_by else {})


def iso(at: datetime, *, seconds: bool = True) -> str:
    """As proposed facts have it."""
    return at.isoformat(timespec="seconds" if seconds else "minutes") + "+08:00"


def yuan(fen: int) -> str:
    """`1,688.00` or `98.50`."""
    return f"{fen / 100:,.2f}"


def looks_of(one: Bought) -> list[Look]:
    """Chat, order page, bill and error dialog of a purchase; light or dark, on a phone or a desk, by its number."""
    dark = one.number % 4 in {2, 3}
    return [
        _chat(one, dark=dark),
        _order(one, dark=not dark),
        _bill(one, dark=dark and one.number % 2 == 0),
        _error(one, dark=one.number % 3 == 1),
    ]


def _page(body: str, style: str, *, dark: bool) -> str:
    ink, ground = ("#e6e6e6", "#161616") if dark else ("#1d1d1f", "#f4f4f6")
    return (
        "<!doctype html><meta charset=utf-8><style>*{box-sizing:border-box;margin:0}"
        f"body{{font:15px/1.5 'Noto Sans CJK SC',sans-serif;color:{ink};background:{ground};padding-bottom:24px}}"
        ".row{display:flex;justify-content:space-between;gap:16px;padding:7px 16px}.row span:first-child{opacity:.65}"
        f"{style}</style>{body}"
    )


def _rows(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"<div class=row><span>{escape(a)}</span><span>{escape(b)}</span></div>" for a, b in pairs)


def _chat(one: Bought, *, dark: bool) -> Look:
    mine, theirs = ("#2e8b57", "#2c2c2e") if dark else ("#95ec69", "#ffffff")
    first, second = one.promises
    said = [
        ("note", f"{one.ordered:%Y年%-m月%-d日 %H:%M}"),
        ("me", "在吗？这个现在还有货吗"),
        ("other", f"亲，有货的，{first}"),
        ("other", f"拍下后{second}，请放心购买"),
        ("note", f"{one.delivered:%Y年%-m月%-d日 %H:%M}"),
        ("other", f"卡密：{one.code}"),
        ("me", "收到，我晚点试一下"),
        ("note", f"{one.failed:%Y年%-m月%-d日 %H:%M}"),
        ("me", f"订单号 {one.order_number} 的卡密用不了"),
        ("other", "可能是您自己操作有误，我们不负责"),
        ("me", "那麻烦处理一下，谢谢"),
    ]
    if one.number % 5 == 0:  # a long picture, put together by scrolling
        filler = ["请问在吗", "您好，客服稍后回复", "我等了很久了", "正在为您核实", "有结果了吗", "还在核实中"]
        said[7:7] = [("me" if n % 2 == 0 else "other", filler[n % 6]) for n in range(18)]
    body = f"<div class=head>{escape(one.shop)}</div>"
    for who, text in said:
        inner = escape(text) if who == "note" else f"<i></i><p>{escape(text)}</p>"
        body += f"<div class='b {who}'>{inner}</div>"
    style = (
        ".head{text-align:center;padding:14px;font-weight:600}.b{display:flex;gap:10px;padding:7px 14px}"
        f".b.me{{flex-direction:row-reverse}}.me p{{background:{mine}}}.other p{{background:{theirs}}}"
        "p{padding:9px 12px;border-radius:6px;max-width:250px;font-size:16px;overflow-wrap:anywhere}"
        "i{width:40px;height:40px;border-radius:5px;background:#7a8fb5;flex:none}"
        ".note{justify-content:center;font-size:13px;opacity:.6}"
    )
    facts = [
        fact("shop", one.shop),
        *(fact("time", iso(at, seconds=False)) for at in (one.ordered, one.delivered, one.failed)),
        *(fact("promise", text, said_by="other") for text in one.promises),
        fact("code", one.code, said_by="other"),
        fact("order_number", one.order_number, said_by="me"),
    ]
    height = 66 + 58 * len(said)
    return Look("chat", _page(body, style, dark=dark), (PHONE[0], max(PHONE[1], height)), facts)


def _order(one: Bought, *, dark: bool) -> Look:
    is_wide = one.number % 3 == 0
    pairs = [
        ("订单编号", one.order_number),
        ("下单时间" if one.number % 2 else "创建时间", f"{one.ordered:%Y-%m-%d %H:%M:%S}"),
        ("付款时间" if one.number % 2 else "支付时间", f"{one.paid:%Y-%m-%d %H:%M:%S}"),
        ("发货时间", f"{one.delivered:%Y-%m-%d %H:%M:%S}"),
    ]
    money = [("商品总价", f"¥{yuan(one.amount_fen + 500)}"), ("优惠", "-¥5.00"), ("实付款", f"¥{yuan(one.amount_fen)}")]
    good = f"<div class=good><i></i><span>{escape(one.product)}</span></div>"
    card = f"<div class=card><b>{escape(one.shop)}</b>{good}</div>"
    if is_wide:
        cells = "".join(f"<tr><td>{a}：</td><td>{escape(b)}</td></tr>" for a, b in [*pairs, *money])
        body = f"<h2>{one.platform} · 订单详情</h2><div class=wide>{card}<table>{cells}</table></div>"
    else:
        body = f"<h2>{one.platform}订单详情</h2>{card}"
        body += f"<div class=card>{_rows(money)}</div><div class=card>{_rows(pairs)}</div>"
    ground = "#232325" if dark else "#ffffff"
    style = (
        "h2{padding:18px 16px;font-size:19px}"
        f".card{{background:{ground};margin:10px;padding:12px 4px;border-radius:10px}}"
        "b{padding:0 16px}.good{display:flex;gap:12px;padding:12px 16px}"
        ".good i{width:72px;height:72px;background:#c7b299;border-radius:6px}"
        "table{margin:16px;font-size:16px}td{padding:6px 14px}"
    )
    facts = [
        fact("platform", one.platform),
        fact("shop", one.shop),
        fact("order_number", one.order_number),
        fact("time", iso(one.ordered), "ordered"),
        fact("time", iso(one.paid), "paid"),
        fact("time", iso(one.delivered), "delivered"),
        fact("amount_fen", one.amount_fen + 500),
        fact("amount_fen", 500),
        fact("amount_fen", one.amount_fen, "paid"),
    ]
    return Look("order", _page(body, style, dark=dark), DESKTOP if is_wide else PHONE, facts, 1 if is_wide else 2)


def _bill(one: Bought, *, dark: bool) -> Look:
    when = f"{one.paid:%Y年%-m月%-d日 %H:%M:%S}" if one.number % 2 else f"{one.paid:%Y-%m-%d %H:%M:%S}"
    if one.number % 2:
        pairs = [
            ("当前状态", "支付成功"),
            ("商品", one.product),
            ("商户全称", one.shop),
            ("支付时间", when),
            ("支付方式", "零钱"),
            ("交易单号", one.transaction),
        ]
    else:
        pairs = [
            ("付款方式", "余额"),
            ("商品说明", one.product),
            ("支付时间", when),
            ("收款方全称", one.shop),
            ("订单号", one.transaction),
            ("商户订单号", one.order_number),
        ]
    body = f"<div class=top><span>{escape(one.shop)}</span><strong>-{yuan(one.amount_fen)}</strong></div>{_rows(pairs)}"
    style = (
        ".top{display:flex;flex-direction:column;align-items:center;padding:48px 0 30px}strong{font-size:34px}"
        ".row{font-size:14px;padding:9px 18px}.row span:first-child{white-space:nowrap}"
        ".row span:last-child{text-align:right;overflow-wrap:anywhere;max-width:240px}"
    )
    facts = [
        fact("amount_fen", one.amount_fen, "paid"),
        fact("shop", one.shop),
        fact("product", one.product),
        fact("time", iso(one.paid), "paid"),
        fact("transaction", one.transaction),
    ]
    facts += [] if one.number % 2 else [fact("order_number", one.order_number)]
    return Look("bill", _page(body, style, dark=dark), PHONE, facts)


def _error(one: Bought, *, dark: bool) -> Look:
    is_wide = one.number % 2 == 1
    when = f"{one.failed:%Y-%m-%d %H:%M}"
    body = (
        f"<div class=bar>产品激活</div><div class=box><h3>提示</h3><p>{escape(one.error)}</p>"
        f"<p class=code>{one.code}</p><button>确定</button></div><div class=foot>{when}</div>"
    )
    ground = "#2a2f3a" if dark else "#ffffff"
    style = (
        ".bar{padding:12px 18px;font-weight:600}"
        f".box{{background:{ground};margin:{'90px auto' if is_wide else '180px 24px'};"
        "width:auto;max-width:560px;padding:24px;border-radius:12px;box-shadow:0 4px 30px #0005}"
        "p{margin:14px 0;font-size:16px}"
        ".code{font:17px 'Noto Sans Mono CJK SC',monospace;letter-spacing:1px}button{padding:8px 28px;float:right}"
        ".foot{text-align:right;padding:18px;clear:both}"
    )
    facts = [fact("error", one.error), fact("code", one.code), fact("time", iso(one.failed, seconds=False))]
    return Look("error", _page(body, style, dark=dark), DESKTOP if is_wide else PHONE, facts, 1 if is_wide else 2)
