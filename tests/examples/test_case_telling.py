"""What a person tells of his case at the command line: only what he names changes, and letters are made of it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from case_world import a_case
from fairkey.casework.folder import CaseFolder, CaseIsRefused
from fairkey.casework.model import Party, Problem, Purpose
from fairkey.casework.moments import CHINA
from fairkey.cli import root
from fairkey.cli.case.telling import fen_of


@pytest.fixture(name="case")
def _case(tmp_path: Path) -> CaseFolder:
    return a_case(tmp_path / "case", respondents=(Party(shop="old"), Party(kind="platform", name="某平台公司")))


def typed(case: CaseFolder, *words: str) -> Result:
    return CliRunner(env={"FAIRKEY_LANG": "en"}).invoke(root, ["case", "tell", str(case.path), *words])


def told(case: CaseFolder, *words: str) -> dict[str, Any]:
    done = typed(case, *words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_told_stands_in_the_case_and_in_its_letters(case: CaseFolder, tmp_path: Path) -> None:
    (tmp_path / "account.txt").write_text("\ufeff激活时提示已被使用。\n", encoding="utf-8")
    told(case, "--title", "Card", "--problem", "already_used", "--for", "living", "--quantity", "2", "--fraud")
    told(case, "--account-file", str(tmp_path / "account.txt"), "--wish", "refund", "--wish", "damages")
    told(case, "--name", "王小满", "--phone", "13800001111", "--address", "浙江省杭州市", "--losses", "¥35.50")
    told(
        case,
        "--seller",
        "晨星公司",
        "--seller-code",
        "91350100M000100Y43",
        "--seller-address",
        "福州",
        "--shop",
        "晨星",
    )
    told(case, "--platform", "示例商城", "--order", "123", "--product", "卡", "--transaction", "456", "--amount", "128")
    told(case, "--paid", "2026-11-01T10:35", "--problem-at", "2026-11-02", "--seller-representative", "陈星")
    now = case.read()
    assert (now.title, now.problem, now.purpose) == ("Card", Problem.ALREADY_USED, Purpose.LIVING)
    assert (now.account, now.wishes) == ("激活时提示已被使用。\n", ("refund", "damages"))
    assert (now.losses_fen, now.purchase.amount_fen, now.purchase.quantity) == (3_550, 12_800, 2)
    assert now.asserts_fraud
    assert now.purchase.paid_at_ms == datetime(2026, 11, 1, 10, 35, tzinfo=CHINA).timestamp() * 1000
    assert now.respondents[0].shop == "晨星"
    assert [one.kind for one in now.respondents] == ["unknown", "platform"]
    letters = CliRunner().invoke(root, ["case", "letters", str(case.path), "--channel", "s12315"]).stdout
    for wanted in (
        "王小满",
        "晨星公司，统一社会信用代码91350100M000100Y43",
        "订单号123",
        "退还货款；赔偿已发生的损失，共163.50元",
    ):
        assert wanted in letters


def test_only_what_is_named_changes_and_an_empty_text_takes_back(case: CaseFolder) -> None:
    told(case, "--shop", "晨星", "--amount", "128", "--fraud", "--paid", "2026-11-01")
    assert told(case, "--no-fraud")["purchase"]["amount_fen"] == 12_800
    now = told(case, "--shop", "", "--amount", "", "--paid", "")
    assert not now["asserts_fraud"]
    assert "amount_fen" not in now["purchase"]
    assert "paid_at_ms" not in now["purchase"]
    assert [one["kind"] for one in now["respondents"]] == ["platform"]
    acts = [one.facts["fields"] for one in case.acts() if one.act == "case.told"]
    assert acts[-1] == "shop,amount,paid"


@pytest.mark.parametrize("sum_of", ["12.345", "1,5", "12,34.00", "-1", "many", "1e400", "nan", "99999999999999"])
def test_what_is_no_sum_is_refused_and_changes_nothing(case: CaseFolder, sum_of: str) -> None:
    before = case.read()
    done = typed(case, "--title", "x", f"--amount={sum_of}")
    assert done.exit_code == 1
    assert "no sum in yuan" in done.stderr
    assert case.read() == before
    assert typed(case).exit_code == 2
    assert typed(case, "--paid", "soon").exit_code == 1


@given(st.integers(0, 10**12))
def test_sums_are_read_back(fen: int) -> None:
    assert fen_of(f"¥{fen // 100:,}.{fen % 100:02d}") == fen_of(f"{fen / 100:.2f}元") == fen


@given(st.text(max_size=12))
def test_any_text_is_a_sum_or_refused(text: str) -> None:
    try:
        assert fen_of(text) >= 0
    except CaseIsRefused:
        assert not text.isascii() or not text.isdigit()
