"""Letters: what they tell and what they never tell, by channel; sums in words; the commands that write them."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from case_world import a_case, picture
from case_world import given as put_in
from fairkey.casework.channels import CHANNELS
from fairkey.casework.channels.s12315 import SHORT_CHARS_MAX
from fairkey.casework.channels.small_claims import province_of
from fairkey.casework.demand import compute
from fairkey.casework.folder import CaseFolder
from fairkey.casework.law import law_data
from fairkey.casework.letters import letters_of as of_package
from fairkey.casework.letters.capitals import DIGITS, rmb_capital
from fairkey.casework.letters.composing import ChannelIsUnknown, compose, letters_of
from fairkey.casework.letters.letter import Letter
from fairkey.casework.letters.told import BLANK, day_zh
from fairkey.casework.model import Case, FactKind, Party, Problem, Purchase, StepTaken
from fairkey.casework.pack.contents import contents_of
from fairkey.casework.pack.masks import Masks, mask_code
from fairkey.cli import root
from letter_cases import BUYER, CASES, CODE, ON, PURCHASE, RESALE, THIRD_PHONE, USED, changed, fact

DAY = date.fromisoformat(ON)
ORDERED_MS = PURCHASE.ordered_at_ms


def of(case: Case, channel: str, **more: bool) -> Letter:
    return compose(case, compute(case, DAY), channel, **more)


def all_of_it(letter: Letter) -> str:
    return "\n".join((letter.text, *letter.fields, *letter.fields.values()))


# What no letter tells.


@pytest.mark.parametrize("channel", list(CHANNELS))
@pytest.mark.parametrize("case", list(CASES.values()), ids=list(CASES))
def test_no_letter_shows_a_code_or_somebody_elses_number(case: Case, channel: str) -> None:
    written = all_of_it(of(case, channel))
    assert CODE not in written
    assert THIRD_PHONE not in written
    if case.account.endswith("无人接听。") and channel == "platform":
        assert THIRD_PHONE in all_of_it(of(case, channel, shows_all=True))


@given(
    st.sampled_from(list(CHANNELS)),
    st.sampled_from(list(Problem)),
    st.booleans(),
    st.integers(0, 10**9),
    st.lists(st.sampled_from(("refund", "resend", "make_up", "damages")), unique=True),
    st.text(max_size=40),
)
def test_any_case_gives_a_letter_and_names_what_is_missing(
    channel: str, problem: Problem, asserts_fraud: bool, amount_fen: int, wishes: list[str], account: str
) -> None:
    case = changed(
        problem=problem,
        asserts_fraud=asserts_fraud,
        wishes=tuple(wishes),
        account=account,
        purchase=replace(PURCHASE, amount_fen=amount_fen),
    )
    letter = of(case, channel)
    assert letter.channel == channel
    assert CODE not in all_of_it(letter)
    assert (BLANK in all_of_it(letter)) <= any(one.zh.startswith("未填写") for one in letter.warnings)
    empty = of(replace(case, purchase=Purchase(), facts=(), files=(), buyer=Party(), respondents=()), channel)
    assert any(one.zh.startswith("未填写") for one in empty.warnings)


FIGURE = re.compile(r"\d+(?:\.\d+)?")
OF_LAW = {
    "48",
    "12315",
    "121",
    str(SHORT_CHARS_MAX),
}  # the buyer's own period, the platform's name, its order, the form


def figures_of(case: Case) -> set[str]:
    """Every figure that a letter may hold: what the case says, its moments, its evidence, what the law makes of it."""
    data, bought, steps = law_data(), case.purchase, case.steps
    said = [*(str(one.value) for one in case.facts), case.account, *(one.name for one in case.files)]
    said += [
        bought.product,
        bought.shop,
        bought.platform,
        bought.order_number,
        bought.transaction,
        str(bought.quantity),
    ]
    said += [part for one in (case.buyer, *case.respondents) for part in (one.name, one.address, one.phone, one.uscc)]
    said += [one.reference for one in steps]
    sums = [
        bought.amount_fen,
        case.losses_fen,
        bought.amount_fen + case.losses_fen,
        data.fraud_times * bought.amount_fen,
    ]
    sums += [data.fraud_least_fen, data.court_fee_small_fen, data.court_fee_small_fen // 2]
    said += [f"{one // 100}.{one % 100:02d}" for one in sums]
    at_ms = (bought.ordered_at_ms, bought.paid_at_ms, bought.delivered_at_ms, bought.problem_at_ms)
    said += [day_zh(one) for one in (*at_ms, *(step.at_ms for step in steps)) if one]
    said += [str(number) for number in range(1, len(case.files) + 1)]
    return {one for words in map(Masks([CODE]), said) for one in FIGURE.findall(words)} | OF_LAW | {case.buyer.phone}


@given(
    st.sampled_from(list(CASES.values())),
    st.sampled_from(list(CHANNELS)),
    st.integers(1, 10**9),
    st.integers(0, 10**7),
    st.integers(0, 10**12),
    st.lists(st.sampled_from(("refund", "resend", "make_up", "damages")), unique=True, min_size=1),
    st.booleans(),
)
def test_no_letter_holds_a_figure_that_neither_the_case_nor_the_law_gives(
    case: Case, channel: str, amount_fen: int, losses_fen: int, more_ms: int, wishes: list[str], asserts_fraud: bool
) -> None:
    bought = case.purchase
    later = {
        name: getattr(bought, name) + more_ms
        for name in ("ordered_at_ms", "paid_at_ms", "delivered_at_ms", "problem_at_ms")
        if getattr(bought, name)
    }
    case = replace(
        case,
        purchase=replace(bought, amount_fen=amount_fen, **later),
        losses_fen=losses_fen,
        wishes=tuple(wishes),
        asserts_fraud=asserts_fraud,
    )
    letter = of(case, channel)
    written = re.sub(r"(?m)(?:^|(?<=[。：]))\d\. ", "", all_of_it(letter))  # the numbers of the demands themselves
    hidden = {one for words in (bought.order_number, bought.transaction) for one in FIGURE.findall(mask_code(words))}
    assert set(FIGURE.findall(written)) <= figures_of(case) | (hidden if channel == "heimao" else set())


def test_nothing_is_written_while_nothing_is_confirmed() -> None:
    bare = Case(case_id="x", created_at_ms=1, files=USED.files)
    assert letters_of(bare, ON) == ()
    assert of_package(bare, ON) == ()
    assert of_package(USED, ON) == letters_of(USED, ON)


# What each channel's letter holds.


def test_the_channels_follow_the_path_and_what_is_for_resale_leaves_consumer_law() -> None:
    assert [one.channel for one in letters_of(USED, ON)] == [
        "platform", "heimao", "s12315", "consumer_association", "regulator", "small_claims",
    ]  # fmt: skip
    assert [one.channel for one in letters_of(RESALE, ON)] == ["platform", "b2b", "small_claims"]
    assert "police" in [one.channel for one in letters_of(CASES["seller_vanished"], ON)]
    assert any("12315 不予受理" in one.zh for one in of(RESALE, "s12315").warnings)
    assert "消费者权益保护法" not in of(RESALE, "b2b").text
    with pytest.raises(ChannelIsUnknown):
        compose(USED, compute(USED, DAY), "telegraph")


def test_every_channel_says_what_is_not_known_of_its_form_and_what_comes_next() -> None:
    for channel in CHANNELS.values():
        assert channel.next_steps
        if any(one.chars_max is None for one in channel.limits):
            assert any("未经核实" in one.zh for one in of(USED, channel.name).warnings)


def test_facts_name_the_evidence_by_the_numbers_of_the_pack() -> None:
    exhibits = contents_of(USED, as_of_ms=1).exhibits
    numbers = {one.file.name: one.no for one in exhibits}
    text = of(USED, "platform").text
    assert f"（证据{numbers['激活页面.png']}）" in text
    assert f"（证据{numbers['订单详情.png']}、{numbers['支付宝账单.pdf']}）" in text
    assert of(USED, "platform").attachments == tuple(one.file.seal.sha256 for one in exhibits)


def test_the_platform_is_asked_for_the_seller_only_while_he_is_not_known() -> None:
    assert "真实名称、地址和有效联系方式" in of(CASES["not_delivered"], "platform").text
    assert "真实名称、地址和有效联系方式" not in of(USED, "platform").text
    assert "不要删除或修改这些记录" in of(USED, "platform").text


def test_the_form_of_12315_has_a_short_version_in_whole_sentences() -> None:
    for case in CASES.values():
        told = tuple(
            StepTaken(step_id=str(n), channel="platform", stage="sent", at_ms=ORDERED_MS + n) for n in range(20)
        )
        long = replace(case, steps=told)
        for one in (case, long):
            short = of(one, "s12315").fields[f"可录入版（{SHORT_CHARS_MAX}字以内）"]
            assert 0 < len(short) <= SHORT_CHARS_MAX
            assert "诉求：退还货款" in short
            assert short.endswith("元。")


def test_what_is_published_hides_the_numbers_of_order_and_payment() -> None:
    letter = of(USED, "heimao")
    assert PURCHASE.transaction not in all_of_it(letter)
    assert PURCHASE.order_number not in letter.text
    assert PURCHASE.transaction in of(USED, "police").text


def test_heated_words_are_pointed_out_and_left_to_the_writer() -> None:
    heated = of(changed(account="卖家是骗子，不退钱我就去网上曝光。"), "platform")
    assert any("“骗子”可改为" in one.zh for one in heated.warnings)
    assert "骗子" in heated.text
    assert not any(one.zh.startswith("措辞") for one in of(USED, "platform").warnings)


def test_a_report_names_rules_only_where_the_person_or_the_problem_does() -> None:
    assert "可能涉及的规定" not in of(USED, "regulator").text
    assert "第十六条；是否违反由主管部门认定" in of(changed(asserts_fraud=True), "regulator").text
    assert "第八条" in of(changed(problem=Problem.REFUND_REFUSED), "regulator").text
    assert "退还货款" not in of(USED, "regulator").text


def test_every_file_goes_along_with_what_it_shows() -> None:
    letter = of(USED, "s12315")
    assert [letter.purposes.get(one, "") for one in letter.attachments][2:] == ["激活时的提示", ""]


def test_the_extra_for_fraud_is_a_claim_besides_with_its_own_standard_of_proof() -> None:
    text = of(CASES["wrong_region"], "small_claims").text
    assert "3. 如认定构成欺诈，另行增加赔偿（该项须证明至排除合理怀疑，不影响退款请求）人民币500.00元" in text
    assert "欺诈" not in of(USED, "small_claims").text
    assert of(CASES["wrong_region"], "s12315").fields["诉求"].endswith("共128.00元")


@pytest.mark.parametrize(
    ("amount_fen", "asserts_fraud", "told"),
    [(1_000_000, False, True), (1_000_001, False, False), (250_000, True, True), (250_001, True, False)],
)
def test_the_court_fee_is_told_for_what_is_claimed_altogether_up_to_ten_thousand(
    amount_fen: int, asserts_fraud: bool, told: bool
) -> None:
    letter = of(changed(purchase=replace(PURCHASE, amount_fen=amount_fen), asserts_fraud=asserts_fraud), "small_claims")
    assert ("每件50.00元，适用简易程序减半为25.00元，《诉讼费用交纳办法》第十三条、第十六条" in letter.text) is told
    assert any("案件受理费不在数据中" in one.zh for one in letter.warnings) is not told


@pytest.mark.parametrize(
    ("address", "province", "known"),
    [
        ("浙江省杭州市西湖区", "浙江省", True),
        ("福建省福州市", "福建省", False),
        ("广西壮族自治区南宁市", "广西壮族自治区", False),
        ("北京市海淀区", "北京市", False),
        ("杭州市浙江省路 1 号", "", False),
        ("", "", False),
    ],
)
def test_the_limit_of_small_claims_is_told_with_its_date_or_said_to_be_unknown(
    address: str, province: str, known: bool
) -> None:
    assert province_of(address) == province
    case = changed(buyer=replace(BUYER, address=address))
    warnings = of(case, "small_claims").warnings
    assert any("54323.00元，数据日期2022-01-11" in one.zh for one in warnings) is known
    assert any("标的额上限不在数据中" in one.zh for one in warnings) is not known
    dear = of(replace(case, purchase=replace(PURCHASE, amount_fen=5_432_301)), "small_claims").warnings
    assert any("可能适用其他程序" in one.zh for one in dear) is known


def test_a_suit_names_the_platform_too_while_the_seller_cannot_be_found() -> None:
    text = of(CASES["seller_vanished"], "small_claims").text
    assert text.count("被告：") == 2
    assert any("不能适用小额诉讼程序" in one.zh for one in of(CASES["seller_vanished"], "small_claims").warnings)


def test_interest_is_asked_only_for_what_was_paid_and_not_performed() -> None:
    assert "贷款市场报价利率" in of(CASES["not_delivered"], "small_claims").text
    assert "贷款市场报价利率" not in of(USED, "small_claims").text


def test_ones_own_data_stand_in_what_one_signs_and_not_in_what_is_published() -> None:
    assert BUYER.phone in all_of_it(of(USED, "s12315"))
    assert BUYER.phone not in all_of_it(of(USED, "heimao"))
    assert BUYER.name not in all_of_it(of(USED, "heimao"))


# Sums in words.


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (12_800, "壹佰贰拾捌元整"),
        (100_500, "壹仟零伍元整"),
        (1_000_010, "壹万元壹角整"),
        (10_050_000, "壹拾万零伍佰元整"),
        (100_000_100, "壹佰万零壹元整"),
        (10_000_000_100, "壹亿零壹元整"),
        (160_732_453, "壹佰陆拾万柒仟叁佰贰拾肆元伍角叁分"),
    ],
)
def test_sums_in_words(fen: int, words: str) -> None:
    assert rmb_capital(fen) == words


def read_back(words: str) -> int:
    yuan_words, _, rest = words.rpartition("元") if "元" in words else ("", "", words)
    fen = sum(
        DIGITS.index(rest[rest.index(unit) - 1]) * value for unit, value in (("角", 10), ("分", 1)) if unit in rest
    )
    total, group, digit = 0, 0, 0
    for one in yuan_words:
        if one in DIGITS:
            digit = DIGITS.index(one)
        elif one in "拾佰仟":
            group, digit = group + digit * 10 ** (" 拾佰仟".index(one)), 0
        else:
            total, group, digit = total + (group + digit) * {"万": 10**4, "亿": 10**8}[one], 0, 0
    return (total + group + digit) * 100 + fen


@given(st.integers(0, 10**13))
def test_sums_in_words_are_read_back(fen: int) -> None:
    assert read_back(rmb_capital(fen)) == fen


# The commands.


@pytest.fixture
def folder(tmp_path: Path) -> CaseFolder:
    told = {"problem": USED.problem, "buyer": USED.buyer, "purchase": USED.purchase, "respondents": USED.respondents}
    made = a_case(tmp_path / "case", **told)
    put_in(made, "order.png", picture())
    return made


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(root, ["case", *words])
    return result.exit_code, result.output


def test_letters_are_printed_written_and_told_as_json(folder: CaseFolder, tmp_path: Path) -> None:
    place = str(folder.path)
    code, said = run("letters", place, "--on", ON, "--channel", "platform")
    assert code == 0
    assert "致：示例商城平台客服" in said
    assert "48 小时后仍未处理" in said
    code, _ = run("letters", place, "--on", ON, "--out", str(tmp_path / "out"))
    assert code == 0
    assert min(path.name for path in (tmp_path / "out").iterdir()) == "1-platform.txt"
    code, said = run("letters", place, "--json")
    told = json.loads(said)["letters"]
    assert {"text", "fields", "limits", "next_steps", "warnings"} <= set(told[0])
    assert run("letters", place, "--on", "tomorrow")[0] == 1
    code, said = run("demand", place, "--json")
    assert json.loads(said)["figures"][0]["amount_fen"] == PURCHASE.amount_fen
    assert "退还货款 128.00元" in run("demand", place)[1]


def test_an_unconfirmed_case_is_told_what_to_do_first(tmp_path: Path) -> None:
    bare = a_case(tmp_path / "bare")
    code, said = run("letters", str(bare.path))
    assert code == 1
    assert "fairkey case confirm" in said


def test_a_pack_takes_the_letters_of_its_channels(folder: CaseFolder, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    code, said = run("pack", str(folder.path), "-o", str(out), "--channel", "small_claims", "--channel", "platform")
    assert code == 0, said
    assert {path.name for path in out.glob("letter-*")} == {
        "letter-1-small_claims.docx", "letter-1-small_claims.pdf", "letter-2-platform.docx", "letter-2-platform.pdf",
    }  # fmt: skip
    assert CliRunner().invoke(root, ["verify", str(out)]).exit_code in (0, 3)
    suit, complaint = (
        [one.text for one in Document(str(out / name)).paragraphs]
        for name in ("letter-1-small_claims.docx", "letter-2-platform.docx")
    )
    assert any(re.fullmatch("具状人（签名）：\u3000+日期：\u3000+年\u3000+月\u3000+日", one) for one in suit)
    assert any(one.startswith("签名：\u3000") for one in complaint)


def test_a_time_that_nobody_confirmed_stays_blank() -> None:
    letter = of(changed(purchase=replace(PURCHASE, problem_at_ms=0)), "s12315")
    assert letter.fields["争议发生时间"] == BLANK


def test_only_what_shows_the_payment_is_cited_for_it() -> None:
    asked_back = fact(FactKind.AMOUNT, PURCHASE.amount_fen, 3)
    told = all_of_it(of(changed(facts=(*USED.facts, asked_back)), "platform"))
    assert "本人支付128.00元" in told
    assert re.search(r"本人支付128\.00元[^。]*（证据1、2）", told), told
