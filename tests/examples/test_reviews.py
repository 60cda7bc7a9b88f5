"""Reviews: one after completion, amended once, objected to once; words may be hidden, ratings never."""

from msgspec.structs import replace

from business_cases import ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import reviews
from fairkey.business.basics import FieldIsInvalid, NotFound
from fairkey.business.credit.facts import Fact
from fairkey.business.credit.figures import account_of
from fairkey.business.reviews import (
    AmendReview,
    CompletionBriefing,
    Ground,
    HideReviewText,
    MarkReview,
    NothingToHide,
    ObjectToReview,
    OrderIsNotCompleted,
    Part,
    PostReview,
    ReviewAmended,
    ReviewExists,
    ReviewMarked,
    ReviewObjected,
    ReviewPosted,
    ReviewTextHidden,
    ReviewWasAmended,
    ReviewWasObjectedTo,
)

POST = PostReview(shop_id=SHOP, order_id=ORDER, speed=5, code_worked=True, text="quick")
POSTED = ReviewPosted(speed=5, code_worked=True, text="quick")
AMEND = AmendReview(shop_id=SHOP, order_id=ORDER, speed=2, code_worked=False, text="it died")
AMENDED = ReviewAmended(speed=2, code_worked=False, text="it died")
WHY = "The code was opened by another account."
OBJECT = ObjectToReview(shop_id=SHOP, order_id=ORDER, text=WHY)
OBJECTED = ReviewObjected(text=WHY)
MARK = MarkReview(shop_id=SHOP, order_id=ORDER, text="A complaint about it was rejected.")
MARKED = ReviewMarked(text="A complaint about it was rejected.")
HIDE = HideReviewText(
    shop_id=SHOP, order_id=ORDER, part=Part.REVIEW, ground=Ground.PERSONAL_DATA, reason="It names a telephone number."
)
HIDDEN = ReviewTextHidden(part=Part.REVIEW, ground=Ground.PERSONAL_DATA, reason="It names a telephone number.")
HIDE_OBJECTION = replace(HIDE, part=Part.OBJECTION)
OBJECTION_HIDDEN = replace(HIDDEN, part=Part.OBJECTION)
OVER = CompletionBriefing(stage="completed", is_completed=True)
CASES = [
    Case(rule="after completion", when=POST, brief=OVER, then=[POSTED]),
    Case(
        rule="not before",
        when=POST,
        brief=CompletionBriefing(stage="delivered", is_completed=False),
        then=(OrderIsNotCompleted, {"stage": "delivered"}),
    ),
    Case(
        rule="not of a refunded order",
        when=POST,
        brief=CompletionBriefing(stage="refunded", is_completed=False),
        then=(OrderIsNotCompleted, {"stage": "refunded"}),
    ),
    Case(rule="once", given=(POSTED,), when=replace(POST, speed=1), brief=OVER, then=ReviewExists),
    Case(rule="the slowest", when=replace(POST, speed=1), brief=OVER, then=[replace(POSTED, speed=1)]),
    Case(rule="slower than the slowest", when=replace(POST, speed=0), brief=OVER, then=FieldIsInvalid),
    Case(rule="faster than the fastest", when=replace(POST, speed=6), brief=OVER, then=FieldIsInvalid),
    Case(rule="without words", when=replace(POST, text=""), brief=OVER, then=[replace(POSTED, text="")]),
    Case(
        rule="with a thousand",
        when=replace(POST, text="x" * 1_000),
        brief=OVER,
        then=[replace(POSTED, text="x" * 1_000)],
    ),
    Case(rule="with one more", when=replace(POST, text="x" * 1_001), brief=OVER, then=FieldIsInvalid),
    Case(rule="amended once", given=(POSTED,), when=AMEND, then=[AMENDED]),
    Case(rule="not twice", given=(POSTED, AMENDED), when=AMEND, then=ReviewWasAmended),
    Case(rule="nothing to amend", when=AMEND, then=(NotFound, {"what": "review"})),
    Case(rule="amended out of range", given=(POSTED,), when=replace(AMEND, speed=6), then=FieldIsInvalid),
    Case(rule="after an objection too", given=(POSTED, OBJECTED), when=AMEND, then=[AMENDED]),
    Case(rule="objected once", given=(POSTED,), when=OBJECT, then=[OBJECTED]),
    Case(rule="objected twice", given=(POSTED, OBJECTED), when=OBJECT, then=ReviewWasObjectedTo),
    Case(rule="nothing to object to", when=OBJECT, then=(NotFound, {"what": "review"})),
    Case(rule="no reasons", given=(POSTED,), when=replace(OBJECT, text="   short   "), then=FieldIsInvalid),
    Case(rule="noted", given=(POSTED,), when=MARK, then=[MARKED]),
    Case(rule="noted anew", given=(POSTED, MARKED), when=MARK, then=[MARKED]),
    Case(rule="noted without saying anything", given=(POSTED,), when=replace(MARK, text=""), then=FieldIsInvalid),
    Case(rule="hidden", given=(POSTED,), when=HIDE, then=[HIDDEN]),
    Case(rule="hidden twice", given=(POSTED, HIDDEN), when=HIDE, then=NothingToHide),
    Case(rule="no words to hide", given=(replace(POSTED, text=""),), when=HIDE, then=NothingToHide),
    Case(rule="hidden without a reason", given=(POSTED,), when=replace(HIDE, reason="bad"), then=FieldIsInvalid),
    Case(rule="no objection to hide", given=(POSTED,), when=HIDE_OBJECTION, then=NothingToHide),
    Case(rule="objection hidden", given=(POSTED, OBJECTED), when=HIDE_OBJECTION, then=[OBJECTION_HIDDEN]),
    Case(rule="amended after hiding", given=(POSTED, HIDDEN), when=AMEND, then=[AMENDED]),
    Case(rule="hidden again", given=(POSTED, HIDDEN, AMENDED), when=HIDE, then=[HIDDEN]),
]


@all_of(CASES)
def test_reviews(case: Case) -> None:
    hold(reviews, case)


def test_hidden_words_leave_the_ratings_and_are_counted() -> None:
    review = state_after(reviews, (POSTED, OBJECTED, HIDDEN))
    assert (review.speed, review.code_worked, review.shown_text, review.hidden) == (5, True, "", "personal_data")
    assert (review.shown_objection, review.times_hidden) == (WHY, 1)
    review = state_after(reviews, (POSTED, HIDDEN, AMENDED))
    assert (review.shown_text, review.hidden, review.times_hidden) == ("it died", "", 1)
    assert (review.first_speed, review.first_worked) == (5, True)
    review = state_after(reviews, (POSTED, OBJECTED, HIDDEN, OBJECTION_HIDDEN))
    assert (review.shown_objection, review.times_hidden, review.objected_at_ms > 0) == ("", 2, True)


def test_credit_counts_what_a_review_says_in_the_end() -> None:
    def told(version: int, kind: str, worked: bool) -> Fact:
        return Fact(version, f"order:{ORDER}", version, kind, {"code_worked": worked})

    posted = told(1, "review.posted", worked=True)
    for facts, share in (
        ([posted], 1_000_000),
        ([posted, told(2, "review.amended", worked=False)], 0),
        ([posted, told(2, "review.amended", worked=True)], 1_000_000),
        ([told(1, "review.posted", worked=False), told(2, "review.amended", worked=True)], 1_000_000),
    ):
        figures = account_of(facts, 9).figures
        assert (figures.reviews, figures.worked_ppm) == (1, share)
