"""The running meter: what moves it, where it stops a shop, and who lets it trade again."""

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import crediting
from fairkey.business.basics import DAY_MS, FieldIsInvalid
from fairkey.business.credit.meter import Band
from fairkey.business.crediting import (
    CreditChanged,
    DefectBriefing,
    FreezeReviewed,
    NoteClean,
    NoteDefect,
    ReviewFreeze,
    ShopIsNotFrozen,
    defect_points,
)

BUYER = "b" * 64
ID = {"shop_id": SHOP, "order_id": ORDER}
REASON = "the batch was bad, its seller is known and the rest was taken off sale"


def changed(meter: int, change: int = 23, why: str = "defect", buyer: str = BUYER) -> CreditChanged:
    return CreditChanged(
        meter=meter,
        band=crediting.band_of(meter),
        change=change,
        why=why,
        order_id=ORDER,
        row="R07" if why != "clean" else "",
        buyer=buyer if why != "clean" else "",
    )


def brief(points: int = 23, buyer: str = BUYER) -> DefectBriefing:
    return DefectBriefing(buyer=buyer, row="R07", points=points, is_defect=True)


CLEAN = DefectBriefing(buyer=BUYER)
DEFECT = NoteDefect(**ID, ruling_no=1)
REST_MS = 7 * DAY_MS
CASES = [
    Case(rule="a defect adds its points", when=DEFECT, brief=brief(), then=[changed(23)]),
    Case(rule="a ruling without points adds none", when=DEFECT, brief=brief(0), then=[]),
    Case(
        rule="a second defect of the same buyer within seven days is told and adds nothing",
        given=(changed(23),),
        when=DEFECT,
        brief=brief(),
        at_ms=NOW + REST_MS - 1,
        then=[changed(23, 0, "same_buyer")],
    ),
    Case(
        rule="after seven days it counts",
        given=(changed(23),),
        when=DEFECT,
        brief=brief(),
        at_ms=NOW + REST_MS,
        then=[changed(46)],
    ),
    Case(
        rule="another buyer's counts at once",
        given=(changed(23),),
        when=DEFECT,
        brief=brief(buyer="c" * 64),
        then=[changed(46, buyer="c" * 64)],
    ),
    Case(
        rule="what was not counted does not prolong the week",
        given=(changed(23), (changed(23, 0, "same_buyer"), NOW + REST_MS - 1)),
        when=DEFECT,
        brief=brief(),
        at_ms=NOW + REST_MS,
        then=[changed(46)],
    ),
    Case(
        rule="buyers without a name do not stand for each other",
        given=(changed(23, buyer=""),),
        when=DEFECT,
        brief=brief(buyer=""),
        then=[changed(46, buyer="")],
    ),
    Case(
        rule="a clean order takes one point", given=(changed(23),), when=NoteClean(**ID), brief=CLEAN,
        then=[changed(22, -1, "clean")],
    ),
    Case(rule="never below zero, and then nothing is written", when=NoteClean(**ID), brief=CLEAN, then=[]),
    Case(
        rule="an order that was a defect is not clean as well", given=(changed(23),), when=NoteClean(**ID),
        brief=brief(), then=[],
    ),
    Case(
        rule="a frozen shop goes on throttled once a person has looked at it",
        given=(changed(115, 115),),
        when=ReviewFreeze(shop_id=SHOP, reason=REASON),
        then=[FreezeReviewed(meter=46, band=Band.THROTTLED, change=-69, reason=REASON)],
    ),
    Case(
        rule="he gives his reason",
        given=(changed(92, 92),),
        when=ReviewFreeze(shop_id=SHOP, reason="all is well"),
        then=(FieldIsInvalid, {"field": "reason", "why": "too_short"}),
    ),
    Case(
        rule="a throttled shop is not frozen",
        given=(changed(91, 91),),
        when=ReviewFreeze(shop_id=SHOP, reason=REASON),
        then=(ShopIsNotFrozen, {"band": "throttled"}),
    ),
]  # fmt: skip


@all_of(CASES)
def test_crediting(case: Case) -> None:
    hold(crediting, case)


def test_a_row_that_freezes_freezes_and_what_is_not_counted_costs_nothing() -> None:
    assert defect_points(counted=True, points=1, freezes=True) == 92
    assert defect_points(counted=True, points=120, freezes=True) == 120
    assert defect_points(counted=False, points=69, freezes=True) == 0


def test_the_promise_of_a_review_runs_from_the_freeze_and_not_from_the_last_line() -> None:
    frozen = state_after(crediting, (changed(92, 92), (changed(91 + 24), NOW + DAY_MS)))
    assert (frozen.is_frozen, frozen.review_by_ms) == (True, NOW + crediting.REVIEW_WITHIN_MS)
    assert state_after(crediting, (changed(91, 91),)).review_by_ms == 0
