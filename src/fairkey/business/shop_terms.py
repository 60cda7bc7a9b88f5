"""The platform's terms for shops: what an applicant reads and accepts, clause by clause, in both languages.

Old versions stay in `VERSIONS` (网络交易平台规则监督管理办法: all versions of the last three years are kept and can be
read). `hash_of` is what an application names, so that nobody can say later that it was another text.
"""

import hashlib
from typing import Final, NamedTuple


class Clause(NamedTuple):
    """One clause."""

    number: str
    zh: str
    en: str


class Terms(NamedTuple):
    """One version. `since`: YYYY-MM-DD."""

    version: str
    since: str
    clauses: tuple[Clause, ...]


V1: Final = Terms(
    "1.0",
    "2026-11-23",
    (
        Clause(
            "1",
            "经营者须提交真实的主体身份、联系方式、经营地址，平台核验登记，并至少每六个月核验更新一次"
            "（电子商务法第二十七条；网络交易监督管理办法第二十四条）。信息变更应在三个工作日内告知平台。",
            "You give your true identity, contact and address. The platform verifies them and does so again at least "
            "every six months. You tell the platform of a change within three working days.",
        ),
        Clause("2", "不得提交虚假身份或使用他人身份开店。", "No false identity and no shop in somebody else's name."),
        Clause(
            "3",
            "不得出售法律禁止的商品，包括电话卡、银行账户、支付账户和互联网账号（反电信网络诈骗法第三十一条）。",
            "Nothing the law forbids is sold: no phone cards, no bank, payment or online accounts.",
        ),
        Clause(
            "4",
            "每个卡密须来源合法、未使用、只售一次，并与商品页承诺一致。",
            "Every code has a lawful source, is unused, sold once, and is what the listing promised.",
        ),
        Clause(
            "5",
            "对投诉须在期限内答复；不答复视为支持买家。",
            "Complaints are answered in time; silence is decided for the buyer.",
        ),
        Clause(
            "6",
            "不得引导买家在平台外付款或交付。",
            "Buyers are not led to pay or to be served outside the platform.",
        ),
        Clause("7", "不得编造评价、销量，不得骚扰评价者。", "No invented reviews or sales, no pressure on reviewers."),
        Clause(
            "8",
            "平台依有权机关的生效决定采取措施。",
            "The platform acts on effective decisions of competent authorities.",
        ),
        Clause(
            "9",
            "平台采取警示、暂停或者终止服务等措施时，说明理由，立即公示（电子商务法第三十六条），并提供申诉和人工复核"
            "（网络交易平台规则监督管理办法，2026年2月1日起施行）。在途订单继续履行，已结算的款项仍可提取。",
            "Suspensions and bans come with reasons, are published at once, and can be appealed; a person looks again. "
            "Orders under way go on, and settled money can still be drawn.",
        ),
        Clause(
            "10",
            "收款账户变更后，首次提现须等待七十二小时，平台立即致信店主。",
            "After the payout account was changed the first payout waits 72 hours; the owner is written to at once.",
        ),
        Clause(
            "11",
            "身份信息自退出平台之日起至少保存三年，密封保存；公开的只有法律要求公示的事项。",
            "Identity data is kept sealed for at least three years after you leave; shown is only what the law wants.",
        ),
    ),
)
VERSIONS: Final = (V1,)
PRESENT: Final = VERSIONS[-1]


def hash_of(terms: Terms) -> str:
    """SHA-256 (hex) of the version's text: version, date, then number, Chinese and English of each clause, one a line,
    UTF-8, lines ended by a line feed.
    """
    lines = [terms.version, terms.since]
    for clause in terms.clauses:
        lines += [clause.number, clause.zh, clause.en]
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


PRESENT_HASH: Final = hash_of(PRESENT)
