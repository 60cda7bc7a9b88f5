"""Sober words: what is pointed out in a writer's own text, what is passed over, and how often it is right."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fairkey.casework.letters.language import findings, findings_of
from fairkey.casework.letters.language_words import RULES, LanguageKind
from fairkey.casework.model import Case, Purchase
from fairkey.cli import root

CORPUS = Path(__file__).parent.parent / "corpus_language"


def lines(name: str, half: int) -> list[dict[str, str]]:
    told = (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in told][half::2]


@pytest.mark.parametrize("half", [0, 1], ids=["worked on", "held out"])
def test_precision_and_recall_hold(half: int) -> None:
    heated, plain = lines("heated", half), lines("plain", half)
    assert len(heated) >= 60
    assert len(plain) >= 100
    right = sum(any(one.kind == line["kind"] for one in findings(line["text"])) for line in heated)
    wrong = sum(bool(findings(line["text"])) for line in plain)
    assert right / len(heated) >= 0.95
    assert right / (right + wrong) >= 0.97


@pytest.mark.parametrize(
    "text",
    [
        "客服说：“你这个骗子，滚蛋。”",
        "「你等着」是卖家的原话",
        "本案案由：诈骗",
        "我不是说卖家是骗子",
        "请查明被告是否属于诈骗",
        "我买的是《无耻混蛋》兑换码",
        "店铺承诺假一赔十",
        "否则我将向12315投诉，并依法起诉。",
    ],
)
def test_innocent_words_are_passed_over(text: str) -> None:
    assert findings(text) == ()


def test_ones_own_quotation_marks_do_not_hide_an_insult() -> None:
    assert [one.text for one in findings("我遇到了一个“骗子”。")] == ["骗子"]


def test_the_other_sides_word_and_ones_own_in_one_line() -> None:
    text = "客服骂我“傻逼”，这种垃圾店铺真恶心。"
    assert [one.text for one in findings(text)] == ["垃圾", "恶心"]
    assert all(text[one.start : one.end] == one.text for one in findings(text))


def test_names_of_the_matter_are_no_words_of_the_writer() -> None:
    case = Case(case_id="1", created_at_ms=0, purchase=Purchase(shop="黑心老板"), account="我在黑心老板买了一张卡。")
    assert findings_of(case) == ()
    assert findings(case.account)


def test_every_kind_has_rules_reasons_and_a_neutral_wording() -> None:
    assert {rule.kind for rule in RULES} == set(LanguageKind)
    for one in findings("骗子！！你等着。这就是诈骗，要求十倍赔偿。"):
        assert all((one.why_zh, one.why_en, one.instead_zh, one.instead_en))


@given(st.text(alphabet="骗子垃圾不是“”「」《》：，。！我你客服说诈肯定要求十倍赔偿\n ab", max_size=200))
def test_passages_are_in_order_apart_and_what_they_say(text: str) -> None:
    end = 0
    for one in findings(text):
        assert end <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.text
        end = one.end


def test_the_command_reads_files_pipes_and_cases(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("卖家是骗子。".encode("gb18030"))
    done = CliRunner().invoke(root, ["case", "language", str(path), "--json"])
    assert done.exit_code == 0, done.output
    assert [one["kind"] for one in json.loads(done.stdout)["findings"]] == ["insult"]
    piped = CliRunner().invoke(root, ["case", "language", "-"], input="请退还货款。")
    assert (piped.exit_code, "没有" in piped.output) == (0, True)
    gone = CliRunner().invoke(root, ["case", "language", str(tmp_path / "b.txt")])
    assert gone.exit_code == 1
    case = tmp_path / "case"
    CliRunner().invoke(root, ["case", "new", str(case), "--title", "t"])
    none = CliRunner().invoke(root, ["case", "language", str(case), "--json"])
    assert json.loads(none.stdout) == {"findings": []}
