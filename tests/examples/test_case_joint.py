"""Victims of one shop together, with no server: one letter, each person's own pack, refused where it does not fit."""

import shutil
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner
from msgspec import structs

from case_world import BEGAN_MS, a_case, given, picture
from fairkey.casework.folder import CaseFolder
from fairkey.casework.joint.claims import JointIsRefused, cautions, claim_of, require_joint
from fairkey.casework.joint.letter import joint_letter
from fairkey.casework.joint.making import make_joint_pack
from fairkey.casework.joint.shops import shop_identity
from fairkey.casework.model import Case, Party, Problem, Purchase, Purpose
from fairkey.casework.pack.checking import check_pack
from fairkey.casework.pack.making import PackIsRefused
from fairkey.casework.stamping import close_list
from fairkey.cli import root

ON = date(2026, 11, 23)


def bought(number: int, **told: object) -> Case:
    """The case of victim `number`."""
    case = Case(
        case_id=f"0b6a7c1e-1111-4222-8333-94444555{number:04}",
        created_at_ms=BEGAN_MS,
        problem=Problem.ALREADY_USED if number % 2 else Problem.NOT_DELIVERED,
        buyer=Party(
            kind="person", name=f"张{'甲乙丙丁戊'[number]}", phone=f"1380000{number:04}", address=f"某路{number}号"
        ),
        purchase=Purchase(
            platform="淘宝" if number % 2 else "Taobao",
            shop="极速 卡铺" if number % 2 else "极速卡铺",
            order_number=f"20261120000{number:04}",
            product="激活码",
            amount_fen=10_000 + number,
            paid_at_ms=BEGAN_MS + number * 86_400_000,
        ),
    )
    return structs.replace(case, **told)


def sealed(place: Path, case: Case) -> CaseFolder:
    told = {name: getattr(case, name) for name in ("case_id", "problem", "buyer", "purchase", "purpose")}
    folder = a_case(place, **told)
    given(folder, "shot.png", picture(300 + int(case.case_id[-4:])))
    close_list(folder, at_ms=BEGAN_MS + 3000)
    return folder


@pytest.fixture(name="three", scope="module")
def _three(tmp_path_factory: pytest.TempPathFactory) -> list[CaseFolder]:
    place = tmp_path_factory.mktemp("cases")
    return [sealed(place / str(number), bought(number)) for number in range(3)]


def told(path: Path) -> set[str]:
    return {one.state for one in check_pack(path)}


def test_three_victims_make_one_pack_that_verifies(three: list[CaseFolder], tmp_path: Path) -> None:
    places = [str(one.path) for one in three]
    out = tmp_path / "joint"
    words = ["case", "joint", *places, "-o", str(out), "--representative", "1", "--representative", "3"]
    done = CliRunner().invoke(root, words)
    assert done.exit_code == 0, done.output
    for target in (out, tmp_path / "joint.zip"):
        assert CliRunner().invoke(root, ["verify", str(target)]).exit_code == 0
    letter = pypdfium2.PdfDocument((out / "letter.pdf").read_bytes())
    text = "".join(page.get_textpage().get_text_range() for page in letter)
    text = text.replace("\r\n", "").replace(" ", "").replace("\u3000", "")
    for wanted in (
        "张乙年月日",
        "合计300.03元300.03元",
        "13800000002",
        "张丙（投诉人3）为代表人",
        "投诉人3的事实和请求",
    ):
        assert wanted in text, wanted


def test_the_same_cases_give_the_same_bytes_and_each_members_own_pack(three: list[CaseFolder], tmp_path: Path) -> None:
    made = make_joint_pack(three, tmp_path / "joint")
    first = made.zip.read_bytes()
    assert make_joint_pack(three, tmp_path / "joint").zip.read_bytes() == first
    assert "bad" not in told(made.folder / "members" / "02")


@pytest.mark.parametrize("name", ["letter.pdf", "members/02/letter.pdf", "members/03/manifest.json"])
def test_any_changed_file_is_seen(three: list[CaseFolder], tmp_path: Path, name: str) -> None:
    made = make_joint_pack(three, tmp_path / "joint")
    assert "bad" not in told(made.folder)
    with (made.folder / name).open("ab") as file:
        file.write(b" ")
    assert "bad" in told(made.folder)


def test_a_member_taken_out_or_put_in_place_of_another_is_seen(three: list[CaseFolder], tmp_path: Path) -> None:
    made = make_joint_pack(three, tmp_path / "joint")
    shutil.rmtree(made.folder / "members" / "01")
    assert "bad" in told(made.folder)
    shutil.copytree(made.folder / "members" / "02", made.folder / "members" / "01")
    assert "bad" in told(made.folder)


def test_what_makes_no_joint_case_is_refused(three: list[CaseFolder], tmp_path: Path) -> None:
    with pytest.raises(JointIsRefused, match="2 to 200 persons"):
        make_joint_pack(three[:1], tmp_path / "a")
    with pytest.raises(JointIsRefused, match="named twice"):
        make_joint_pack([three[0], three[0]], tmp_path / "a")
    other = bought(3, purchase=structs.replace(bought(3).purchase, shop="另一家"))
    with pytest.raises(JointIsRefused, match="not that of the first"):
        make_joint_pack([three[0], sealed(tmp_path / "3", other)], tmp_path / "a")
    resale = sealed(tmp_path / "4", bought(4, purpose=Purpose.RESALE))
    with pytest.raises(JointIsRefused, match="Case 2: What was bought to sell again"):
        make_joint_pack([three[0], resale], tmp_path / "a")
    unsealed = a_case(tmp_path / "5", case_id="x", purchase=bought(1).purchase)
    with pytest.raises(JointIsRefused, match="not sealed yet"):
        make_joint_pack([three[0], unsealed], tmp_path / "a")
    same_order = bought(3, purchase=bought(0).purchase)
    with pytest.raises(JointIsRefused, match="claimed once"):
        require_joint([bought(0), same_order])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("x")
    with pytest.raises(PackIsRefused):
        make_joint_pack(three, tmp_path / "mine")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("chosen", [(1,), (1, 2, 3), (1, 9)])
def test_representatives_are_two_of_them(chosen: tuple[int, ...]) -> None:
    claims = [claim_of(bought(number), ON) for number in range(3)]
    with pytest.raises(JointIsRefused, match="representatives are 2"):
        joint_letter(claims, ON, chosen)
    assert "第十二条" in joint_letter(claims, ON, (1, 2)).text
    assert "＿＿＿＿、＿＿＿＿为代表人" in joint_letter(claims, ON).text


def test_one_phone_of_two_persons_is_pointed_out() -> None:
    twin = bought(1, buyer=structs.replace(bought(1).buyer, phone=bought(0).buyer.phone))
    claims = [claim_of(bought(0), ON), claim_of(twin, ON)]
    assert any("同一电话" in one.zh for one in cautions(claims))


def test_a_shop_is_one_however_it_is_written() -> None:
    assert shop_identity("淘 宝", "极速卡铺！") == shop_identity("taobao.com", "极速 卡铺")
    assert shop_identity("淘宝", "极速卡铺") != shop_identity("天猫", "极速卡铺")
    assert shop_identity("淘宝", "a").text != shop_identity("淘宝a", "").text
    assert not shop_identity("淘宝", " ").is_known
