"""Reading the corpus: parsers on recorded lines of letters, texts as they are, and a few pictures from end to end."""

import hashlib
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from case_world import a_case, given
from fairkey.bench.read import Scored, scored_file
from fairkey.casework.model import FactKind, FactRole, ProposedFact, Region
from fairkey.casework.reading import read_facts
from fairkey.casework.reading.gate import admitted, follows
from fairkey.casework.reading.likeness import looks_of, near_duplicates
from fairkey.casework.reading.lines import Line, lines_of_text, ordered_text, rows_of
from fairkey.casework.reading.parsers import facts_in
from fairkey.casework.reading.sources import reading_of_lines, readings_of
from fairkey.casework.reading.values import amounts_in, times_in
from fairkey.cli.case import case as case_group

CORPUS = Path(__file__).parents[1] / "corpus"
CASES = CORPUS / "cases"


@cache
def truth() -> dict[str, dict[str, Any]]:
    told = {}
    for path in sorted(CASES.glob("*/truth.json")):
        told |= {f"{path.parent.name}/{name}": one for name, one in json.loads(path.read_text()).items()}
    return told


@cache
def recorded_facts() -> dict[str, list[ProposedFact]]:
    facts = {}
    for name, recorded in json.loads((CORPUS / "read-lines.json").read_text()).items():
        lines = [
            Line(text, Region(left=left, top=top, width=width, height=height), score)
            for text, left, top, width, height, score in recorded
        ]
        reading = reading_of_lines(lines)
        facts[name] = facts_in(reading.rows, "ab" * 32, reading.said_by)
    return facts


@cache
def scored_lines() -> list[Scored]:
    return [scored_file(name, facts, truth()[name]) for name, facts in recorded_facts().items()]


def test_the_corpus_is_whole() -> None:
    kinds = Counter(one["media_type"] for one in truth().values())
    assert len(list(CASES.iterdir())) == 10
    assert kinds["image/png"] == kinds["image/jpeg"] == 40
    assert (kinds["message/rfc822"], kinds["text/html"], kinds["video/mp4"]) == (10, 5, 3)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 12_000_000


@pytest.mark.parametrize(("group", "least"), [("clean", 0.98), ("worn", 0.9)])
@pytest.mark.parametrize("kind", ["order_number", "amount_fen", "time"])
def test_numbers_amounts_and_times_are_found_and_right(group: str, least: float, kind: str) -> None:
    files = [one for one in scored_lines() if one.group == group]
    right, made, there = (sum(getattr(one, name)[kind] for one in files) for name in ("right", "made", "there"))
    assert right / made >= least, [line for one in files for line in one.wrong]
    assert right / there >= least, [line for one in files for line in one.wrong]


def test_nothing_is_invented_and_chats_know_who_speaks() -> None:
    assert sum(one.invented for one in scored_lines()) == 0
    right, there = (sum(one.speakers[at] for one in scored_lines()) for at in (0, 1))
    assert right >= 0.95 * there > 0


def test_worn_copies_fold_and_other_pictures_never_do() -> None:
    clean_first = sorted(recorded_facts(), key=lambda name: name.replace("-worn", "~"))
    looks = [looks_of(CASES / name, name, recorded_facts()[name]) for name in clean_first]
    like = near_duplicates(one for one in looks if one is not None)
    assert len(like) >= 34
    assert all(copy.removesuffix("-worn.jpg") == first.removesuffix(".png") for copy, first in like.items())


@pytest.mark.parametrize("name", sorted(name for name in truth() if name.endswith((".eml", ".html"))))
def test_mails_and_pages_are_read_whole_and_point_at_their_words(name: str) -> None:
    told = truth()[name]
    facts = read_facts(CASES / name, "ab" * 32, told["media_type"])
    assert scored_file(name, facts, told).wrong == ()
    (reading,) = readings_of(CASES / name, told["media_type"])
    assert reading.rows
    assert all(one.region.end > one.region.start and one.text for one in facts)


@pytest.mark.parametrize("name", ["03/error-worn.jpg", "02/bill.png"])
def test_a_picture_is_read_from_end_to_end(name: str) -> None:
    told = truth()[name]
    facts = read_facts(CASES / name, "ab" * 32, told["media_type"])
    assert scored_file(name, facts, told).wrong == ()
    with Image.open(CASES / name) as picture:
        for one in facts:
            assert 0 <= one.region.left < one.region.left + one.region.width <= picture.width + 2
            assert 0 <= one.region.top < one.region.top + one.region.height <= picture.height + 2


def test_a_recording_tells_the_moment_of_each_fact() -> None:
    facts = read_facts(CASES / "05/recording.mp4", "ab" * 32, "video/mp4")
    assert {one.kind for one in facts} >= {FactKind.ERROR, FactKind.TRANSACTION, FactKind.AMOUNT}
    assert {one.region.page for one in facts} == {0, 1}
    assert all(one.region.at_ms > 0 for one in facts if one.region.page)


def facts_of(text: str) -> list[tuple[str, int | str, str]]:
    return [
        (one.kind.value, one.value, one.role.value) for one in facts_in(ordered_text(lines_of_text(text)), "ab" * 32)
    ]


def test_words_of_bills_orders_and_chats() -> None:
    assert facts_of("订单编号：231103-123456789012345") == [("order_number", "231103-123456789012345", "")]
    assert facts_of("交易单号 4200002012202611039876543210") == [("transaction", "4200002012202611039876543210", "")]
    assert facts_of("实付款 ￥1,288.5") == [("amount_fen", 128850, "paid")]
    assert facts_of("退款金额：12元") == [("amount_fen", 1200, "refunded")]
    assert facts_of("支付时间 2026年3月9日 下午2:05") == [("time", "2026-03-09T14:05+08:00", "paid")]
    assert facts_of("昨天 14:05") == []
    assert facts_of("Steam充值卡100元国区") == []
    assert ("promise", "假一赔十", "") in facts_of("全新正品，假一赔十")
    assert [kind for kind, *_ in facts_of("提示：兑换失败，兑换码无效")] == ["error"]
    assert facts_of("你好，激活码提示已被使用，请退款") == []  # what a buyer writes is no dialog
    assert [kind for kind, *_ in facts_of("该兑换码已被使用")] == ["error"]
    assert facts_of("页面写着激活失败包退") == [("promise", "包退", "")]
    assert facts_of("订单2026110110350042还没到") == [("order_number", "2026110110350042", "")]
    assert facts_of("订单2026年11月1日的") == []
    assert facts_of("Product  Steam Wallet Code") == [("product", "Steam Wallet Code", "")]
    assert facts_of("Product Steam Wallet Code") == []
    assert facts_of("Payment Time 2026-11-01 10:35:12") == [("time", "2026-11-01T10:35:12+08:00", "paid")]


def test_a_lost_space_between_day_and_hour_is_no_guess() -> None:
    assert [one.iso for one in times_in("2026-11-0314:05:09")] == ["2026-11-03T14:05:09+08:00"]
    assert times_in("2026-11-314:05") == []
    assert times_in("2026-02-30 10:00") == []
    assert [one.fen for one in amounts_in("¥0.00 ¥3")] == [300]


def test_letters_that_look_alike_are_never_sure() -> None:
    sure, unsure = facts_in(ordered_text(lines_of_text("卡密：A7KF-9QWE-TT2P\n卡密：A7KO-9QWE-TT2P")), "ab" * 32)
    assert sure.confidence > 0.8
    assert unsure.confidence <= 0.6


def test_a_number_over_two_rows_is_one() -> None:
    rows = rows_of(
        [
            Line("交易单号", Region(left=20, top=100, width=80, height=20)),
            Line("4200002012202611039", Region(left=300, top=100, width=300, height=20)),
            Line("876543210", Region(left=300, top=126, width=150, height=20)),
        ]
    )
    (fact,) = facts_in(rows, "ab" * 32)
    assert fact.value == "4200002012202611039876543210"
    assert fact.region == Region(left=300, top=100, width=300, height=46)


def test_the_gate_lets_nothing_through_that_is_not_there() -> None:
    assert follows(FactKind.AMOUNT, 1250, "实付 ¥12.50")
    assert not follows(FactKind.AMOUNT, 1251, "实付 ¥12.50")
    assert not follows(FactKind.ORDER_NUMBER, "12345678", "1234567")
    assert not follows(FactKind.TIME, "2026-11-03T14:05+08:00", "2026-11-03")
    assert not follows(FactKind.PLATFORM, "淘宝", "京东订单")
    fact = ProposedFact(
        file="ab", kind=FactKind.CODE, value="AB12-CD34", region=Region(), confidence=0.9, text="AB12 CD34"
    )
    assert not admitted(fact)


def test_a_case_is_read_and_confirmed(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    data = (CASES / "02/mail.eml").read_bytes()
    given(folder, "mail.eml", data, how="mail")
    given(folder, "chat.txt", "2026-11-03 14:22:31 我\n订单号：2506633113051562039\n".encode(), how="export")
    ran = CliRunner().invoke(case_group, ["read", str(folder.path), "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.output)["facts"]
    assert {"file", "kind", "value", "region", "confidence"} <= set(told[0])
    numbers = [one["number"] for one in told if one["kind"] == "order_number"]
    assert len(numbers) == 2
    assert CliRunner().invoke(case_group, ["confirm", str(folder.path), str(numbers[0])]).exit_code == 0
    paid = next(one for one in told if one["role"] == "paid" and one["kind"] == "amount_fen")
    arguments = ["confirm", str(folder.path), str(paid["number"]), "--value", "¥129.00"]
    assert CliRunner().invoke(case_group, arguments).exit_code == 0
    case = folder.read()
    assert set(case.facts[0].files) == {one.seal.sha256 for one in case.files}
    assert (case.facts[1].value, case.facts[1].read, case.facts[1].role) == (12900, 12800, FactRole.PAID)
    assert (case.purchase.order_number, case.purchase.amount_fen) == ("2506633113051562039", 12900)
    assert CliRunner().invoke(case_group, ["confirm", str(folder.path), "999"]).exit_code == 1
    again = CliRunner().invoke(case_group, ["read", str(folder.path), "--json"])
    assert json.loads(again.output)["facts"] == told


def test_files_are_read_without_a_case_and_broken_ones_say_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes((CASES / "01/bill.png").read_bytes()[:400])
    ran = CliRunner().invoke(case_group, ["read", str(broken), str(CASES / "01/page.html"), "--json"])
    told = json.loads(ran.output)
    sha256 = hashlib.sha256((CASES / "01/page.html").read_bytes()).hexdigest()
    assert {one["sha256"] for one in told["facts"]} == {sha256}
    assert ran.exit_code == (1 if told["notes"] else 0)
