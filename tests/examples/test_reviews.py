"""Reviews: one after completion, never changed."""

from msgspec.structs import replace

from business_cases import ORDER, SHOP, Case, all_of, hold
from fairkey.business import reviews
from fairkey.business.basics import FieldIsInvalid
from fairkey.business.reviews import CompletionBriefing, OrderIsNotCompleted, PostReview, ReviewExists, ReviewPosted

POST = PostReview(shop_id=SHOP, order_id=ORDER, speed=5, code_worked=True, text="quick")
POSTED = ReviewPosted(speed=5, code_worked=True, text="quick")
OVER = CompletionBriefing(stage="completed", is_completed=True)
CASES = [
    Case(rule="after completion", when=POST, brief=OVER, then=[POSTED]),
    Case(
        rule="not before",
        when=POST,
        brief=CompletionBriefing(stage="delivered", is_completed=False),
        then=(OrderIsNotCompleted, {"stage": "delivered"}),
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
]


@all_of(CASES)
def test_reviews(case: Case) -> None:
    hold(reviews, case)
