"""What is looked for in a writer's own words: patterns by kind, with the reason and a neutral wording.

Data for `language`. Patterns are read over text in which quotations and names were blanked out, so they never see
them. `unless_before` is tried on what stands before the find in its sentence, `unless_after` on what follows.
"""

from enum import StrEnum
from typing import Final, NamedTuple


class LanguageKind(StrEnum):
    """Why a passage is pointed out."""

    INSULT = "insult"
    THREAT = "threat"
    EXAGGERATION = "exaggeration"
    GUESS_AS_FACT = "guess_as_fact"
    DEMAND_BEYOND_LAW = "demand_beyond_law"


class Rule(NamedTuple):
    """One pattern, and what would rather stand there."""

    kind: LanguageKind
    pattern: str
    instead_zh: str
    instead_en: str
    unless_before: str = ""
    unless_after: str = ""


WHY: Final = {
    LanguageKind.INSULT: (
        "辱骂和人身攻击：法院应当告知修改后再起诉（民诉法解释第二百一十条），公开发表还可能侵害名誉权（民法典第一千零二十四条）。",
        (
            "Abuse: a court has it changed before filing (Supreme Court's Interpretation on the Civil Procedure Law "
            "(民诉法解释) art. 210); published, it may harm a name (Civil Code (民法典) art. 1024)."
        ),
    ),
    LanguageKind.THREAT: (
        "威胁：可能被反过来用作对写信人不利的证据。可以写明下一步依法要走的途径和期限。",
        "A threat can be used against its writer. Name the lawful next step and its date instead.",
    ),
    LanguageKind.EXAGGERATION: (
        "夸张：无法证明的说法会减弱其余事实的可信度。",
        "Exaggeration: what cannot be shown makes the rest less believable.",
    ),
    LanguageKind.GUESS_AS_FACT: (
        "把推测写成事实：没有证据的断言应写明是推测，并写出依据（民法典第一千零二十五条要求合理核实）。",
        (
            "A guess told as a fact: say that it is one, and what it rests on (Civil Code (民法典) art. 1025 asks for "
            "reasonable checking)."
        ),
    ),
    LanguageKind.DEMAND_BEYOND_LAW: (
        "超出法律的要求：收信的机构不能据此处理，会拖慢其余的请求。",
        "More than the law gives: whoever reads it cannot grant it, and the rest waits.",
    ),
}

DENIED: Final = (
    r"(?:不是|并非|并不是|不属于|并不|没有|从未|不会|不想|不要求|不主张|不请求|不打算|无意|绝不|不敢说|不能断定|"
    r"无法断定|不能确定|不确定|未必|未|不认为|不能认为)[^，。；！？!?\n]{0,8}$"
)
DOUBTED: Final = (
    r"(?:我怀疑|怀疑|推测|可能|也许|疑似|涉嫌|是否|是不是|认为|主张|请[^，。；\n]{0,12}(?:查明|判断|核实|核查)|如果|"
    r"没有证据)[^。；！？!?\n]{0,14}$"
)
PROMISED: Final = r"(?:承诺|写明|标明|声明|保证|约定|标注)[^。；！？!?\n]{0,8}$"

_FACT: Final = ("写出发生了什么、什么时间、有什么证据", "Say what happened, when, and what shows it")
_SHOP: Final = ("写“卖家”“该店铺”或其名称", "Write “the seller”, “the shop” or its name")
_STEP: Final = (
    "“如在某日前未处理，本人将向12315投诉（或依法起诉）。”",
    "“If it is not settled by (date), I shall complain to 12315, or sue.”",
)
_COUNT: Final = ("写出次数、人数、日期和对应的证据", "Give the number, the dates and the evidence")
_GUESS: Final = (
    "“我推测……，依据是……；请对方说明。”",
    "“I suppose …, because …; the other side may explain.”",
)
_LAW: Final = (
    "写法律规定的请求：退还货款、补发或补足、赔偿有票据的损失；主张欺诈时另列增加赔偿",
    "Ask for what the law gives: refund, another code, proven losses; extra damages apart, where fraud is asserted",
)
_OFFICE: Final = (
    "“请依法查处。”如何处罚由机关决定；举报另写一份",
    "“Please look into it by law.” The penalty is the authority's; a report is a letter of its own",
)

_K = LanguageKind
RULES: Final[tuple[Rule, ...]] = (
    Rule(_K.INSULT, r"(?:大|死|臭)?骗子(?:们|店铺?|公司|商家|平台|客服)?", *_SHOP, DENIED + r"|防|反", r"^太多"),
    Rule(
        _K.INSULT,
        r"垃圾(?!邮件|邮箱|箱|桶|短信|信息|文件|回收|分类|信箱|来电)",
        *_FACT,
        DENIED + r"|为|至|入|进了?|在",
    ),
    Rule(
        _K.INSULT,
        r"无耻|(?:臭)?不要脸|厚颜|混蛋|王八蛋|混账|畜生|禽兽|人渣|败类|杂种|贱人|贱货|犯贱|下贱|卑鄙|下三滥|龌龊|下流",
        *_FACT,
        DENIED,
    ),
    Rule(
        _K.INSULT,
        r"奸商|黑店|黑心(?:卖家|商家|店家?|老板|店主|平台|公司|商人)?|无良(?:卖家|商家|店家?|老板|平台|公司)?|丧良心|没良心|缺德|坑货|吸血鬼",
        *_SHOP,
        DENIED,
    ),
    Rule(
        _K.INSULT,
        r"[傻煞][\W_]{0,2}[逼比笔屄]|沙雕|脑残|弱智|智障|白痴|蠢货|蠢猪|废物|神经病|有病吧|脑子有(?:病|问题)|狗眼",
        *_FACT,
        DENIED,
    ),
    Rule(
        _K.INSULT,
        r"他妈的?|(?:你|他|她)妈(?:的|逼|死)|妈的|去死|死全家|全家死光|不得好死|断子绝孙|遭?报应|天打雷劈|"
        r"(?i:\b(?:tmd|nmd|cnm|nmsl|wcnm|sb)(?![a-z]))",
        *_FACT,
    ),
    Rule(
        _K.INSULT,
        r"狗(?:东西|商家|卖家|店|老板|平台|客服|日的?|屁|娘养|腿子)|被狗吃|狼心狗肺|猪狗不如|放(?:狗)?屁|滚(?:蛋|出去|开|吧|犊子)",
        *_FACT,
    ),
    Rule(
        _K.INSULT,
        r"(?:地痞)?流氓(?!兔|软件)|无赖|强盗|土匪|恶霸|恶棍|老赖|小人(?!国|物)|玩意儿?(?=[，。！!]|卖|，)|一丘之貉|蛇鼠一窝",
        *_FACT,
        DENIED,
    ),
    Rule(_K.INSULT, r"恶心(?:人|死|至极|透顶)?", *_FACT, DENIED, r"^先生"),
    Rule(
        _K.INSULT,
        r"丧尽天良|丧心病狂|人面兽心|衣冠禽兽|杀千刀|装死|吃相(?:太)?难看|不是(?:个)?(?:人|东西)(?=[，。！!]|$)",
        *_FACT,
    ),
    Rule(
        _K.THREAT,
        r"身败名裂|吃不了兜着走|(?:付出|付)(?:惨痛的?|沉重的?)?代价|(?:不会|不能)让你好过|没完(?=[，。！!]|$)",
        *_STEP,
    ),
    Rule(
        _K.THREAT,
        r"人肉(?:搜索|你|他|她)?|(?:把|将)[^，。；\n]{0,14}(?:电话|身份证|照片|住址|姓名)[^，。；\n]{0,14}(?:挂|发|传|公布|贴)(?:到|在|给|出)",
        *_STEP,
        DENIED,
    ),
    Rule(
        _K.THREAT,
        r"走着瞧|等着瞧|你(?:给我)?等着(?!我的)|等着吧|试试看?(?=[，。！!])|信不信|小心点|走夜路|当心点",
        *_STEP,
    ),
    Rule(_K.THREAT, r"别怪我?(?:不客气|无情|翻脸)?|不客气了|后果自负|(?:你|你们)自己看着办", *_STEP),
    Rule(
        _K.THREAT,
        r"(?:弄|打|砍|整|搞|捅)死|打断|砍(?:了)?你|收拾(?:你|他|她)|教训(?:你|他|她)一?顿?|揍(?:你|他|她)|搞垮|弄垮|砸(?:了)?(?:你|店)",
        *_STEP,
        DENIED,
    ),
    Rule(
        _K.THREAT,
        r"(?:知道|查到|找到)(?:了)?(?:你|他|她)们?(?:的)?(?:家|住|公司|单位|孩子)|(?:找|叫|带)人(?:去|来)?(?:上门|堵|收拾|找你|闹)|上门(?:找|堵|闹|收拾)|(?:门口|店里|公司)[^，。；\n]{0,6}闹|去闹",
        *_STEP,
        DENIED,
    ),
    Rule(
        _K.THREAT,
        r"曝光(?:你|他|她|全家|他们|你们)|(?:开|做)不下去|到(?:你们?)?(?:倒闭|关门|关店|破产)|刷(?:爆)?差评",
        *_STEP,
        DENIED,
    ),
    Rule(
        _K.THREAT,
        r"(?:天天|每天|不停|一直)[^，。；\n]{0,8}(?:骚扰|轰炸)|骚扰到|(?:找|请|雇)(?:了)?黑客|攻击你们?|(?:亲戚|熟人|关系)[^，。；\n]{0,8}(?:抓|查|办)(?:你|他|她)",
        *_STEP,
        DENIED,
    ),
    Rule(
        _K.EXAGGERATION,
        r"(?:全网|史上|历史上|天下|全天下|世界上?|世上|全国|宇宙|全平台)(?:第一|最|找不到)|前所未有|没有之一",
        *_COUNT,
    ),
    Rule(
        _K.EXAGGERATION,
        r"无数(?:的)?(?:人|次|消费者|受害者|买家|玩家|学生)|成千上万|数以万计|千千万万|[几数好]?(?:百|千|万)(?:多)?(?:次|遍)|一万(?:年|个)|上(?:百|千|万)(?:人|次)",
        *_COUNT,
    ),
    Rule(
        _K.EXAGGERATION,
        r"(?:所有|每个|每一个)人(?:都|全)|人人皆知|众所周知|谁都知道|(?:整个|全)(?:网络|网|互联网|社会|平台)都|没有一个(?:人|好)|没有一句(?:真|实)话|谁买谁",
        *_COUNT,
    ),
    Rule(
        _K.EXAGGERATION,
        r"令人发指|天理难容|天理何在|罪大恶极|十恶不赦|罄竹难书|惨无人道|惨绝人寰|罪恶滔天|恶贯满盈|欺人太甚|无法无天|暗无天日|触目惊心",
        *_FACT,
    ),
    Rule(
        _K.EXAGGERATION,
        r"倾家荡产|生不如死|家破人亡|毁了(?:我|我的)?(?:一生|一辈子|人生|生活)|(?:一生|一辈子|人生)(?:都|全|就)?毁了|(?:彻底|完全)?崩溃|气(?:死|炸)(?:我)?了?|心如死灰",
        "写出实际损失和对应的票据",
        "Name the actual loss and what shows it",
    ),
    Rule(_K.EXAGGERATION, r"(?:全部|全|通通|统统|从头到尾)(?:都)?(?:是|在)(?:假|骗|谎)", *_FACT, DENIED),
    Rule(
        _K.EXAGGERATION,
        r"[！!]{2,}|[？?]{3,}|[？?！!]{3,}",
        "用一个句号或问号",
        "One full stop or question mark is enough",
    ),
    Rule(
        _K.GUESS_AS_FACT,
        r"(?:肯定|一定|绝对|铁定|必定|必然|显然|分明|很?明显|明摆着|百分之?百|100[%％]|毫无疑问|无疑|不用说|八成|九成|十有八九|明明就)"
        r"(?:就)?(?:是|在|早|他|她|会|和|用|把|知道|存心|收)?[^，。；！？!?\n]{0,10}?"
        r"(?:故意|存心|预谋|串通|勾结|骗|盗|偷|内鬼|内部|员工|店员|自己用|一码多卖|多卖|又卖|卖给|黑卡|刷的|跑路|知道|好处|洗钱|假码)",
        *_GUESS,
        DENIED + "|" + DOUBTED,
    ),
    Rule(
        _K.GUESS_AS_FACT, r"(?:毫无疑问|不用说|八成|十有八九|我敢保证|我敢肯定|我可以肯定)(?=[，,]?)", *_GUESS, DENIED
    ),
    Rule(
        _K.GUESS_AS_FACT,
        r"(?:我猜(?!到|中)|估计|大概|听说|据说|多半|想必|恐怕)[^，。；！？!?\n]{0,14}?(?:偷|骗|盗|黑|串通|员工|店员|店主|老板|卖家|平台的人|坐过牢|激活了|卖给|故意|多卖)",
        *_GUESS,
        DENIED,
    ),
    Rule(
        _K.GUESS_AS_FACT,
        r"(?:就是|这是|纯属|妥妥的?|属于|典型的?|赤裸裸的?|纯粹是|完全是|根本是)(?:在)?(?:诈骗|犯罪|盗窃|洗钱)|诈骗(?:犯|团伙|集团|公司|分子|店)",
        "“涉嫌诈骗，请依法核查。”或写“被告的行为构成欺诈”并列明事实",
        "“I suspect fraud; please look into it.” or assert deceit (欺诈) with its facts",
        DENIED + "|" + DOUBTED + r"|不|是否",
        r"^(?:罪|，?请(?:依法)?判断|还是)",
    ),
    Rule(
        _K.GUESS_AS_FACT,
        r"靠(?:诈骗|洗钱|骗人|盗刷)[^，。；\n]{0,6}(?:为生|赚钱|发家)|赃物|赃款|(?:收了|拿了)[^，。；\n]{0,8}(?:好处费?|回扣|黑钱)",
        *_GUESS,
        DENIED + "|" + DOUBTED,
    ),
    Rule(
        _K.DEMAND_BEYOND_LAW,
        r"假一赔[二三四五六七八九十百]|(?:[四五六七八九十百千]|[2-9]?[0-9]{2,}|[4-9])(?:十|百)?倍(?:的)?(?:价款)?(?:赔偿)?",
        *_LAW,
        PROMISED + "|" + DENIED,
    ),
    Rule(_K.DEMAND_BEYOND_LAW, r"精神(?:损失|损害|抚慰)(?:费|金|赔偿)?|青春(?:损失)?费|名誉损失费", *_LAW, DENIED),
    Rule(
        _K.DEMAND_BEYOND_LAW,
        r"坐牢|蹲监狱|判刑|枪毙|(?:判处|判)[^，。；\n]{0,8}(?:有期)?徒刑|抓起来|抓进去",
        *_OFFICE,
        DENIED + r"|坐过|以前",
    ),
    Rule(
        _K.DEMAND_BEYOND_LAW,
        r"(?:吊销|注销|没收|取缔)[^，。；\n]{0,10}(?:营业执照|执照|财产|店铺|平台|公司)|财产[^，。；\n]{0,4}没收|(?:永久|终身)(?:封禁|封店|禁止|关闭|封号)|封杀|(?:开除|辞退)(?:那个|这个|该)?(?:客服|员工|店员)",
        *_OFFICE,
        DENIED + r"|公告|显示|已$|被$",
    ),
    Rule(
        _K.DEMAND_BEYOND_LAW,
        r"登报道歉|公开(?:赔礼)?道歉|下跪(?:道歉)?|磕头|(?:当面|跪着)(?:道歉|认错)",
        "“请书面说明情况。”",
        "“Please explain in writing.”",
        DENIED,
    ),
    Rule(
        _K.DEMAND_BEYOND_LAW,
        r"失信(?:黑)?名单|禁止经商|公布给(?:大家|所有人)|赔给大家|(?:赔|送|给)我一?(?:部|台|个)(?:新)?(?:手机|电脑|主机)",
        *_LAW,
        DENIED,
    ),
    Rule(
        _K.DEMAND_BEYOND_LAW,
        r"(?:赔偿|赔我|赔)(?:人民币)?(?:[二三四五六七八九十百千]+|[2-9]|[1-9][0-9]+)\s*[十百]?万",
        *_LAW,
        DENIED,
    ),
)

NAMES: Final = (  # works whose titles would be insults or threats elsewhere
    "骗子酒馆",
    "无耻混蛋",
    "恶心先生",
    "死亡搁浅",
    "杀戮尖塔",
    "垃圾佬",
    "流氓兔",
    "黑手党",
    "地狱潜者",
    "人渣 SCUM",
    "人渣（SCUM）",
    "人渣(SCUM)",
    "强盗游戏",
    "侠盗猎车手",
    "合金装备",
    "小偷模拟器",
    "特工17",
    "监狱建筑师",
)
