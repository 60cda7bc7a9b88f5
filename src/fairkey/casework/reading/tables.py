"""Words of platforms, shops, bills and chats: what stands before a value, and what is said in so many words."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Final

from fairkey.casework.model import FactRole

PLATFORMS: Final[dict[str, tuple[str, ...]]] = {
    "淘宝": ("淘宝", "taobao"),
    "天猫": ("天猫", "tmall"),
    "闲鱼": ("闲鱼", "goofish"),
    "拼多多": ("拼多多", "pinduoduo"),
    "京东": ("京东",),
    "抖音": ("抖音",),
    "快手": ("快手小店",),
    "小红书": ("小红书",),
    "微店": ("微店",),
    "转转": ("转转",),
    "Steam": ("steam商店", "steamstore"),
}

ORDER: Final = re.compile(
    r"商户订单号|订单编号|订单号码?|订单\s?ID|订单(?=[\s:#]*[A-Z]{0,4}\d{10})|单号:|order\s?(?:no\.?|number|id)",
    re.IGNORECASE,
)
TRANSACTION: Final = re.compile(
    r"交易单号|商户单号|支付流水号?|交易流水号?|转账单号|支付单号|支付宝交易号|交易号|流水号"
)
CODE: Final = re.compile(
    r"激活码|兑换码|充值码|卡密|卡号|密钥|序列号|礼品码|产品代码|CD-?KEY|(?:product |gift |activation )?(?:key|code)",
    re.IGNORECASE,
)
SHOP: Final = re.compile(
    r"(?:店铺名称|店铺名|店铺|商家名称|商家|卖家昵称|卖家|商户全称|商户名称|收款方全称|收款方|商户)(?:\s*:\s*|\s+)"
)
SHOP_NAME: Final = re.compile(
    r"[\u4e00-\u9fffA-Za-z0-9·]{2,24}(?:旗舰店|专营店|专卖店|数码店|小店|商行|卡铺|杂货铺|卡券店|游戏店)"
)
PRODUCT: Final = re.compile(
    r"(?:商品名称|商品说明|商品信息|商品标题|商品|宝贝名称|宝贝|品名|Product(?=\s{2}))(?:\s*:\s*|\s+)"
)

AMOUNT_ROLES: Final[tuple[tuple[re.Pattern[str], FactRole, float], ...]] = (
    (re.compile(r"退款(?:金额|总额)?|已退"), FactRole.REFUNDED, 0.9),
    (
        re.compile(r"实付款?|实际支付|支付金额|付款金额|合计|总计|应付款?|订单(?:金额|总额|总价)|交易金额|已支付|付款"),
        FactRole.PAID,
        0.95,
    ),
    (re.compile(r"单价|价格|原价|商品总价|优惠|运费|小计|面值|总价"), FactRole.NONE, 0.75),
)
TIME_ROLES: Final[tuple[tuple[re.Pattern[str], FactRole], ...]] = (
    (re.compile(r"退款"), FactRole.REFUNDED),
    (re.compile(r"投诉|举报|申诉"), FactRole.COMPLAINED),
    (re.compile(r"回复时间|答复|处理时间"), FactRole.ANSWERED),
    (re.compile(r"发货|发卡|发放|交付|出卡|提卡|到账"), FactRole.DELIVERED),
    (re.compile(r"付款|支付|交易时间|转账时间|扣款|payment\s?time", re.IGNORECASE), FactRole.PAID),
    (re.compile(r"下单|创建时间|订单时间|购买时间|拍下"), FactRole.ORDERED),
    (re.compile(r"报错|失败时间|激活时间|兑换时间"), FactRole.PROBLEM),
)

PROMISE: Final = re.compile(
    r"(?:一经售出|售出)?[,，]?(?:概?不退不换|概不退换|不予退换|不退款|不支持退(?:款|换))"
    r"|\d{1,3}\s?(?:个)?(?:小时|分钟|天|日)(?:之)?内(?:自动)?(?:发货|发卡|到账|处理|补发|退款|回复|包换|补卡)"
    r"|假一赔[一二三四五十百\d]+|包(?:赔|激活|售后|换新?|退|到账|正版)|不能用包退|用不了包退"
    r"|终身(?:质保|售后|包换)|质保\s?[\d一二三四五六半]+\s?(?:天|个月|年)|(?:7|七)天无理由"
    r"|保证(?:可用|正版|全新|激活)|全新未(?:使用|激活)|正版(?:保证|保障)|支持退款"
)
ERROR: Final = re.compile(
    r"已被(?:其他|另一).{0,12}(?:使用|激活|兑换)|已(?:经)?被(?:使用|激活|兑换|核销|领取)(?!.{0,6}(?:请|麻烦|要求)?(?:退款|退钱|处理一下|怎么办))|已(?:使用|核销|兑换)过?"
    r"|(?:代码|激活码|兑换码|卡密|密钥|序列号|礼品卡|卡号)(?:或密码)?(?:无效|错误|不正确|不存在|已过期|已失效|已冻结)"
    r"|(?:激活|兑换|充值|核销)失败(?!\s*(?:包|必|可|全额|退|换|赔))|(?:地区|区域|国家)(?:不符|限制|不支持|不可用|不匹配)|不可用于您?所在"
    r"|(?:无法|不能)在.{0,8}(?:地区|区域|国家).{0,6}(?:使用|激活|兑换)|无效的(?:代码|激活码|兑换码|密钥|卡密)"
    r"|already\s?(?:been\s?)?(?:used|redeemed|activated)|(?:is\s?)?not\s?valid|invalid\s?(?:code|key)|错误代码",
    re.IGNORECASE,
)
CONFUSABLE: Final = frozenset("O0I1B8")
FULL_SENTENCE: Final = 10


@cache
def issuers_texts() -> tuple[str, ...]:
    """Sentences that issuers show, from the standard's list, longest first."""
    place = files("fairkey.business.standard") / "issuer-errors-1.0.json"
    listed = json.loads(place.read_text("utf-8"))["errors"]
    texts = {text for one in listed for text in one["texts"]}
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))
