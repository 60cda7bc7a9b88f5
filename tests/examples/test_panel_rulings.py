"""What a panel's ruling costs: the table's words about the case that it names, and nothing where it names none."""

from typing import Final

import pytest
from msgspec.structs import replace

from business_cases import NOW, ORDER
from fairkey.business.panel_verdicts import (
    Before,
    PanelBriefing,
    PanelDocument,
    costs_of,
    may_name,
    read_panel_document,
    statements_from,
    written,
)
from fairkey.business.standard.deciding import bill_of, evaluate
from fairkey.business.standard.library import newest
from standard_cases import BASE, PRICE_FEN, statements

STANDARD: Final = newest().standard
ON_FILE = PanelBriefing(
    sha256=STANDARD.sha256, amount_fen=PRICE_FEN, units_total=2, units_delivered=2, units_sealed=1, in_stock=True,
    deposit_fen=-1,
)  # fmt: skip


def decided(
    named: str, refund_fen: int, *, brief: PanelBriefing = ON_FILE, before: Before | None = None
) -> PanelDocument:
    return PanelDocument(
        format="fairkey-panel-verdict/1", judged_at_ms=NOW, demand_fen=PRICE_FEN, panel_id=ORDER, level=3,
        named=named, refund_fen=refund_fen, votes_sha256="cd" * 32, sha256=STANDARD.sha256,
        statements=statements_from(brief, PRICE_FEN, NOW), before=before,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("named", "case", "deduct_fen", "points"),
    [
        ("R03a", "R03a", 10_000, 69),
        ("R03b", "R03b", 5_000, 69),
        ("R03", "R03b", 5_000, 69),  # of a row the case that costs least
        ("R05", "R05a", 5_000, 46),
        ("R05c", "", 0, 0),  # nobody's fault
        ("R05b", "", 0, 0),  # the shop's own row costs it nothing when the buyer wins
        ("R06", "R06", 20_000, 92),
        ("R07", "R07a", 2_000, 23),
        ("R11", "R11", 5_000, 46),
        ("R13", "", 0, 0),
        ("R14", "R14", 5_000, 46),
        ("R15", "R15", 2_500, 23),
        ("R99", "", 0, 0),
    ],
)
def test_a_panel_for_the_buyer_costs_what_the_table_says_of_its_case(
    named: str, case: str, deduct_fen: int, points: int
) -> None:
    costs = costs_of(STANDARD, decided(named, 700))
    assert (costs.case, costs.deduct_fen, costs.points, costs.refund_fen) == (case, deduct_fen, points, 700)
    assert costs.outcome == "refund"


@pytest.mark.parametrize(("named", "case", "buyer_points"), [("R04", "R04", 23), ("R05b", "R05b", 6), ("R03a", "", 0)])
def test_a_panel_for_the_shop_costs_it_nothing_and_the_buyer_what_the_table_says(
    named: str, case: str, buyer_points: int
) -> None:
    costs = costs_of(STANDARD, decided(named, 0))
    assert (costs.outcome, costs.case, costs.buyer_points) == ("reject", case, buyer_points)
    assert (costs.refund_fen, costs.deduct_fen, costs.points) == (0, 0, 0)


def test_the_reporter_of_a_deal_beside_the_platform_has_his_bounty_and_the_least_is_kept() -> None:
    assert costs_of(STANDARD, decided("R14", 1)).bounty_fen == 1_000
    small = costs_of(STANDARD, decided("R14", 1, brief=replace(ON_FILE, amount_fen=1_000)))
    assert (small.deduct_fen, small.bounty_fen) == (5_000, 1_000)


def test_no_more_is_deducted_than_the_deposit_holds_and_the_cheapest_case_is_found_all_the_same() -> None:
    poor = costs_of(STANDARD, decided("R03", 700, brief=replace(ON_FILE, deposit_fen=10)))
    assert (poor.case, poor.deduct_fen) == ("R03b", 10)
    nothing = costs_of(STANDARD, decided("R18", 700, brief=replace(ON_FILE, deposit_fen=0)))
    assert (nothing.case, nothing.deduct_fen, nothing.freezes_shop) == ("R18", 0, True)


def test_a_repeat_that_the_ruling_before_knew_of_still_counts_for_its_case_alone() -> None:
    before = Before(ruling_no=1, case="R03a", deduct_fen=20_000, points=69, freezes_shop=False)
    assert costs_of(STANDARD, decided("R03a", 700, before=before)).deduct_fen == 20_000
    assert costs_of(STANDARD, decided("R03b", 700, before=before)).deduct_fen == 5_000
    assert costs_of(STANDARD, decided("R04", 0, before=before)).deduct_fen == 0


def test_without_a_standard_the_panel_moves_the_refund_and_nothing_else() -> None:
    costs = costs_of(None, decided("R03a", PRICE_FEN + 1))
    assert (costs.row, costs.refund_fen, costs.deduct_fen, costs.points) == ("R03a", PRICE_FEN, 0, 0)


def test_the_bill_of_the_case_that_decides_is_what_the_finding_says() -> None:
    said = statements({**BASE, "activated_at_ms": BASE["revealed_at_ms"] - 3_600_000, "is_activated": True})
    finding = evaluate(STANDARD, said)
    bill = bill_of(STANDARD, finding.case, said)
    assert finding.case == "R03a"
    assert (bill.row, bill.refund_fen, bill.deduction_fen) == (finding.row, finding.refund_fen, finding.deduction_fen)
    assert (bill.shop_points, bill.buyer_points) == (finding.shop_points, finding.buyer_points)
    with pytest.raises(KeyError):
        bill_of(STANDARD, "R99", said)


def test_a_vote_names_a_case_of_its_own_side_or_one_left_open() -> None:
    assert may_name(STANDARD, "R03a", for_buyer=True)
    assert not may_name(STANDARD, "R03a", for_buyer=False)
    assert may_name(STANDARD, "R04", for_buyer=False)
    assert not may_name(STANDARD, "R04", for_buyer=True)
    assert may_name(STANDARD, "R13", for_buyer=True)
    assert may_name(STANDARD, "R13", for_buyer=False)
    assert not may_name(STANDARD, "R05c", for_buyer=True)
    assert not may_name(STANDARD, "R99", for_buyer=True)


def test_the_document_is_read_as_it_was_written() -> None:
    document = decided("R03a", 700, before=Before(ruling_no=1, case="R04", deduct_fen=0, points=0, freezes_shop=False))
    assert read_panel_document(written(document)) == document
