"""Times that name no date: worked out only from an anchor that is known, named with it, and found in the region."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from case_world import BEGAN_MS, a_case, given
from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.model import CaseFile, FactKind, ProposedFact, Region
from fairkey.casework.reading import FileRead, propose, read_file
from fairkey.casework.reading.chats import ME, OTHER, SYSTEM
from fairkey.casework.reading.confirming import said_taken
from fairkey.casework.reading.gate import admitted
from fairkey.casework.reading.lines import Line, Row
from fairkey.casework.reading.parsers import facts_in, undated_in
from fairkey.casework.readings import read_case
from fairkey.cli.case import case as case_group

TAKEN = "2026-11-23T21:00+08:00"  # a Monday
BUBBLES = ("在吗", "亲，在的", "好")


def chat(*rows: tuple[str, str]) -> tuple[list[Row], list[str]]:
    """Rows of a picture, one below the other, and who says them."""
    made = [
        Row([Line(text, Region(left=10, top=40 * number + 1, width=200, height=30))])
        for number, (_, text) in enumerate(rows)
    ]
    return made, [who for who, _ in rows]


def times(rows: list[Row], said_by: list[str], taken: str = "") -> list[ProposedFact]:
    return [one for one in facts_in(rows, "ab" * 32, said_by, taken) if one.kind is FactKind.TIME]


@pytest.mark.parametrize(
    ("stamp", "value"),
    [
        ("昨天 20:15", "2026-11-22T20:15+08:00"),
        ("昨天 晚上8:15", "2026-11-22T20:15+08:00"),
        ("前天 09:05", "2026-11-21T09:05+08:00"),
        ("今天 20:15", "2026-11-23T20:15+08:00"),
        ("20:15", "2026-11-23T20:15+08:00"),
        ("下午3:05", "2026-11-23T15:05+08:00"),
        ("星期三 14:05", "2026-11-18T14:05+08:00"),
        ("周五 下午2:05", "2026-11-20T14:05+08:00"),
        ("3天前 10:00", "2026-11-20T10:00+08:00"),
        ("10分钟前", "2026-11-23T20:50+08:00"),
        ("9月22日 14:16", "2026-09-22T14:16+08:00"),
        ("— 昨天 20:15 —", "2026-11-22T20:15+08:00"),
    ],
)
def test_a_stamp_counts_from_when_the_picture_was_taken(stamp: str, value: str) -> None:
    rows, said_by = chat((SYSTEM, stamp), (ME, "付款了"), (OTHER, "好的"))
    (fact,) = times(rows, said_by, TAKEN)
    assert (fact.value, fact.anchor, fact.text) == (value, f"taken {TAKEN}", stamp)
    assert fact.confidence == 0.55
    assert admitted(fact)
    assert fact.region == rows[0].lines[0].region
    assert undated_in(rows, said_by, TAKEN) == []


@pytest.mark.parametrize(
    "stamp",
    [
        "今天 22:15",  # ahead of the picture
        "22:15",
        "星期一 09:00",  # the day itself is written "09:00"
        "星期日 09:00",  # and the day before "昨天"
        "上周三 14:05",
        "12月24日 10:00",
        "2月30日 10:00",
        "昨天 25:10",
        "昨天 20:75",
        "昨天 晚上12:10",  # of which day?
        "昨天",
        "3天前",
        "2小时前",
        "刚刚",
        "大前天 10:00",
    ],
)
def test_what_would_be_a_guess_is_left_alone(stamp: str) -> None:
    rows, said_by = chat((SYSTEM, stamp), (ME, "付款了"), (OTHER, "好的"))
    assert times(rows, said_by, TAKEN) == []


def test_without_an_anchor_nothing_is_proposed_and_the_stamp_is_named() -> None:
    rows, said_by = chat((SYSTEM, "昨天 20:15"), (ME, "付款了"), (OTHER, "好的"))
    assert times(rows, said_by) == []
    assert undated_in(rows, said_by) == ["昨天 20:15"]


def test_a_day_is_enough_for_days_and_not_for_minutes() -> None:
    rows, said_by = chat((SYSTEM, "昨天 20:15"), (ME, "a"), (SYSTEM, "10分钟前"), (OTHER, "b"))
    assert [one.value for one in times(rows, said_by, "2026-11-23")] == ["2026-11-22T20:15+08:00"]


def test_what_is_written_in_a_chat_counts_from_the_stamp_above_it_which_is_shown_with_it() -> None:
    rows, said_by = chat(
        (SYSTEM, "2026年9月22日 14:16"), (ME, "昨天20:15付的款"), (OTHER, "今天23:00前发货"), (OTHER, "星期三 10:00发")
    )
    stamp, fact = times(rows, said_by)
    assert stamp.anchor == ""
    assert (fact.value, fact.anchor) == ("2026-09-21T20:15+08:00", "above 2026-09-22T14:16+08:00")
    assert fact.text == "2026年9月22日 14:16\n昨天20:15付的款"
    assert fact.region == Region(left=10, top=1, width=200, height=70)
    assert fact.confidence == 0.5
    assert admitted(fact)


def test_a_stamp_does_not_count_from_a_line_above_it() -> None:
    """Apps write their stamps anew each day: the absolute one above says only that this one is later."""
    rows, said_by = chat((SYSTEM, "2026年9月22日 14:16"), (ME, "在吗"), (SYSTEM, "昨天 20:15"), (OTHER, "在"))
    assert [one.anchor for one in times(rows, said_by)] == [""]
    assert undated_in(rows, said_by) == ["昨天 20:15"]


def test_a_time_that_somebody_mentions_is_no_stamp() -> None:
    rows, said_by = chat((OTHER, "2026-09-01 10:00"), (ME, "昨天20:15付的款"), (OTHER, "好"))
    assert [one.value for one in times(rows, said_by)] == ["2026-09-01T10:00+08:00"]


@pytest.mark.parametrize(
    "forged",
    [
        {"value": "2026-11-21T20:15+08:00"},
        {"anchor": "taken 2026-11-22"},
        {"anchor": "above 2026-11-23T21:00+08:00"},
        {"anchor": "guessed 2026-11-23"},
        {"text": "前天 20:15"},
        {"kind": FactKind.SHOP},
        {"anchor": "taken x"},
    ],
)
def test_the_gate_works_it_out_again(forged: dict[str, object]) -> None:
    fact = ProposedFact(
        file="ab" * 32,
        kind=FactKind.TIME,
        value="2026-11-22T20:15+08:00",
        region=Region(),
        confidence=0.5,
        text="昨天 20:15",
        anchor="taken 2026-11-23",
    )
    assert admitted(fact)
    assert not admitted(msgspec.structs.replace(fact, **forged))


def test_mails_and_exported_chats_count_from_their_own_dates(tmp_path: Path) -> None:
    mail = tmp_path / "a.eml"
    mail.write_bytes(
        "From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nDate: Tue, 22 Sep 2026 06:16:00 +0000\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        "订单时间 2026-09-01 10:00\r\n您昨天20:15的订单已发货\r\n".encode()
    )
    facts = read_file(mail, "ab" * 32, "message/rfc822").facts
    assert ("2026-09-21T20:15+08:00", "above 2026-09-22T14:16:00+08:00") in {(one.value, one.anchor) for one in facts}
    export = tmp_path / "chat.txt"
    export.write_text("2026-09-22 14:16:08 小店\n你好\n2026-09-23 10:00:00 我\n昨天20:15付的款\n", encoding="utf-8")
    facts = read_file(export, "ab" * 32, "text/plain").facts
    assert [one.value for one in facts if one.anchor] == ["2026-09-22T20:15+08:00"]
    plain = tmp_path / "plain.txt"
    plain.write_text("2026-09-22 14:16\n昨天20:15付的款\n", encoding="utf-8")
    assert [one.anchor for one in read_file(plain, "ab" * 32, "text/plain").facts] == [""]


def test_the_person_says_the_day_and_only_that_picture_is_read_again(tmp_path: Path) -> None:
    folder = a_case(tmp_path / "case")
    given(folder, "a.txt", "昨天 20:15\n付款".encode())
    given(folder, "b.txt", b"2026-09-22 14:16")
    read: list[str] = []

    def reader(path: Path, file: CaseFile) -> FileRead:
        read.append(path.name[13:])
        return propose(path, file)

    def run() -> None:
        read_case(folder, reader, version="1", budget_s=1, at_ms=lambda: BEGAN_MS)

    run()
    (note,) = [one.checks["undated"] for one in folder.read().files if one.checks]
    assert note == "“昨天 20:15” name no date: fairkey case taken CASE FILE DAY says when this was taken"
    said_taken(folder, "a.txt", "2026-09-23", at_ms=BEGAN_MS)
    run()
    assert read == ["a.txt", "b.txt", "a.txt"]
    assert [one.value for one in folder.read().proposed] == ["2026-09-22T14:16+08:00", "2026-09-22T20:15+08:00"]
    assert not any(one.checks for one in folder.read().files)
    for name, when in (("c.txt", "2026-09-23"), ("a.txt", "昨天"), ("a.txt", "2026-12-31")):
        with pytest.raises(CaseIsRefused):
            said_taken(folder, name, when, at_ms=BEGAN_MS)


def test_as_it_is_typed(tmp_path: Path) -> None:
    place = tmp_path / "case"
    given(a_case(place), "a.txt", "昨天 20:15\n付款".encode())
    run = CliRunner(env={"FAIRKEY_LANG": "en"})
    told = json.loads(run.invoke(case_group, ["read", str(place), "--json"]).stdout)
    assert (told["facts"], len(told["hints"]), told["notes"]) == ([], 1, [])
    assert run.invoke(case_group, ["taken", str(place), "a.txt", "2026-09-23"]).exit_code == 0
    shown = run.invoke(case_group, ["read", str(place)])
    assert "counted from 2026-09-23, when you say it was taken" in shown.stdout
    assert shown.exit_code == 0
