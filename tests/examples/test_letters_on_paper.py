"""Letters as pages: nothing runs over the edge, whatever the names and numbers; no page holds a signature alone."""

import io
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from msgspec.structs import replace

from examples.test_case_joint import bought
from fairkey.casework.channels import CHANNELS
from fairkey.casework.demand import compute
from fairkey.casework.joint.claims import Claim, claim_of
from fairkey.casework.joint.letter import joint_letter
from fairkey.casework.joint.making import make_joint_pack_of_claims
from fairkey.casework.letters.composing import compose
from fairkey.casework.letters.told import NAMED_MAX, in_runs
from fairkey.casework.model import Case, FactKind, FactRole, Party, StepTaken
from fairkey.casework.pack.making import letter_pdf
from letter_cases import CODE, HOUR_MS, ON, PAID_MS, PURCHASE, SELLER, changed, fact, file

DAY = date.fromisoformat(ON)
POINTS = 72 / 25.4
MARGIN = 25 * POINTS  # a millimetre less than the pages have
SHOP = "极速发货·官方正版授权Steam游戏充值卡点卡激活码代充专营旗舰店（二十四小时自动发货认准老店）"
ORDER = "DD20261101103500420000000000123456789012345678901234567890AB"
TRANSACTION = "202611012200140987123456789012345678901234567890"
WIDE = "WMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWMWM"


def large() -> Case:
    """Thirty exhibits, a long shop, order and seller."""
    name = "第{:02}份_客服聊天记录完整截图_含订单号与退款承诺_Screenshot_20261101_103500.png"
    taken = (
        ("platform", "sent", ""),
        ("platform", "answered", "客服称虚拟商品一经售出概不退换"),
        ("heimao", "sent", ""),
    )
    return changed(
        files=tuple(file(number, name.format(number)) for number in range(1, 31)),
        facts=(
            fact(FactKind.ORDER_NUMBER, ORDER, *range(1, 31)),
            fact(FactKind.AMOUNT, 128_000, 1, 2, 3, role=FactRole.PAID),
            fact(FactKind.TRANSACTION, TRANSACTION, 2),
            fact(FactKind.PROMISE, f"国区通用，付款后立即发货，编号 {WIDE}", 1, 4, 5),
            fact(FactKind.CODE, CODE, 1, role=FactRole.DELIVERED),
            fact(FactKind.ERROR, "The code you entered was activated by a different account.", 3, 6, 7),
        ),
        purchase=replace(PURCHASE, shop=SHOP, order_number=ORDER, amount_fen=128_000, transaction=TRANSACTION),
        respondents=(replace(SELLER, name=f"福州市{'晨星数字科技' * 6}有限责任公司", shop=SHOP),),
        asserts_fraud=True,
        wishes=("refund", "damages"),
        losses_fen=3_500,
        account="我于当晚按页面说明兑换，提示已被使用。\n第二天我在平台提交了售后申请，被卖家拒绝。",
        steps=tuple(
            StepTaken(
                step_id=str(number),
                channel=channel,
                stage=stage,
                at_ms=PAID_MS + number * 24 * HOUR_MS,
                reference=f"TS-2026110{number}-0000000001",
                outcome=outcome,
            )
            for number, (channel, stage, outcome) in enumerate(taken, 1)
        ),
    )


def victims() -> list[Claim]:
    """Three, with long names; one knows who the seller is."""
    persons = (("欧阳小满", 128_000), ("买买提·阿卜杜热合曼", 9_900), ("李雷", 12_850))
    claims = []
    for number, (name, amount_fen) in enumerate(persons):
        case = large()
        buyer = Party(kind="person", name=name, phone=f"1390000{number:04}", address="浙江省杭州市西湖区文三路" * 2)
        order = replace(case.purchase, order_number=f"{ORDER[:-2]}{number:02}", amount_fen=amount_fen)
        told = {"case_id": f"c{number}", "buyer": buyer, "purchase": order}
        seller = case.respondents if number == 1 else (Party(shop=SHOP, platform=PURCHASE.platform),)
        claims.append(claim_of(replace(case, respondents=seller, **told), DAY))
    return claims


@cache
def paper(channel: str) -> bytes:
    return letter_pdf(compose(large(), compute(large(), DAY), channel), as_of_ms=PAID_MS)


@pytest.fixture(name="joint", scope="module")
def _joint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("joint") / "joint"
    return make_joint_pack_of_claims(victims(), {}, out, representatives=(1, 3), as_of_ms=PAID_MS).folder


def pages(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]


def edges(data: bytes) -> Iterator[tuple[float, float, float]]:
    """For each character that is drawn: its left and right edge, and the width of its page, in points."""
    for page in pypdfium2.PdfDocument(data):
        text = page.get_textpage()
        for at in range(text.count_chars()):
            left, _, right, _ = text.get_charbox(at)
            if right > left:
                yield left, right, page.get_width()


def assert_whole(data: bytes) -> None:
    assert all(left >= MARGIN and right <= width - MARGIN for left, right, width in edges(data))
    told = pages(data)
    for number, text in enumerate(told, 1):
        assert f"第{number}页，共{len(told)}页" in text.replace(" ", "")


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_nothing_runs_over_the_edge(channel: str) -> None:
    assert_whole(paper(channel))


@pytest.mark.parametrize("channel", [one for one in CHANNELS if one != "heimao"])
def test_a_signature_stands_under_words(channel: str) -> None:
    above, _, below = pages(paper(channel))[-1].partition("签名")
    assert below
    assert len(above.strip()) > 10


def test_many_exhibits_are_told_by_what_they_show_and_the_demand_comes_soon() -> None:
    text = compose(large(), compute(large(), DAY), "platform").text
    assert "证据8至30（23份）：证明订单\n" in text
    assert "证据2：证明订单、金额、付款\n" in text
    assert "共30份，名称和来源见所附证据清单。" in text
    assert "（证据1至30）" in text
    assert "Screenshot" not in text
    assert len(pages(paper("platform"))) == 2
    few = replace(large(), files=large().files[:NAMED_MAX])
    assert compose(few, compute(few, DAY), "platform").text.count("Screenshot") == NAMED_MAX


@pytest.mark.parametrize(
    ("numbers", "told"),
    [((1,), "1"), ((2, 1), "1、2"), ((1, 2, 3), "1至3"), ((1, 3, 4, 5, 5, 9, 10), "1、3至5、9、10"), ((), "")],
)
def test_numbers_in_a_row_are_told_by_their_ends(numbers: tuple[int, ...], told: str) -> None:
    assert in_runs(numbers) == told


def test_the_joint_letter_is_whole_with_each_ones_sum(joint: Path) -> None:
    data = (joint / "letter.pdf").read_bytes()
    assert_whole(data)
    first = pages(data)[0].replace("\n", "").replace(" ", "")
    for wanted in ("1280.00元1315.00元", "99.00元134.00元", "128.50元163.50元", "合计1507.50元1612.50元"):
        assert wanted in first, first
    assert "*" not in first  # who complains is named


def test_each_signs_on_a_line_of_his_own_under_the_last_words(joint: Path) -> None:
    last = pages((joint / "letter.pdf").read_bytes())[-1]
    rows = last[last.index("投诉人\n") if "投诉人\n" in last else last.index("签名") :]
    for number, name in enumerate(("欧阳小满", "买买提·阿卜杜热合曼", "李雷"), 1):
        assert f"{number} {name}" in rows.replace("\u2003", " ")
    assert "各自对其真实性负责" in last
    written = Document(io.BytesIO((joint / "letter.docx").read_bytes()))
    sums, signs = ([[cell.text for cell in row.cells] for row in table.rows] for table in written.tables[:2])
    assert sums[-1] == ["合计", "", "1507.50元", "1612.50元"]
    assert [row[0] for row in signs[1:]] == ["1 欧阳小满", "2 买买提·阿卜杜热合曼", "3 李雷"]


def test_the_other_side_is_named_by_whoever_knows_it_and_by_its_shop() -> None:
    letter = joint_letter(victims(), DAY, (1, 3))
    [against] = [one.paragraphs for one in letter.sections if one.title == "被投诉人"]
    assert len(against) == 2
    assert "有限责任公司" in against[0]
    assert against[1] == f"网店：示例商城的“{SHOP}”店铺"
    unknown = joint_letter([claim_of(bought(number), DAY) for number in range(2)], DAY)
    [against] = [one.paragraphs for one in unknown.sections if one.title == "被投诉人"]
    assert against == ("“极速卡铺”店铺经营者", "网店：Taobao的“极速卡铺”店铺")


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_demands_stand_on_the_page_of_their_heading(count: int, tmp_path: Path) -> None:
    claims = [claim_of(bought(number), DAY) for number in range(count)]
    made = make_joint_pack_of_claims(claims, {}, tmp_path / "j", representatives=(1, 2), as_of_ms=PAID_MS)
    for text in pages((made.folder / "letter.pdf").read_bytes()):
        lines = [one for one in text.splitlines() if one.strip() and "页，共" not in one.replace(" ", "")]
        assert lines[-1].strip() != "请求："
