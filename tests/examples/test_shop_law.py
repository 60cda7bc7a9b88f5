"""Measures, half-yearly checks and changed payout accounts: each rule at its boundary."""

from msgspec.structs import replace

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import shops
from fairkey.business.basics import DAY_MS, FieldIsInvalid, NotFound
from fairkey.business.order_refusals import ShopHasNotVanished
from fairkey.business.shops import (
    CLAUSE_OF,
    NEW_ACCOUNT_WAITS_MS,
    REMIND_BEFORE_MS,
    AnnotateSanction,
    AppealSanction,
    AskReturn,
    AttendShop,
    ChangeShop,
    CheckCameNear,
    CheckLapsed,
    CloseShop,
    EndSuspension,
    LapseCheck,
    LetReturn,
    NoteVanished,
    PayoutAccountChanged,
    RemindOfCheck,
    RenewCheck,
    SanctionAnnotated,
    SanctionAppealed,
    SanctionWasAppealed,
    ShopAdmitted,
    ShopApplied,
    ShopAttended,
    ShopChanged,
    ShopChecked,
    ShopClosed,
    ShopDeadlineIsNotDue,
    ShopIsInAnotherStanding,
    ShopReinstated,
    ShopSanctioned,
    ShopSuspended,
    Standing,
    SuspendShop,
)
from fairkey.business.vanishing import (
    RETURN_WITHIN_MS,
    ReturnAsked,
    ReturnWasAsked,
    RulingBriefing,
    ShopReturned,
    ShopVanished,
)

ID = {"shop_id": SHOP}
OPEN = (
    ShopApplied(shop_no=101, name="晨星", contact="a@b.c", payout_account="bank 1"),
    ShopAdmitted(basis="operator", fee_bp=200),
)
UNTIL = NOW + 180 * DAY_MS
CHECKED = (*OPEN, ShopChecked(until_ms=UNTIL))
REMINDED = (*CHECKED, CheckCameNear(until_ms=UNTIL))
LAPSED = (*REMINDED, CheckLapsed(until_ms=UNTIL))
SUSPEND = SuspendShop(**ID, reason="stock was not there", reason_code="codes_not_good", days=7)
SUSPENDED = ShopSuspended(reason="stock was not there")
SANCTIONED = ShopSanctioned(
    number=1, measure="suspension", reason_code="codes_not_good", clause="4", until_ms=NOW + 7 * DAY_MS
)
UNDER = (*CHECKED, SUSPENDED, SANCTIONED)
CHANGE = ChangeShop(**ID, name="晨星", announcement="", payout_account="bank 2")
CHANGED = ShopChanged(name="晨星", announcement="", payout_account="bank 2")
WHY = "We were in hospital and are back at work."
GONE = ShopVanished(order_id=ORDER, ruling_no=1)
ASKED = ReturnAsked(review_by_ms=NOW + RETURN_WITHIN_MS, text=WHY)
LET_IN = ShopReturned(reason=WHY)
HERE = (*OPEN, GONE, LET_IN)
NOTE = NoteVanished(**ID, order_id=ORDER, ruling_no=1)
BACK = AskReturn(**ID, text=WHY)
LET = LetReturn(**ID, reason=WHY)
RULED = RulingBriefing(ruled_at_ms=NOW)
CASES = [
    # Measures (电商法 36; 网络交易监督管理办法 30): what is published stands in the same act as the measure.
    Case(
        rule="a suspension is published with ground, clause and end",
        given=OPEN,
        when=SUSPEND,
        then=[SUSPENDED, SANCTIONED],
    ),
    Case(
        rule="a ban has no end",
        given=OPEN,
        when=replace(SUSPEND, measure="ban", days=0),
        then=[SUSPENDED, replace(SANCTIONED, measure="ban", until_ms=0)],
    ),
    Case(rule="a ban for days is none", given=OPEN, when=replace(SUSPEND, measure="ban"), then=FieldIsInvalid),
    Case(rule="366 days are too long", given=OPEN, when=replace(SUSPEND, days=366), then=FieldIsInvalid),
    Case(rule="negative days", given=OPEN, when=replace(SUSPEND, days=-1), then=FieldIsInvalid),
    Case(
        rule="a ground that the terms lack", given=OPEN, when=replace(SUSPEND, reason_code="mood"), then=FieldIsInvalid
    ),
    Case(rule="a measure that there is not", given=OPEN, when=replace(SUSPEND, measure="fine"), then=FieldIsInvalid),
    Case(
        rule="a suspended shop can be banned, as measure 2",
        given=UNDER,
        when=replace(SUSPEND, measure="ban", days=0),
        then=[SUSPENDED, replace(SANCTIONED, number=2, measure="ban", until_ms=0)],
    ),
    Case(
        rule="a suspension ends to the millisecond",
        given=UNDER,
        when=EndSuspension(**ID),
        at_ms=NOW + 7 * DAY_MS,
        then=[ShopReinstated(reason="the time of the suspension is over")],
    ),
    Case(
        rule="and not one before",
        given=UNDER,
        when=EndSuspension(**ID),
        at_ms=NOW + 7 * DAY_MS - 1,
        then=(ShopDeadlineIsNotDue, {"due_at_ms": NOW + 7 * DAY_MS}),
    ),
    Case(
        rule="one without an end does not end by itself",
        given=(*OPEN, SUSPENDED, replace(SANCTIONED, until_ms=0)),
        when=EndSuspension(**ID),
        at_ms=NOW + 999 * DAY_MS,
        then=ShopDeadlineIsNotDue,
    ),
    Case(
        rule="a note is added",
        given=UNDER,
        when=AnnotateSanction(**ID, number=1, text="counted wrongly"),
        then=[SanctionAnnotated(number=1, text="counted wrongly")],
    ),
    Case(
        rule="to a measure that exists",
        given=UNDER,
        when=AnnotateSanction(**ID, number=2, text="counted"),
        then=NotFound,
    ),
    Case(rule="numbers begin at 1", given=UNDER, when=AnnotateSanction(**ID, number=0, text="counted"), then=NotFound),
    Case(
        rule="an appeal",
        given=UNDER,
        when=AppealSanction(**ID, number=1, text="the codes were good"),
        then=[SanctionAppealed(number=1, text="the codes were good")],
    ),
    Case(
        rule="one appeal each",
        given=(*UNDER, SanctionAppealed(number=1, text="the codes were good")),
        when=AppealSanction(**ID, number=1, text="once more"),
        then=SanctionWasAppealed,
    ),
    Case(rule="somebody is at the desk", given=UNDER, when=AttendShop(**ID), then=[ShopAttended()]),
    Case(
        rule="nobody attends a closed shop",
        given=(*UNDER, ShopClosed()),
        when=AttendShop(**ID),
        then=ShopIsInAnotherStanding,
    ),
    # A vanished shop (FK-AF-1, R18).
    Case(rule="a ruling by R18 says that it has vanished", given=OPEN, when=NOTE, brief=RULED, then=[GONE]),
    Case(rule="a second one says nothing new", given=(*OPEN, GONE), when=NOTE, brief=RULED, then=[]),
    Case(rule="of a closed shop it is noted, too", given=(*OPEN, ShopClosed()), when=NOTE, brief=RULED, then=[GONE]),
    Case(rule="an older ruling does not take back its return", given=HERE, when=NOTE, brief=RULED, then=[]),
    Case(rule="a newer one does", given=HERE, when=NOTE, brief=RulingBriefing(ruled_at_ms=NOW + 1), then=[GONE]),
    Case(rule="it can still be seen", given=(*OPEN, GONE), when=AttendShop(**ID), then=[ShopAttended()]),
    Case(rule="it asks for a person", given=(*OPEN, GONE), when=BACK, then=[ASKED]),
    Case(rule="once", given=(*OPEN, GONE, ASKED), when=BACK, then=ReturnWasAsked),
    Case(rule="who is there need not ask", given=OPEN, when=BACK, then=ShopHasNotVanished),
    Case(rule="it says what happened", given=(*OPEN, GONE), when=replace(BACK, text="x" * 19), then=FieldIsInvalid),
    Case(rule="a person lets it return, asked or not", given=(*OPEN, GONE), when=LET, then=[LET_IN]),
    Case(rule="not for nothing", given=(*OPEN, GONE), when=replace(LET, reason="x" * 19), then=FieldIsInvalid),
    Case(rule="and not one that is there", given=HERE, when=LET, then=ShopHasNotVanished),
    Case(rule="a vanished shop cannot be closed over its orders", given=(*OPEN, GONE), when=CloseShop(**ID),
         then=ShopIsInAnotherStanding),
    # The check (电商法 27; 网络交易监督管理办法 24).
    Case(
        rule="30 days before, a reminder",
        given=CHECKED,
        when=RemindOfCheck(**ID),
        at_ms=UNTIL - REMIND_BEFORE_MS,
        then=[CheckCameNear(until_ms=UNTIL)],
    ),
    Case(
        rule="not a millisecond earlier",
        given=CHECKED,
        when=RemindOfCheck(**ID),
        at_ms=UNTIL - REMIND_BEFORE_MS - 1,
        then=(ShopDeadlineIsNotDue, {"due_at_ms": UNTIL - REMIND_BEFORE_MS}),
    ),
    Case(rule="one reminder", given=REMINDED, when=RemindOfCheck(**ID), at_ms=UNTIL, then=ShopDeadlineIsNotDue),
    Case(rule="overdue", given=REMINDED, when=LapseCheck(**ID), at_ms=UNTIL, then=[CheckLapsed(until_ms=UNTIL)]),
    Case(rule="not overdue", given=REMINDED, when=LapseCheck(**ID), at_ms=UNTIL - 1, then=ShopDeadlineIsNotDue),
    Case(
        rule="overdue is said once", given=LAPSED, when=LapseCheck(**ID), at_ms=UNTIL + 1, then=ShopIsInAnotherStanding
    ),
    Case(
        rule="a check in the meantime moved the deadline",
        given=(*REMINDED, ShopChecked(until_ms=2 * UNTIL)),
        when=LapseCheck(**ID),
        at_ms=UNTIL,
        then=(ShopDeadlineIsNotDue, {"due_at_ms": 2 * UNTIL}),
    ),
    Case(rule="who was never checked is not overdue", given=OPEN, when=LapseCheck(**ID), then=ShopDeadlineIsNotDue),
    Case(rule="a check", given=LAPSED, when=RenewCheck(**ID, until_ms=5), then=[ShopChecked(until_ms=5)]),
    # Another payout account.
    Case(
        rule="another account waits",
        given=OPEN,
        when=CHANGE,
        then=[CHANGED, PayoutAccountChanged(payable_from_ms=NOW + NEW_ACCOUNT_WAITS_MS)],
    ),
    Case(rule="the same account does not", given=OPEN, when=replace(CHANGE, account_is_new=False), then=[CHANGED]),
    Case(
        rule="no account does not",
        given=OPEN,
        when=replace(CHANGE, payout_account=""),
        then=[replace(CHANGED, payout_account="")],
    ),
]


@all_of(CASES)
def test_shop_law(case: Case) -> None:
    hold(shops, case)


def test_a_lapsed_shop_opens_by_itself_when_it_was_checked_and_not_before() -> None:
    assert state_after(shops, LAPSED).standing is Standing.LAPSED
    assert state_after(shops, (*LAPSED, ShopChecked(until_ms=2 * UNTIL))).is_open


def test_a_shop_that_lapses_while_suspended_stays_closed_until_both_are_mended() -> None:
    both = (*UNDER, CheckCameNear(until_ms=UNTIL), CheckLapsed(until_ms=UNTIL))
    assert state_after(shops, both).standing is Standing.SUSPENDED
    assert state_after(shops, (*both, ShopReinstated(reason="x"))).standing is Standing.LAPSED
    assert state_after(shops, (*both, ShopReinstated(reason="x"), ShopChecked(until_ms=2 * UNTIL))).is_open
    assert state_after(shops, (*both, ShopChecked(until_ms=2 * UNTIL))).standing is Standing.SUSPENDED


def test_no_order_is_taken_from_the_moment_on_even_before_the_clock_came_by() -> None:
    shop = state_after(shops, REMINDED)
    assert shop.takes_orders(UNTIL - 1)
    assert not shop.takes_orders(UNTIL)
    assert state_after(shops, OPEN).takes_orders(UNTIL * 2)


def test_measures_stay_when_they_are_lifted_and_notes_are_added_to_theirs_alone() -> None:
    again = (
        *UNDER,
        (ShopReinstated(reason="x"), NOW + 5),
        SUSPENDED,
        replace(SANCTIONED, number=2),
        (SanctionAnnotated(number=1, text="wrong"), NOW + 9),
    )
    first, second = state_after(shops, again).sanctions
    assert (first.lifted_at_ms, second.lifted_at_ms) == (NOW + 5, 0)
    assert [note.text for note in first.notes] == ["wrong"]
    assert not second.notes


def test_a_shop_stands_as_before_when_it_is_let_return() -> None:
    gone = state_after(shops, (*OPEN, GONE))
    assert (gone.standing, gone.is_open, gone.has_vanished) == (shops.Standing.VANISHED, False, True)
    here = state_after(shops, HERE)
    assert (here.standing, here.is_open, here.has_vanished) == (shops.Standing.OPEN, True, False)
    over = state_after(shops, (*OPEN, ShopClosed(), GONE))
    assert (over.standing, over.has_vanished) == (shops.Standing.CLOSED, True)
    assert state_after(shops, (*OPEN, ShopClosed(), GONE, LET_IN)).standing is shops.Standing.CLOSED
    assert state_after(shops, (*UNDER, GONE, LET_IN)).standing is shops.Standing.SUSPENDED
    assert state_after(shops, (*CHECKED, GONE, (shops.CheckLapsed(until_ms=UNTIL), UNTIL), LET_IN)).has_lapsed


def test_deadlines_come_in_their_order() -> None:
    def next_of(*given: object) -> object:
        return shops.next_deadline(state_after(shops, given))

    assert next_of(*OPEN) is None
    assert next_of(*CHECKED) == (UNTIL - REMIND_BEFORE_MS, "remind_of_check")
    assert next_of(*REMINDED) == (UNTIL, "lapse_check")
    assert next_of(*LAPSED) is None
    assert next_of(*UNDER) == (NOW + 7 * DAY_MS, "end_suspension")


def test_every_ground_names_a_clause_of_the_terms() -> None:
    from fairkey.business.shop_terms import PRESENT, PRESENT_HASH, hash_of

    assert set(CLAUSE_OF.values()) <= {clause.number for clause in PRESENT.clauses}
    assert hash_of(PRESENT) == PRESENT_HASH
