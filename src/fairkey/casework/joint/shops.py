"""When two cases are against the same shop: by platform and shop name, as people write them in many ways."""

import re
import unicodedata
from typing import Final, NamedTuple

from fairkey.casework.model import Case

_JUNK: Final = re.compile(r"[\W_]+")
_PLATFORMS: Final = {
    "taobao": ("淘宝", "淘宝网", "taobao", "taobaocom", "手机淘宝"),
    "tmall": ("天猫", "tmall", "tmallcom", "天猫商城"),
    "jd": ("京东", "京东商城", "jd", "jdcom"),
    "pinduoduo": ("拼多多", "pinduoduo", "pdd", "拼夕夕"),
    "xianyu": ("闲鱼", "xianyu", "goofish", "咸鱼"),
    "douyin": ("抖音", "抖音商城", "抖音电商", "douyin"),
    "wechat": ("微信", "微信小店", "微信小程序", "wechat"),
}
_BY_NAME: Final = {name: key for key, names in _PLATFORMS.items() for name in names}


class ShopIdentity(NamedTuple):
    """A shop as cases are compared: both parts are normalised; either may be empty."""

    platform: str
    shop: str

    @property
    def is_known(self) -> bool:
        """Whether it names a shop at all; a platform alone has many."""
        return bool(self.platform and self.shop)

    @property
    def text(self) -> bytes:
        """What a keyed hash of it is made over; the lengths keep two parts from running into each other."""
        parts = (self.platform.encode(), self.shop.encode())
        return b"".join(len(one).to_bytes(4) + one for one in parts)


def shop_identity(platform: str, shop: str) -> ShopIdentity:
    """Full-width and half-width, capitals, spaces, punctuation and usual names of platforms make no difference."""
    plain = _plain(platform)
    return ShopIdentity(_BY_NAME.get(plain, plain), _plain(shop))


def identity_of(case: Case) -> ShopIdentity:
    """The shop of a case, as it was confirmed; else as the respondent is named."""
    first = case.respondents[0] if case.respondents else None
    platform = case.purchase.platform or (first.platform if first else "")
    return shop_identity(platform, case.purchase.shop or (first.shop if first else ""))


def _plain(words: str) -> str:
    return _JUNK.sub("", unicodedata.normalize("NFKC", words).casefold())
