"""What a buyer says after a completed order: how fast, did the code work. Never deleted (电商法 39): the buyer may
amend it once, the shop object once, the platform add a note. Unlawful words are hidden by a mark; ratings count on.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, NotFound, Refusal, require, require_text

SPEED_WORST, SPEED_BEST = 1, 5
TEXT_MAX = 1_000
REASON_MIN = 10


class Part(StrEnum):
    """Whose words are meant."""

    REVIEW = "review"
    OBJECTION = "objection"


class Ground(StrEnum):
    """Why words may be hidden; nothing else is a ground, least of all that they hurt sales."""

    ABUSE = "abuse"
    PERSONAL_DATA = "personal_data"
    CODE_SHOWN = "code_shown"
    UNLAWFUL = "unlawful"


class ReviewPosted(Event, frozen=True):
    """One review an order."""

    kind = "review.posted"
    sealed = frozenset({"text"})
    speed: int
    code_worked: bool
    text: str


class ReviewAmended(Event, frozen=True):
    """The buyer's second and last word; what he said first stays in the log."""

    kind = "review.amended"
    sealed = frozenset({"text"})
    speed: int
    code_worked: bool
    text: str


class ReviewObjected(Event, frozen=True):
    """The shop says why it disagrees; the review and what it counts for stay."""

    kind = "review.objected"
    sealed = frozenset({"text"})
    text: str


class ReviewMarked(Event, frozen=True):
    """The platform's note beside a review; a later one stands in its place."""

    kind = "review.marked"
    sealed = frozenset({"text"})
    text: str


class ReviewTextHidden(Event, frozen=True):
    """The words of one part are no longer shown, on a public ground; ratings go on counting."""

    kind = "review.text_hidden"
    sealed = frozenset({"reason"})
    part: Part
    ground: Ground
    reason: str


ReviewEvent = ReviewPosted | ReviewAmended | ReviewObjected | ReviewMarked | ReviewTextHidden


class PostReview(Command, frozen=True):
    """`speed` 1..5; whether the code worked; a free remark."""

    order_id: str
    speed: int
    code_worked: bool
    text: str = ""


class AmendReview(Command, frozen=True):
    """As `PostReview`, once more."""

    order_id: str
    speed: int
    code_worked: bool
    text: str = ""


class ObjectToReview(Command, frozen=True):
    """The shop's reasons, at least `REASON_MIN` characters."""

    order_id: str
    text: str


class MarkReview(Command, frozen=True):
    """A note of the platform, at least `REASON_MIN` characters."""

    order_id: str
    text: str


class HideReviewText(Command, frozen=True):
    """Hide the words of one part, with the ground and a reason that does not repeat them."""

    order_id: str
    part: Part
    ground: Ground
    reason: str


ReviewCommand = PostReview | AmendReview | ObjectToReview | MarkReview | HideReviewText


class OrderIsNotCompleted(Refusal):
    """Only a completed order can be reviewed. Details: stage."""


class ReviewExists(Refusal):
    """One review an order; it can be amended once."""


class ReviewWasAmended(Refusal):
    """It was amended already, and stays as it is now."""


class ReviewWasObjectedTo(Refusal):
    """The shop has objected already, once."""


class NothingToHide(Refusal):
    """There are no words in this part, or they are hidden already."""


class CompletionBriefing(Struct, frozen=True, kw_only=True):
    """Whether the order was completed."""

    stage: str
    is_completed: bool


class Review(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The review of one order. `first_*`: what stood before the amendment. `hidden`, `objection_hidden`: a `Ground`,
    or empty while the words are shown; `times_hidden` counts also what was hidden before an amendment.
    """

    speed: int = 0
    code_worked: bool = False
    text: str = ""
    posted_at_ms: int = 0
    amended_at_ms: int = 0
    first_speed: int = 0
    first_worked: bool = False
    objection: str = ""
    objected_at_ms: int = 0
    note: str = ""
    noted_at_ms: int = 0
    hidden: str = ""
    hidden_why: str = ""
    objection_hidden: str = ""
    objection_hidden_why: str = ""
    times_hidden: int = 0

    @property
    def shown_text(self) -> str:
        """The buyer's words as the public reads them."""
        return "" if self.hidden else self.text

    @property
    def shown_objection(self) -> str:
        """The shop's words as the public reads them."""
        return "" if self.objection_hidden else self.objection


INITIAL = Review()


def decide(command: ReviewCommand, review: Review, brief: CompletionBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command`, or a `Refusal`."""
    if isinstance(command, PostReview):
        assert brief is not None
        return [_post(command, review, brief)]
    if not review.posted_at_ms:
        raise NotFound(what="review")
    match command:
        case AmendReview():
            if review.amended_at_ms:
                raise ReviewWasAmended
            _check(command)
            return [ReviewAmended(speed=command.speed, code_worked=command.code_worked, text=command.text)]
        case ObjectToReview():
            if review.objected_at_ms:
                raise ReviewWasObjectedTo
            require_text(command.text.strip(), "text", TEXT_MAX, REASON_MIN)
            return [ReviewObjected(text=command.text.strip())]
        case MarkReview():
            require_text(command.text.strip(), "text", TEXT_MAX, REASON_MIN)
            return [ReviewMarked(text=command.text.strip())]
        case HideReviewText():
            if not (review.shown_text if command.part is Part.REVIEW else review.shown_objection):
                raise NothingToHide
            require_text(command.reason.strip(), "reason", TEXT_MAX, REASON_MIN)
            return [ReviewTextHidden(part=command.part, ground=command.ground, reason=command.reason.strip())]
        case _:
            assert_never(command)


def _post(command: PostReview, review: Review, brief: CompletionBriefing) -> ReviewPosted:
    if not brief.is_completed:
        raise OrderIsNotCompleted(stage=brief.stage)
    if review.posted_at_ms:
        raise ReviewExists
    _check(command)
    return ReviewPosted(speed=command.speed, code_worked=command.code_worked, text=command.text)


def _check(command: PostReview | AmendReview) -> None:
    require(SPEED_WORST <= command.speed <= SPEED_BEST, "speed", "out_of_range")
    require_text(command.text, "text", TEXT_MAX)


def evolve(review: Review, event: ReviewEvent, at_ms: int) -> Review:
    """The review after `event`."""
    match event:
        case ReviewPosted():
            return Review(speed=event.speed, code_worked=event.code_worked, text=event.text, posted_at_ms=at_ms)
        case ReviewAmended():
            return replace(
                review,
                speed=event.speed,
                code_worked=event.code_worked,
                text=event.text,
                amended_at_ms=at_ms,
                first_speed=review.speed,
                first_worked=review.code_worked,
                hidden="",  # other words: if they are unlawful too, they are hidden anew
                hidden_why="",
            )
        case ReviewObjected():
            return replace(review, objection=event.text, objected_at_ms=at_ms)
        case ReviewMarked():
            return replace(review, note=event.text, noted_at_ms=at_ms)
        case ReviewTextHidden():
            times = review.times_hidden + 1
            ground = event.ground.value
            if event.part is Part.REVIEW:
                return replace(review, hidden=ground, hidden_why=event.reason, times_hidden=times)
            return replace(review, objection_hidden=ground, objection_hidden_why=event.reason, times_hidden=times)
        case _:
            assert_never(event)
