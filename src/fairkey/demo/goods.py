"""What is sold in the demo world: three shops of different honesty and their twelve listings."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from fairkey.business.listings import Terms

Door = Literal["merchant", "careless", "crooked"]

AFTER_SALE: Final = "激活失败请在开码后 72 小时内提出，附上录屏；确认是卡密问题的，全额退款。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """One listing. `word` names it inside the demo; `stock` is how many codes its files hold, file by file."""

    word: str
    terms: Terms
    stock: tuple[int, ...] = ()
    source: str = "typed"
    note: str = ""
    prefix: str = ""  # how its codes begin
    ends: str = ""  # withdrawn in the end by `merchant` or `operator`


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPlan:
    """One shop, its owner behind the demo's door of the same name."""

    door: Door
    owner: str
    name: str
    contact: str
    announcement: str
    payout_account: str
    goods: tuple[Goods, ...] = field(default=())


def _terms(product: str, face_value: str, region: str, price_fen: int, instructions: str, **more: Any) -> Terms:  # noqa: ANN401
    """A game card from the vault unless `more` says otherwise; `promise_min` makes it a manual listing."""
    plain: dict[str, Any] = {
        "category": "游戏",
        "edition": "",
        "redeem_by": "",
        "after_sale": AFTER_SALE,
        "promise_min": 0,
    }
    delivery = "manual" if more.get("promise_min") else "vault"
    return Terms(
        product=product,
        face_value=face_value,
        region=region,
        price_fen=price_fen,
        instructions=instructions,
        delivery=delivery,
        **{**plain, **more},
    )


def shop_plans(soon: str, next_year: str) -> tuple[ShopPlan, ...]:
    """The three shops; `soon` and `next_year` are dates (YYYY-MM-DD) until which some codes can be redeemed."""
    return (_honest(soon, next_year), _careless(next_year), _crooked())


def _honest(soon: str, next_year: str) -> ShopPlan:
    return ShopPlan(
        door="merchant",
        owner="周小满",
        name="小满数卡",
        contact="hello@xiaoman.example",
        announcement="每一批卡密都有进货发票，激活不了就退，不用吵架。工作日 9:00–23:00 人工秒回。",
        payout_account="招商银行 6225 **** **** 8801",
        goods=(
            Goods(
                word="steam100",
                terms=_terms(
                    "Steam 钱包充值码 100 元",
                    "100 元",
                    "中国大陆",
                    9_650,
                    "登录 Steam 客户端 → 账户明细 → 为您的 Steam 钱包充值 → 兑换充值码。账户地区须为中国大陆。",
                    tiers=((5, 9_580), (10, 9_500)),
                    quantity_max=50,
                ),
                stock=(240, 160),
                source="invoice",
                note="十月进货，发票 №20117734",
                prefix="SW",
            ),
            Goods(
                word="eshop3000",
                terms=_terms(
                    "任天堂 eShop 预付卡 3000 日元",
                    "3000 日元",
                    "日本",
                    14_200,
                    "在 Switch 主机打开 eShop，选择“兑换号码”，输入 16 位号码。仅限日区账号。",
                    redeem_by=next_year,
                    quantity_max=10,
                ),
                stock=(120,),
                source="issuer",
                note="发行方直供",
                prefix="NP",
            ),
            Goods(
                word="apple200",
                terms=_terms(
                    "Apple 礼品卡 200 元",
                    "200 元",
                    "中国大陆",
                    19_300,
                    "打开 App Store → 头像 → 兑换充值卡或代码。仅限中国大陆地区 Apple 账户。",
                    category="礼品卡",
                    per_buyer_max=6,
                    quantity_max=3,
                    tiers=((3, 19_180),),
                ),
                stock=(150, 90),
                source="invoice",
                note="官方渠道，附发票",
                prefix="XA",
            ),
            Goods(
                word="video",
                terms=_terms(
                    "视频会员黄金月卡",
                    "1 个月",
                    "中国大陆",
                    1_580,
                    "打开视频 App → 我的 → 会员中心 → 兑换码激活。每个账号同类卡可叠加。",
                    category="影视会员",
                    redeem_by=soon,
                    quantity_max=12,
                    tiers=((3, 1_520), (12, 1_450)),
                ),
                stock=(200, 100),
                note="快到期，特价",
                prefix="VG",
            ),
            Goods(
                word="office",
                terms=_terms(
                    "桌面办公套件 2024 家庭版（绑定账号）",
                    "1 台设备 · 永久",
                    "全球",
                    38_800,
                    "登录官网账户页输入 25 位密钥，绑定后在新设备上登录即可使用。",
                    category="软件",
                    edition="家庭版",
                    promise_min=60,
                    quantity_max=3,
                ),
            ),
        ),
    )


def _careless(next_year: str) -> ShopPlan:
    return ShopPlan(
        door="careless",
        owner="陈大路",
        name="路边卡铺",
        contact="boss@lubian.example",
        announcement="人工发货，看到就发。急单请提前说一声！",
        payout_account="建设银行 6217 **** **** 0312",
        goods=(
            Goods(
                word="qq100",
                terms=_terms(
                    "QQ 币 100 个（人工代发卡密）",
                    "100 个",
                    "中国大陆",
                    9_400,
                    "到账后在充值中心选择“卡密充值”，输入卡号和密码。",
                    promise_min=60,
                    quantity_max=5,
                ),
            ),
            Goods(
                word="music",
                terms=_terms(
                    "音乐会员豪华季卡",
                    "3 个月",
                    "中国大陆",
                    3_990,
                    "打开音乐 App → 侧边栏 → 会员中心 → 兑换会员。",
                    category="音乐会员",
                    quantity_max=5,
                ),
                stock=(8,),
                prefix="YM",
            ),
            Goods(
                word="pass",
                terms=_terms(
                    "主机游戏通行证 3 个月",
                    "3 个月",
                    "全球（新旧会员均可）",
                    11_900,
                    "在主机或网页的兑换页面输入 25 位代码。",
                    redeem_by=next_year,
                    quantity_max=5,
                ),
                stock=(60,),
                note="微信群里收的",
                prefix="GP",
            ),
            Goods(
                word="point",
                terms=_terms(
                    "网游点卡 300 点",
                    "300 点",
                    "中国大陆",
                    2_850,
                    "登录游戏官网充值中心，选择点卡充值，输入卡号和密码。",
                    promise_min=120,
                ),
                ends="merchant",
            ),
        ),
    )


def _crooked() -> ShopPlan:
    return ShopPlan(
        door="crooked",
        owner="低价哥",
        name="全网最低神卡",
        contact="sale@shenka.example",
        announcement="全网最低！！！付款前想清楚，卡密售出概不负责。",
        payout_account="工商银行 6222 **** **** 6666",
        goods=(
            Goods(
                word="random",
                terms=_terms(
                    "Steam 随机高价激活码（十抽一神作）",
                    "1 个激活码",
                    "未说明",
                    990,
                    "在 Steam 客户端左下角“添加游戏”→“激活产品”。",
                    after_sale="随机商品不退不换。",
                    quantity_max=20,
                    tiers=((10, 890),),
                ),
                stock=(90,),
                prefix="RK",
            ),
            Goods(
                word="cloud",
                terms=_terms(
                    "网盘超级会员年卡（低价共享）",
                    "12 个月",
                    "中国大陆",
                    6_800,
                    "网页版登录 → 会员中心 → 激活码兑换。",
                    category="网盘会员",
                    after_sale="",
                    quantity_max=3,
                ),
                stock=(40,),
                prefix="BP",
            ),
            Goods(
                word="windows",
                terms=_terms(
                    "操作系统专业版 永久密钥 ¥9.9",
                    "1 台设备",
                    "全球",
                    990,
                    "设置 → 系统 → 激活 → 更改产品密钥。",
                    category="软件",
                    edition="专业版",
                    after_sale="激活一次为准，重装不管。",
                    promise_min=10,
                    quantity_max=5,
                ),
                ends="operator",
            ),
        ),
    )


COUPON: Final = "XIAOMAN5"  # 5 % off in the honest shop, from ¥50 on
COUPON_LIMITED: Final = "LULU10"  # ¥10 off in the careless shop, used up by now
