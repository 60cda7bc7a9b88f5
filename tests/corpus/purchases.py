"""Ten invented purchases that went wrong. Nobody in them exists; every number is drawn from a seed."""

import random
from datetime import datetime, timedelta
from typing import NamedTuple

CASES = 10
_LETTERS = "23456789ACDEFGHJKLMNPQRSTUVWXYZ"  # a code may have confusable letters too: see `confusable`
_GOODS = (
    (
        "淘宝",
        "北斗数码专营店",
        "Steam钱包充值卡100元国区",
        9850,
        "您输入的产品代码已由另一个 Steam 帐户激活，因此无法再次使用。",
    ),
    ("闲鱼", "阿宁的杂货铺", "视频会员年卡激活码", 12800, "激活码已被使用，请核对后重新输入"),
    ("拼多多", "云帆卡券店", "游戏点卡1000点", 4590, "兑换失败：兑换码无效"),
    ("京东", "星河软件旗舰店", "办公软件一年订阅序列号", 29900, "您输入的产品代码无效。请再次检查是否输入有误。"),
    ("天猫", "山海游戏专卖店", "主机礼品卡港服500", 43250, "此激活码不可用于您所在的国家或地区"),
    ("抖音", "晨光数码小店", "杀毒软件三年版密钥", 5990, "密钥无效，错误代码 0xC004C003"),
    ("小红书", "木子数码店", "音乐会员季卡兑换码", 3880, "该兑换码已被兑换"),
    ("淘宝", "长风卡券店", "云盘超级会员月卡", 1999, "卡密不存在，请联系卖家"),
    ("微店", "青禾游戏店", "网络加速器季卡", 6650, "重复的产品代码"),
    ("转转", "小满数码商行", "设计软件激活码", 168800, "激活失败，该密钥已被其他用户使用"),
)
_PROMISES = (
    ("一经售出概不退不换", "24小时内发货"),
    ("包赔", "30分钟内发货"),
    ("假一赔三", "全新未使用"),
    ("7天无理由", "72小时内发货"),
    ("不退不换", "保证正版"),
)


class Bought(NamedTuple):
    """One purchase: money in fen, moments in Beijing time without an offset."""

    number: int
    platform: str
    shop: str
    product: str
    amount_fen: int
    error: str
    promises: tuple[str, ...]
    order_number: str
    transaction: str
    code: str
    ordered: datetime
    paid: datetime
    delivered: datetime
    failed: datetime
    answered: datetime


def bought(number: int) -> Bought:
    """Purchase 1 to 10."""
    chance = random.Random(f"purchase {number}")
    platform, shop, product, amount_fen, error = _GOODS[number - 1]
    ordered = datetime(2026, 9, 1, 8, 0, 0) + timedelta(seconds=chance.randrange(60 * 86400))  # noqa: DTZ001 - Beijing's
    paid = ordered + timedelta(seconds=chance.randrange(8, 300))
    delivered = paid + timedelta(seconds=chance.randrange(60, 86400))
    failed = delivered + timedelta(seconds=chance.randrange(600, 2 * 86400))
    answered = failed + timedelta(seconds=chance.randrange(600, 86400))
    letters = _LETTERS + ("O0I1B" if number % 3 == 0 else "")
    groups, size = ((3, 5), (4, 4), (5, 5))[number % 3]
    code = "-".join(_group(chance, letters, size) for _ in range(groups))
    return Bought(
        number,
        platform,
        shop,
        product,
        amount_fen,
        error,
        _PROMISES[number % len(_PROMISES)],
        _order_number(platform, ordered, chance),
        _digits(chance, "42000" if number % 2 else f"{paid:%Y%m%d}22001", 28),
        code,
        ordered,
        paid,
        delivered,
        failed,
        answered,
    )


def _group(chance: random.Random, letters: str, size: int) -> str:
    return "".join(
        [
            chance.choice("ACDEFHKLMNPRTUWXY"),
            *(chance.choice(letters) for _ in range(size - 2)),
            chance.choice("234679"),
        ]
    )


def _digits(chance: random.Random, begin: str, length: int) -> str:
    return begin + "".join(chance.choice("0123456789") for _ in range(length - len(begin)))


def _order_number(platform: str, at: datetime, chance: random.Random) -> str:
    if platform == "拼多多":
        return f"{at:%y%m%d}-{_digits(chance, '', 15)}"
    if platform == "京东":
        return _digits(chance, "29", 12)
    if platform in {"微店", "转转"}:
        return f"{at:%Y%m%d%H%M%S}{_digits(chance, '', 4)}"
    return _digits(chance, "2", 19)
