"""How programs see a batch that a ruling took off sale."""

from typing import Annotated, Literal

from msgspec import Meta

from fairkey.read_tables.quarantine_book import Review, Standing

from .shapes import Hash, Id, In, Moment, Out, moment, moment_or_none


class WithdrawHeld(In, frozen=True, kw_only=True):
    """What is taken out."""

    held_only: Annotated[bool, Meta(description="Only codes that wait after a ruling; what is on sale stays.")] = False


class ReviewWanted(In, frozen=True, kw_only=True):
    """Why the codes that wait are good."""

    grounds: Annotated[str, Meta(max_length=2_000, description="For the person who looks; at least 20 characters.")]
    invoice_sha256: Annotated[str, Meta(max_length=64, description="SHA-256 of the invoice, if there is one.")] = ""


class RulingView(Out, frozen=True, kw_only=True):
    """A ruling that took the batch off sale."""

    order_id: Id
    row: str
    at: Moment


class ReviewView(Out, frozen=True, kw_only=True):
    """A review that was asked for. `over`: another ruling overtook it, or its codes left."""

    number: int
    state: Literal["asked", "granted", "refused", "lapsed", "over"]
    asked_at: Moment
    review_by: Moment
    answered_at: Moment | None
    codes: int
    grounds: str
    invoice_sha256: Hash | None
    reason: str


class OffSaleView(Out, frozen=True, kw_only=True):
    """What waits, what came back, and what the issuer says of it. Numbers are codes; `back` since the last ruling."""

    since: Moment
    rulings: tuple[RulingView, ...]
    held: int
    vouched: Annotated[int, Meta(description="Of the held: its issuer signed after the ruling that it is unused.")]
    spoken_against: Annotated[int, Meta(description="Of the held: called used or revoked; these never come back.")]
    exported: Annotated[int, Meta(description="Of the held: shown in clear to you; these never come back.")]
    back_by_issuer: int
    back_by_review: int
    reviews: tuple[ReviewView, ...]


class BatchReviewDone(Out, frozen=True, kw_only=True):
    """The kinds of facts that the command made."""

    kinds: tuple[str, ...]


def off_sale_view(standing: Standing) -> OffSaleView:
    """How it stands."""
    return OffSaleView(
        since=moment(standing.batch.quarantined_at_ms),
        rulings=tuple(RulingView(order_id=one.order_id, row=one.row, at=moment(one.at_ms)) for one in standing.rulings),
        held=standing.held,
        vouched=standing.vouched,
        spoken_against=standing.against,
        exported=standing.exported,
        back_by_issuer=standing.came_by_issuer,
        back_by_review=standing.came_by_review,
        reviews=tuple(_review(one) for one in standing.reviews),
    )


def _review(review: Review) -> ReviewView:
    return ReviewView(
        number=review.request_no,
        state=review.state,
        asked_at=moment(review.asked_at_ms),
        review_by=moment(review.review_by_ms),
        answered_at=moment_or_none(review.answered_at_ms),
        codes=review.held,
        grounds=review.grounds,
        invoice_sha256=review.invoice_sha256 or None,
        reason=review.reason,
    )
