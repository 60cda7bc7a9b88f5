"""Codes that a ruling took off sale: which come back, on whose word, and which never do."""

import pytest
from msgspec.structs import replace

from business_cases import BATCH, LISTING, NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import batches
from fairkey.business.basics import Event, FieldIsInvalid, NotFound
from fairkey.business.batches import (
    AnswerBatchReview,
    AskBatchReview,
    BatchRegistered,
    CodesWithdrawn,
    LapseBatchReview,
    LookAtWords,
)
from fairkey.business.quarantines import (
    REVIEW_WITHIN_MS,
    BatchQuarantined,
    BatchReviewAnswered,
    BatchReviewAsked,
    BatchReviewIsOver,
    BatchReviewIsUnderWay,
    BatchReviewLapsed,
    BatchReviewsAreSpent,
    CodesExported,
    CodesHeld,
    CodesLetBack,
    HeldCodesWithdrawn,
    LettingBackBriefing,
    NothingIsHeld,
    SaidOfCode,
    ShopLetsNothingBack,
)

ID = {"shop_id": SHOP, "batch_id": BATCH}
ISSUER = "00000000-0000-7000-8000-000000000071"
REGISTERED = BatchRegistered(
    listing_id=LISTING, count=10, root="cd" * 32, source="invoice", invoice_sha256="", custody="C1", note=""
)
DOUBTED = BatchQuarantined(order_id=ORDER, row="R03")
AGAIN = replace(DOUBTED, order_id=BATCH)
HELD = CodesHeld(listing_id=LISTING, count=4, places="2-5")
GIVEN = (REGISTERED, DOUBTED, HELD)
LOOK = LookAtWords(**ID, code_ids=(ORDER,))
BACK = CodesLetBack(listing_id=LISTING, count=1, places="3", by="issuer", request_no=0, number=1, held=3)
UNUSED = SaidOfCode(place=3, says="unused", how="signed", in_scope=True, issuer_id=ISSUER, happened_at_ms=NOW + 1)
USED = replace(UNUSED, says="activated")
GROUNDS = "Bought from the publisher on 2 May, invoice 1234."
ASK = AskBatchReview(**ID, grounds=GROUNDS, invoice_sha256="ef" * 32)
ASKED = BatchReviewAsked(
    request_no=1, held=4, review_by_ms=NOW + REVIEW_WITHIN_MS, invoice_sha256="ef" * 32, grounds=GROUNDS
)
WHY = "The invoice names all these serials."
YES = AnswerBatchReview(**ID, request_no=1, granted=True, reason=WHY)
NO = replace(YES, granted=False)
GRANTED = BatchReviewAnswered(request_no=1, granted=True, reason=WHY)
REFUSED = replace(GRANTED, granted=False)
ALL_BACK = CodesLetBack(listing_id=LISTING, count=4, places="2-5", by="review", request_no=1, number=1, held=0)
LAPSE = LapseBatchReview(**ID)


def said(*words: SaidOfCode, why_not: str = "", free: tuple[int, ...] = ()) -> LettingBackBriefing:
    return LettingBackBriefing(why_not=why_not, said=words, free=free)


SILENCE = said()
CASES = [
    # The issuer's word.
    Case(rule="what its issuer calls unused comes back", given=GIVEN, when=LOOK, brief=said(UNUSED), then=[BACK]),
    Case(
        rule="exactly those",
        given=GIVEN,
        when=LOOK,
        brief=said(UNUSED, replace(UNUSED, place=5), replace(UNUSED, place=7)),
        then=[replace(BACK, count=2, places="3,5", held=2)],
    ),
    Case(rule="nobody spoke, nothing comes back", given=GIVEN, when=LOOK, brief=SILENCE, then=[]),
    *(
        Case(rule=rule, given=GIVEN, when=LOOK, brief=said(word), then=[])
        for rule, word in {
            "he must sign it": replace(UNUSED, how="pulled"),
            "about his own product": replace(UNUSED, in_scope=False),
            "and be an issuer still": replace(UNUSED, counts=False),
            "of a moment after the ruling": replace(UNUSED, happened_at_ms=NOW),
            "and say that it is unused": USED,
        }.items()
    ),
    *(
        Case(
            rule=f"who {word.how} {word.says} {'first' if words[0] is word else 'last'} is believed",
            given=GIVEN,
            when=LOOK,
            brief=said(*words),
            then=[],
        )
        for word in (USED, replace(USED, says="revoked"), replace(USED, how="pulled"))
        for words in ((word, UNUSED), (UNUSED, word))
    ),
    Case(
        rule="another's issuer takes nothing away",
        given=GIVEN,
        when=LOOK,
        brief=said(replace(USED, in_scope=False), UNUSED),
        then=[BACK],
    ),
    Case(
        rule="a word said before the second ruling is none about it",
        given=(*GIVEN, BACK, (AGAIN, NOW + 1), (replace(HELD, count=1, places="3"), NOW + 1)),
        when=LOOK,
        brief=said(UNUSED),
        then=[],
    ),
    Case(rule="twice is once", given=(*GIVEN, BACK), when=LOOK, brief=said(UNUSED, free=(3,)), then=[]),
    Case(
        rule="what came back and is then called used waits again",
        given=(*GIVEN, BACK),
        when=LOOK,
        brief=said(UNUSED, USED, free=(3,)),
        then=[replace(HELD, count=1, places="3")],
    ),
    Case(
        rule="unless it was sold meanwhile: that is its buyer's complaint",
        given=(*GIVEN, BACK),
        when=LOOK,
        brief=said(UNUSED, USED),
        then=[],
    ),
    Case(
        rule="also where the shop sells nothing now",
        given=(*GIVEN, BACK),
        when=LOOK,
        brief=said(UNUSED, USED, why_not="frozen", free=(3,)),
        then=[replace(HELD, count=1, places="3")],
    ),
    Case(
        rule="a stopped shop has nothing back",
        given=GIVEN,
        when=LOOK,
        brief=said(UNUSED, why_not="standing"),
        then=[],
    ),
    Case(
        rule="what the shop was shown in clear never comes back",
        given=(REGISTERED, CodesExported(count=2, places="3-4"), DOUBTED, HELD),
        when=LOOK,
        brief=said(UNUSED, replace(UNUSED, place=5)),
        then=[replace(BACK, places="5")],
    ),
    Case(
        rule="nor what it took out",
        given=(*GIVEN, HeldCodesWithdrawn(listing_id=LISTING, count=4, places="2-5")),
        when=LOOK,
        brief=said(UNUSED),
        then=[],
    ),
    Case(
        rule="an ordinary code is none of this",
        given=(REGISTERED,),
        when=LOOK,
        brief=said(USED, free=(3,)),
        then=[],
    ),
    Case(rule="a batch that exists", when=LOOK, brief=SILENCE, then=NotFound),
    # The review.
    Case(rule="its shop may ask a person", given=GIVEN, when=ASK, brief=SILENCE, then=[ASKED]),
    Case(
        rule="for what could come back",
        given=(*GIVEN, CodesExported(count=1, places="2")),
        when=ASK,
        brief=said(USED),
        then=[replace(ASKED, held=2)],
    ),
    Case(
        rule="if anything could",
        given=(*GIVEN, CodesExported(count=3, places="2,4-5")),
        when=ASK,
        brief=said(USED),
        then=NothingIsHeld,
    ),
    Case(rule="and a ruling took it off", given=(REGISTERED,), when=ASK, brief=SILENCE, then=NothingIsHeld),
    Case(
        rule="without an invoice",
        given=GIVEN,
        when=replace(ASK, invoice_sha256=""),
        brief=SILENCE,
        then=[replace(ASKED, invoice_sha256="")],
    ),
    *(
        Case(rule=f"in a form that can be read: {number}", given=GIVEN, when=when, brief=SILENCE, then=FieldIsInvalid)
        for number, when in enumerate(
            (
                replace(ASK, grounds="x" * 19),
                replace(ASK, grounds="x" * 2_001),
                replace(ASK, invoice_sha256="ef" * 31),
                replace(ASK, invoice_sha256="EF" * 32),
            )
        )
    ),
    Case(
        rule="not a stopped shop",
        given=GIVEN,
        when=ASK,
        brief=said(why_not="frozen"),
        then=(ShopLetsNothingBack, {"why": "frozen"}),
    ),
    Case(
        rule="one request at a time",
        given=(*GIVEN, ASKED),
        when=ASK,
        brief=SILENCE,
        then=(BatchReviewIsUnderWay, {"review_by_ms": NOW + REVIEW_WITHIN_MS}),
    ),
    Case(
        rule="yes: all that waits comes back", given=(*GIVEN, ASKED), when=YES, brief=SILENCE, then=[GRANTED, ALL_BACK]
    ),
    Case(
        rule="but not what was shown or called used",
        given=(*GIVEN, CodesExported(count=1, places="2"), ASKED),
        when=YES,
        brief=said(USED),
        then=[GRANTED, replace(ALL_BACK, count=2, places="4-5", held=2)],
    ),
    Case(rule="no: it stays", given=(*GIVEN, ASKED), when=NO, brief=SILENCE, then=[REFUSED]),
    Case(
        rule="no, of a stopped shop too", given=(*GIVEN, ASKED), when=NO, brief=said(why_not="frozen"), then=[REFUSED]
    ),
    Case(
        rule="yes, not to a stopped shop",
        given=(*GIVEN, ASKED),
        when=YES,
        brief=said(why_not="standing"),
        then=(ShopLetsNothingBack, {"why": "standing"}),
    ),
    Case(
        rule="yes to nothing",
        given=(*GIVEN, ASKED, CodesExported(count=4, places="2-5")),
        when=YES,
        brief=SILENCE,
        then=NothingIsHeld,
    ),
    Case(
        rule="with a reason",
        given=(*GIVEN, ASKED),
        when=replace(NO, reason="x" * 19),
        brief=SILENCE,
        then=FieldIsInvalid,
    ),
    *(
        Case(rule=f"not {rule}", given=given, when=YES, brief=SILENCE, then=BatchReviewIsOver)
        for rule, given in {
            "unasked": GIVEN,
            "twice": (*GIVEN, ASKED, REFUSED),
            "to another request than was read": (*GIVEN, replace(ASKED, request_no=2)),
            "after a second ruling": (*GIVEN, ASKED, AGAIN),
            "after the shop took them out": (
                *GIVEN,
                ASKED,
                HeldCodesWithdrawn(listing_id=LISTING, count=4, places="2-5"),
            ),
            "after the issuer vouched for the last": (*GIVEN, ASKED, replace(BACK, count=4, places="2-5", held=0)),
        }.items()
    ),
    Case(
        rule="in the last millisecond",
        given=(*GIVEN, ASKED),
        when=NO,
        brief=SILENCE,
        at_ms=NOW + REVIEW_WITHIN_MS - 1,
        then=[REFUSED],
    ),
    Case(
        rule="not when its time is over",
        given=(*GIVEN, ASKED),
        when=NO,
        brief=SILENCE,
        at_ms=NOW + REVIEW_WITHIN_MS,
        then=BatchReviewIsOver,
    ),
    Case(
        rule="then silence has its outcome: nothing comes back",
        given=(*GIVEN, ASKED),
        when=LAPSE,
        at_ms=NOW + REVIEW_WITHIN_MS,
        then=[BatchReviewLapsed(request_no=1)],
    ),
    Case(rule="not before", given=(*GIVEN, ASKED), when=LAPSE, at_ms=NOW + REVIEW_WITHIN_MS - 1, then=NotFound),
    Case(rule="not of what is over", given=GIVEN, when=LAPSE, then=BatchReviewIsOver),
    Case(
        rule="after silence the shop may ask again",
        given=(*GIVEN, ASKED, BatchReviewLapsed(request_no=1)),
        when=ASK,
        brief=SILENCE,
        then=[replace(ASKED, request_no=2)],
    ),
    Case(
        rule="after the third no it may not",
        given=(*GIVEN, ASKED, REFUSED, REFUSED, REFUSED),
        when=ASK,
        brief=SILENCE,
        then=(BatchReviewsAreSpent, {"most": 3}),
    ),
    Case(
        rule="after another ruling it may",
        given=(*GIVEN, ASKED, REFUSED, REFUSED, REFUSED, AGAIN),
        when=ASK,
        brief=SILENCE,
        then=[replace(ASKED, request_no=2)],
    ),
]


@all_of(CASES)
def test_quarantines(case: Case) -> None:
    hold(batches, case)


@pytest.mark.parametrize(
    ("given", "off_sale"),
    [
        ((REGISTERED,), ()),
        (GIVEN, (0, 2, 3)),
        ((*GIVEN, BACK), (0, 2)),
        ((*GIVEN, BACK, AGAIN), (0, 2, 3)),
        ((*GIVEN, BACK, CodesWithdrawn(listing_id=LISTING, count=1, places="3")), (0, 2, 3)),
        ((*GIVEN, BACK, HeldCodesWithdrawn(listing_id=LISTING, count=3, places="2,4-5")), (0, 2)),
    ],
)
def test_what_returns_from_an_order_later_goes_to_the_shelf_only_if_it_was_let_back(
    given: tuple[Event, ...], off_sale: tuple[int, ...]
) -> None:
    batch = state_after(batches, given)
    assert tuple(place for place in (0, 2, 3) if batch.is_off_sale(place)) == off_sale
