"""Who stands behind the demo's shops, and applicants in every state of review."""

import struct
import zlib
from collections.abc import Mapping
from typing import Final

from fairkey.business.admissions import DecideApplication, FileApplication
from fairkey.business.askers import Asker
from fairkey.business.shop_terms import PRESENT_HASH
from fairkey.business.shops import OpenShop, SuspendShop
from fairkey.business.uscc import check_digit

from .stage import Stage

# shop's name, legal form, first 17 of a code that nobody has, registered name, what became of it
_APPLICANTS: Final = (
    ("星河点卡", "company", "91990100MADEM0001", "示例星河网络有限公司", "filed"),
    ("小陈的卡", "person", "", "陈示例", "filed"),
    ("南湖数字", "sole_trader", "92990100MADEM0002", "南湖示例数字经营部", "more"),
    ("一夜暴富", "company", "91990100MADEM0003", "示例暴富商贸有限公司", "refuse"),
    ("停业小店", "company", "91990100MADEM0004", "示例停业商贸有限公司", "suspended"),
)
_OWN: Final = {
    "merchant": ("company", "91990100MADEM0005", "示例诚信数码有限公司"),
    "careless": ("sole_trader", "92990100MADEM0006", "示例马虎数码店"),
    "crooked": ("person", "", "赵示例"),
}
_REASONS: Final = {
    "admit": "登记信息、营业执照与合同一致。",
    "more": "营业执照影像模糊，请重新上传；合同编号也请写明。",
    "refuse": "登记机关查无此主体。",
}


async def apply_all(stage: Stage, own: Mapping[str, tuple[str, str]]) -> None:
    """`own`: door -> (shop id, owner's account). The shops that trade are verified; five applicants stand around."""
    house = stage.house
    for door, (shop_id, _) in own.items():
        if door in _OWN:
            form, first, name = _OWN[door]
            await _file(stage, shop_id, form, first, name)
            await _decide(stage, shop_id, "admit")
    for number, (shop_name, form, first, name, fate) in enumerate(_APPLICANTS):
        shop_id = house.new_id()
        await stage.ask(
            Asker.MERCHANT,
            OpenShop(
                shop_id=shop_id,
                shop_no=await house.numbers.number_for(shop_id),
                name=shop_name,
                contact=f"applicant{number}@example.com",
                payout_account=f"6222 0000 0000 10{number:02}",
                fee_bp=house.settings.fee_bp,
                admitted=False,
            ),
        )
        await _file(stage, shop_id, form, first, name)
        if fate != "filed":
            await _decide(stage, shop_id, "admit" if fate == "suspended" else fate)
        if fate == "suspended":
            reason = "三天内十二张卡密被发现已使用,证据见各投诉。"
            await stage.ask(
                Asker.OPERATOR, SuspendShop(shop_id=shop_id, reason=reason, reason_code="codes_not_good", days=30)
            )


async def _file(stage: Stage, shop_id: str, form: str, first: str, name: str) -> None:
    licence = ""
    if first:
        licence = await stage.house.admissions.keep_image(shop_id, "image/png", _picture(sum(first.encode())))
    await stage.ask(
        Asker.MERCHANT,
        FileApplication(
            shop_id=shop_id,
            legal_form=form,
            uscc=first + check_digit(first) if first else "",
            registered_name=name,
            contact_name="示例联系人",
            contact="13800000000",
            address="示例省示例市示例路 1 号",
            sources="与示例发行商的经销合同 2026-001",
            licence=licence,
            terms_hash=PRESENT_HASH,
        ),
    )


async def _decide(stage: Stage, shop_id: str, decision: str) -> None:
    for reviewer in ("first", "second")[: stage.house.settings.admission_approvals if decision == "admit" else 1]:
        await stage.ask(
            Asker.OPERATOR,
            DecideApplication(
                shop_id=shop_id,
                round=1,
                decision=decision,
                reason=_REASONS[decision],
                reviewer=reviewer,
                fee_bp=stage.house.settings.fee_bp,
                items=("licence", "sources") if decision == "more" else (),
            ),
        )


def _picture(shade: int, side: int = 64) -> bytes:
    """A plain grey PNG that stands for a licence."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([128 + shade % 100]) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
