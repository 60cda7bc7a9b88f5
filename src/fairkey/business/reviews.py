"""What a buyer says after a completed order: how fast, did the code work. Never edited, never deleted (电商法 39)."""

from msgspec import Struct

from .basics import Command, Event, Refusal, require, require_text

SPEED_WORST, SPEED_BEST = 1, 5


class ReviewPosted(Event, frozen=True):
    """One review an order."""

    kind = "review.posted"
    sealed = frozenset({"text"})
    speed: int
    code_worked: bool
    text: str


ReviewEvent = ReviewPosted


class PostReview(Command, frozen=True):
    """`speed` 1..5; whether the code worked; a free remark."""

    order_id: str
    speed: int
    code_worked: bool
    text: str = ""


ReviewCommand = PostReview


class OrderIsNotCompleted(Refusal):
    """Only a completed order can be reviewed. Details: stage."""


class ReviewExists(Refusal):
    """One review an order; it stays as it is."""


class CompletionBriefing(Struct, frozen=True, kw_only=True):
    """Whether the order was completed."""

    stage: str
    is_completed: bool


class Review(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The review of one order."""

    speed: int = 0
    code_worked: bool = False
    text: str = ""
    posted_at_ms: int = 0


INITIAL = Review()


def decide(command: ReviewCommand, review: Review, brief: CompletionBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command`, or a `Refusal`."""
    assert brief is not None
    if not brief.is_completed:
        raise OrderIsNotCompleted(stage=brief.stage)
    if review.posted_at_ms:
        raise ReviewExists
    require(SPEED_WORST <= command.speed <= SPEED_BEST, "speed", "out_of_range")
    require_text(command.text, "text", 1_000)
    return [ReviewPosted(speed=command.speed, code_worked=command.code_worked, text=command.text)]


def evolve(review: Review, event: ReviewEvent, at_ms: int) -> Review:
    """The review after `event`."""
    return Review(speed=event.speed, code_worked=event.code_worked, text=event.text, posted_at_ms=at_ms)
