"""The complaint inside the platform: the demand with 48 hours, disclosure of the seller, keeping of records."""

from typing import Final

from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import BLANK, TITLES, Told
from fairkey.casework.texts import words

from .channel import UNVERIFIED, Channel, Limit, facts_and_evidence, letter


def _compose(told: Told) -> Letter:
    shown = told.rule("complaint_system")
    ask = (
        (
            "请在收到本函后 48 小时内书面答复并处理。48 小时是本人提出的期限，不是法定期限；"
            f"平台应当及时受理、处理投诉（依据：{shown.cite if shown else BLANK}）。"
        ),
        *told.disclosure(),
        *told.preservation(),
        "逾期未答复或处理不合理的，本人将依法向市场监督管理部门投诉，并保留起诉的权利。",
    )
    return letter(
        told,
        "platform",
        f"关于订单{told.or_blank(told.case.purchase.order_number, '订单号')}的投诉：{TITLES[told.case.problem]}",
        (*facts_and_evidence(told), Section(title="请求平台", paragraphs=ask)),
        addressee=f"致：{told.or_blank(told.case.purchase.platform, '平台')}平台客服",
        warnings=(UNVERIFIED,),
    )


CHANNEL: Final = Channel(
    name="platform",
    limits=(Limit(field=words("limits.content"), chars_max=None),),
    compose=_compose,
)
