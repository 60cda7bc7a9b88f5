"""`fairkey case` in Chinese and in English: chosen by option, by variable, by the machine; English stays English."""

import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from case_world import a_case, given, picture
from fairkey.casework.folder import CaseFolder
from fairkey.casework.law import cited, rule
from fairkey.casework.model import ConfirmedFact, FactKind, FactRole, ProposedFact, Region
from fairkey.casework.pack.contents import contents_of
from fairkey.casework.pack.timeline import cut, drawings
from fairkey.casework.texts import sentence
from fairkey.cli import root
from letter_cases import BUYER, PURCHASE, SELLER, USED
from repo.test_case_texts import HAN, NAMED

CASE_WORDS = {SELLER.name, SELLER.address, SELLER.shop, SELLER.platform, PURCHASE.product, "激活页面", "王小满"}


def typed(*words: str | Path, **machine: str) -> Result:
    spoken = {"FAIRKEY_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "", **machine}
    return CliRunner(env=spoken).invoke(root, ["case", *(str(one) for one in words)])


@pytest.fixture(name="case")
def _case(tmp_path: Path) -> CaseFolder:
    told = {"problem": USED.problem, "buyer": BUYER, "purchase": PURCHASE, "respondents": USED.respondents}
    made = a_case(tmp_path / "case", title="Card", account="卖家是骗子。", asserts_fraud=True, steps=USED.steps, **told)
    file = given(made, "激活页面.png", picture(), purpose="problem").file
    seen = Region(left=1, top=1, width=9, height=9)
    made.change(
        "facts",
        lambda now: replace(
            now,
            proposed=(
                ProposedFact(
                    file=file.seal.sha256, kind=FactKind.ERROR, value="used", region=seen, confidence=0.9, text="used"
                ),
            ),
            facts=(
                ConfirmedFact(
                    fact_id="1", kind=FactKind.ERROR, value="used", role=FactRole.PROBLEM, files=(file.seal.sha256,)
                ),
            ),
        ),
        at_ms=PURCHASE.problem_at_ms,
    )
    return made


COMMANDS = (
    ("check",),
    ("check", "--channel", "small_claims"),
    ("path",),
    ("demand",),
    ("show",),
    ("verify",),
    ("seal",),
    ("record",),
    ("remind",),
    ("confirm", "1"),
    ("read",),
    ("tell", "--losses", "35"),
    ("step", "--channel", "s12315", "--stage", "sent"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_a_command_tells_is_in_the_chosen_language(case: CaseFolder, command: tuple[str, ...]) -> None:
    chinese = typed(command[0], case.path, *command[1:])
    english = typed(command[0], case.path, *command[1:], "--lang", "en")
    assert chinese.exit_code == english.exit_code in {0, 3}, chinese.output + english.output
    assert HAN.search(chinese.stdout)
    assert not HAN.search(bare(english.stdout)), english.stdout


def bare(text: str) -> str:
    for one in sorted(CASE_WORDS, key=len, reverse=True):
        text = text.replace(one, "")
    return NAMED.sub("", text)


def test_what_runs_is_told_until_when_and_what_waits_from_when(case: CaseFolder) -> None:
    typed("step", case.path, "--channel", "platform", "--stage", "sent")
    lines = typed("path", case.path, "--lang", "en").stdout.splitlines()
    after = {line.split(" (")[0]: lines[place + 1].strip() for place, line in enumerate(lines[:-1]) if "(" in line}
    [running] = [said for step, said in after.items() if step.endswith("Complaint inside the platform")]
    [waiting] = [said for step, said in after.items() if step.endswith("Heimao")]
    assert running.startswith("Until: ")
    assert waiting == f"from {running.removeprefix('Until: ')}"


def test_a_letter_stays_chinese_and_is_summed_up_in_english(case: CaseFolder, tmp_path: Path) -> None:
    said = typed("letters", case.path, "--channel", "platform", "--channel", "police", "--lang", "en").stdout
    assert said.count("The letter is in Chinese") == 1
    assert "致：示例商城平台客服" in said
    assert "You bought" in said
    assert "The price back CNY 128.00 (Consumer Protection Law (消费者权益保护法) arts. 48, 52)" in said
    assert "It asks for" not in said[said.index("Police report") :]
    beside = typed("letters", case.path, "-o", tmp_path / "out", "--lang", "en").stdout
    assert not HAN.search(bare(beside)), beside
    assert "The letter is in Chinese" not in typed("letters", case.path, "--channel", "platform").stdout


@pytest.mark.parametrize(
    ("machine", "is_chinese"),
    [
        ({}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "en_GB.UTF-8"}, False),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_CN.UTF-8", "FAIRKEY_LANG": "en"}, False),
    ],
)
def test_the_machine_says_which_and_chinese_comes_first(
    tmp_path: Path, machine: dict[str, str], is_chinese: bool
) -> None:
    said = typed("new", tmp_path / "case", **machine).stdout
    assert ("案件已建立" in said) is is_chinese
    refused = typed("show", tmp_path / "none", **machine).stderr
    assert ("没有案件" in refused) is is_chinese
    assert typed("show", tmp_path / "none", "--lang", "fr").exit_code == 2


def test_sentences_that_lie_in_older_cases_are_told_in_chinese() -> None:
    assert sentence("90000 × 90000 pixels are more than are read here").zh == "90000 × 90000 像素超过这里可读取的大小"
    held = sentence("the PDF holds scripts, other files: only pictures of its pages are made here")
    assert held.zh == "该 PDF 含有脚本、其他文件：这里只生成其页面的图片"
    strange = sentence("something nobody wrote, ever")
    assert (strange.zh, strange.en) == ("something nobody wrote, ever",) * 2


def test_articles_are_cited_with_their_official_names() -> None:
    on = date(2026, 11, 23)
    rules = [rule(name, on) for name in ("liability", "remedies", "remedies", "fraud_extra", "periods")]
    assert cited(rules).en == (
        "Consumer Protection Law (消费者权益保护法) arts. 48, 52, 55, Civil Code (民法典) arts. 201 to 203"
    )
    assert cited(rules[:1]).en == "Consumer Protection Law (消费者权益保护法) art. 48"
    assert cited([]).en == ""


def test_the_timeline_is_drawn_in_both(case: CaseFolder) -> None:
    moments = contents_of(case.read(), as_of_ms=1).timeline
    [english], [chinese] = drawings(moments, "serif", "en"), drawings(moments, "serif")
    assert not HAN.search(english)
    assert "Complaint inside the platform: sent" in english
    assert "平台投诉：已提出" in chinese
    assert cut("a" * 48) == "a" * 48
    assert re.fullmatch("a+…", cut("a" * 49))
    assert len(cut("长" * 25)) == 24


def test_a_moment_that_was_confirmed_stands_once_in_the_timeline_and_who_made_a_file_is_named(case: CaseFolder) -> None:
    sha256 = case.read().files[0].seal.sha256
    when = "2026-11-01T11:05:20+08:00"
    read = ProposedFact(
        file=sha256, kind=FactKind.TIME, value=when, region=Region(), confidence=0.9, text="小星 11:05:20"
    )
    said = ConfirmedFact(fact_id="2", kind=FactKind.TIME, value=when, role=FactRole.COMPLAINED, files=(sha256,))
    before = replace(case.read(), proposed=(read,), facts=())
    after = replace(before, facts=(said,))
    asked = [
        [one.words.zh for one in contents_of(now, as_of_ms=1).timeline if one.words.zh in {"小星 11:05:20", "提出投诉"}]
        for now in (before, after)
    ]
    assert asked == [["小星 11:05:20"], ["提出投诉"]]
    [file] = before.files
    mine = replace(before, files=(replace(file, capture=replace(file.capture, who="me")),))
    assert contents_of(mine, as_of_ms=1).exhibits[0].source.endswith("制作人：本人")
