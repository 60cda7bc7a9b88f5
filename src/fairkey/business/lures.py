"""Words that lead a trade off the platform: contact elsewhere, payment elsewhere. A hint for writer and reader.

Whoever pays outside the escrow has lost it, so both are warned before a message goes out. Plain patterns over text
that was made comparable: widths, case, look-alike signs and gaps between characters do not hide a word. A word alone
is no lure (a game may be bought with WeChat Pay, a card may top up a QQ account): it takes an invitation or a name.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final

LURE_TEXT_MAX: Final = 4_000
WARNED_NEAR: Final = 40


class Lure(StrEnum):
    """What a message leads to."""

    CONTACT = "contact"  # a messenger or its account
    PHONE = "phone"
    LINK = "link"  # an address of neither this house nor an issuer
    PAYMENT = "payment"  # money past the escrow
    SHOP = "shop"  # an order at another shop


HOSTS: Final = (
    "steampowered.com", "steamcommunity.com", "playstation.com", "xbox.com", "microsoft.com", "nintendo.com",
    "epicgames.com", "battle.net", "blizzard.com", "ea.com", "ubisoft.com", "apple.com", "google.com", "qq.com",
    "mihoyo.com", "hoyoverse.com", "netease.com", "163.com", "adobe.com", "netflix.com", "spotify.com",
    "12315.cn", "samr.gov.cn",
)  # fmt: skip
"""Where codes are redeemed or complaints are made: an address there is none that leads away."""

_SIGNS: Final = str.maketrans({
    "❤": "心", "♥": "心", "➕": "加", "＋": "加", "+": "加", "✚": "加", "①": "1", "②": "2", "③": "3", "④": "4",
    "⑤": "5", "⑥": "6", "⑦": "7", "⑧": "8", "⑨": "9", "⓪": "0", "〇": "0", "零": "0", "壹": "1", "幺": "1", "贰": "2",
    "叁": "3", "肆": "4", "伍": "5", "陆": "6", "柒": "7", "捌": "8", "玖": "9",
})  # fmt: skip
_CHINESE_DIGITS: Final = str.maketrans("一二三四五六七八九", "123456789")
_HIDDEN: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_GAP: Final = r"[\s\-_.,，。、·*~|/\\]*"


def _spaced(word: str) -> str:
    """The word with anything small between its characters."""
    return _GAP.join(re.escape(one) for one in word)


_MESSENGERS: Final = "|".join(
    [
        *map(_spaced, ("微信", "薇信", "威信", "维信", "徽信", "微心", "v信", "v心", "绿泡泡", "wechat", "weixin")),
        *map(_spaced, ("扣扣", "企鹅号", "口口", "电报", "纸飞机", "telegram", "whatsapp", "discord", "钉钉号")),
        r"(?<![a-z0-9])(?:v[\s\-_.]*x|w[\s\-_.]*x|v|微|薇|q[\s\-_.]*q|q|tg)(?![a-z])",
    ]
)  # fmt: skip
_INVITE: Final = (
    r"加(?:我|一下|下|个|老板|店主|客服|好友)?|添加|私聊|私信|私我|联系(?:我|客服)|找我|搜(?:一下|我)?|扫(?:码|我|一下)|发(?:你|您)?我的?"
    r"|我的|本店|客服|老板|进群|群号|add|contact|message\s+me|dm|reach\s+me|find\s+me"
)
_NAME: Final = r"(?:号|帐号|账号|id|群)?[\s:：是为=]*(?:[a-z][a-z0-9_\-]{5,19}|\d{5,11})(?![\d])"
_CONTACT: Final = (
    re.compile(
        rf"(?:{_INVITE})[^。！？\n]{{0,6}}?(?:{_MESSENGERS})(?!支付|红包|钱包|扫码支付|付款|充值|登录|登陆|区|币|会员|飞车|游戏)"
    ),
    re.compile(rf"(?:{_MESSENGERS}){_NAME}"),
    re.compile(rf"(?:{_MESSENGERS})(?:号)?[^。！？\n]{{0,4}}?(?:加我|联系|私聊|详谈|聊|找我|同号|同步|搜)"),
)
_ASKED: Final = re.compile(
    r"(?:您|你|买家|充值|登录|绑定|收货|到账|到帐)(?:的|账号|帐号|用的)?[^。！？\n]{0,6}?(?:q[\s]*q|微信|扣扣|wechat)"
)
_PHONE: Final = re.compile(r"(?<!\d)(?:加?86[\s\-]?)?1[\s\-.]?[3-9](?:[\s\-.]?\d){9}(?!\d)")
_CALL: Final = re.compile(r"电话|手机|拨打|打我|联系|致电|热线|call|phone|mobile|tel")
_LINK: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'，。；！？]{3,200}"
    r"|(?<![@\w.\-])(?:[a-z0-9\-]{1,63}\.)+(?:com|cn|net|org|top|xyz|shop|vip|cc|io|me|ru|club|site|link|store|ltd|pw|co)(?![\w\-])(?:/[^\s，。]*)?"
)
_PAYMENT: Final = re.compile(
    r"(?:支付宝|微信|银行卡|qq|扣扣|收款码|二维码|红包)[^。！？\n]{0,6}?(?:转账|转我|打给我|直接转|直接付|付给我|发我)"
    r"|(?:转账|打款|付款|转钱)(?:到|给)(?:我|老板|店主|客服)"
    r"|(?:私下|线下|场外|站外|绕过平台|绕开平台|不走平台|不经过平台|脱离平台|离开平台)[^。！？\n]{0,6}?(?:交易|付款|付|转|成交|下单|便宜|优惠)"
    r"|(?:先)?确认收货[^。！？\n]{0,8}?(?:返现|返你|返您|转你|转您|退你|退您)"
    r"|(?:取消|退掉|退了)(?:这个|这单|订单)?[^。！？\n]{0,8}?(?:转给|私下|直接转|便宜)"
    r"|pay\s+(?:me\s+)?(?:directly|outside|by\s+paypal)|outside\s+(?:the\s+|this\s+)?platform|off\s*-?\s*platform"
    r"|(?:paypal|usdt|泰达币|比特币)[^。！？\n]{0,8}?(?:付|转|打|pay|send|to\s+me)"
)
_SHOP: Final = re.compile(
    r"(?:闲鱼|咸鱼|淘宝|拼多多|pdd|转转|京东|抖音|快手|小红书|别的店|另一个店|自己的网站|我的网站|官网店|独立站)"
    r"[^。！？\n]{0,10}?(?:下单|拍|搜|购买|去买|更便宜|便宜|店铺|同名|有货|链接)"
    r"|(?:去|到|上|来)(?:我)?(?:的)?(?:闲鱼|咸鱼|淘宝|拼多多|pdd|转转|抖音|网站|店铺链接)[^。！？\n]{0,6}?(?:买|拍|下单|搜|看)"
)
_WARNED: Final = re.compile(
    r"(?:请勿|切勿|不要|别|勿|谨防|警惕|小心|严禁|禁止|不会|从不|不支持|不接受|拒绝|不能|不可以|举报|never|do\s+not|don't|beware)[^。！？\n]{0,24}$"
)


def lures_in(text: str, own_host: str = "") -> tuple[Lure, ...]:
    """What `text` (at most `LURE_TEXT_MAX` characters are read) leads to, in the order of `Lure`; empty: nothing.

    `own_host`: the house's own host, whose addresses lead nowhere else.
    """
    plain = _comparable(text[:LURE_TEXT_MAX])
    found = set()
    if any(_stands(pattern, plain) for pattern in _CONTACT) and not _only_asks(plain):
        found.add(Lure.CONTACT)
    if _has_phone(plain) or _has_phone(plain.translate(_CHINESE_DIGITS)):
        found.add(Lure.PHONE)
    if any(not _is_known(each.group(0), own_host) for each in _LINK.finditer(plain)):
        found.add(Lure.LINK)
    if _stands(_PAYMENT, plain):
        found.add(Lure.PAYMENT)
    if _stands(_SHOP, plain):
        found.add(Lure.SHOP)
    return tuple(one for one in Lure if one in found)


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFKC", _HIDDEN.sub("", text.translate(_SIGNS))).casefold().translate(_SIGNS)


def _stands(pattern: re.Pattern[str], plain: str) -> bool:
    """Is it there, other than in a warning against it?"""
    return any(
        not _WARNED.search(plain[max(0, each.start() - WARNED_NEAR) : each.start()]) for each in pattern.finditer(plain)
    )


def _only_asks(plain: str) -> bool:
    """A top-up needs the buyer's own account: to ask for it invites nobody, unless the writer names his own."""
    return bool(_ASKED.search(plain)) and not any(_stands(pattern, _ASKED.sub("", plain)) for pattern in _CONTACT)


def _has_phone(plain: str) -> bool:
    return any(
        _CALL.search(plain[max(0, each.start() - 12) : each.end() + 6]) and not _WARNED.search(plain[: each.start()])
        for each in _PHONE.finditer(plain)
    )


def _is_known(address: str, own_host: str) -> bool:
    host = re.sub(r"^https?://", "", address).split("/")[0].split(":")[0].strip(".")
    return any(host == known or host.endswith(f".{known}") for known in (*HOSTS, own_host.casefold()) if known)
