"""How codes that a ruling took off sale come back, or do not: facts of the batch's own stream, told by `batches`.

A held code comes back by itself once its issuer signed, of a moment after the ruling, that it is unused; or with all
the others, when a person at the platform lets the batch back. What the shop took out or was shown in clear never does.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from .basics import HOUR_MS, Event, NotFound, Refusal, require, require_text

REVIEW_WITHIN_MS: Final = 72 * HOUR_MS  # what a shop that asks is promised; silence leaves everything as it is
REFUSALS_MAX: Final = 3  # of one ruling; an unanswered review counts for nothing
SHA256_CHARS: Final = 64


class BatchQuarantined(Event, frozen=True):
    """A ruling about order `order_id` (row `row`) casts doubt on the whole batch: what is unsold leaves the shelf."""

    kind = "batch.quarantined"
    order_id: str
    row: str


class CodesHeld(Event, frozen=True):
    """Free codes at these places of the batch left the shelf and wait: a ruling, or their issuer, spoke against them.

    `places` are ranges from 0, as in `batch.codes_withdrawn`.
    """

    kind = "batch.codes_held"
    listing_id: str
    count: int
    places: str


class CodesLetBack(Event, frozen=True):
    """Held codes at these places are on sale again.

    `by`: `issuer` (each is attested unused after the ruling) or `review` (number `request_no`). `number`: of such
    facts since the ruling, from 1. `held`: how many of the batch still wait.
    """

    kind = "batch.codes_let_back"
    listing_id: str
    count: int
    places: str
    by: str
    request_no: int
    number: int
    held: int


class HeldCodesWithdrawn(Event, frozen=True):
    """The shop took held codes at these places out for good; they are its own to export."""

    kind = "batch.held_withdrawn"
    listing_id: str
    count: int
    places: str


class CodesExported(Event, frozen=True):
    """The shop was shown codes at these places in clear while they were on sale: if held, they never come back."""

    kind = "batch.codes_exported"
    count: int
    places: str


class BatchReviewAsked(Event, frozen=True):
    """The shop asks a person to let the `held` codes back. `invoice_sha256`: of what it says they were bought with."""

    kind = "batch.review_asked"
    sealed = frozenset({"grounds"})
    request_no: int
    held: int
    review_by_ms: int
    invoice_sha256: str
    grounds: str


class BatchReviewAnswered(Event, frozen=True):
    """A person decided; the reason is for the shop, that and how it was decided for everybody."""

    kind = "batch.review_answered"
    sealed = frozenset({"reason"})
    request_no: int
    granted: bool
    reason: str


class BatchReviewLapsed(Event, frozen=True):
    """Nobody answered in time: the codes stay off sale, and the shop may ask again."""

    kind = "batch.review_lapsed"
    request_no: int


class NothingIsHeld(Refusal):
    """No code of the batch waits that could come back."""


class ShopLetsNothingBack(Refusal):
    """Codes come back only to a shop that takes orders. Details: why (`standing` or `frozen`)."""


class BatchReviewIsUnderWay(Refusal):
    """A person was asked already. Details: review_by_ms."""


class BatchReviewsAreSpent(Refusal):
    """A person said no about the same ruling often enough. Details: most."""


class BatchReviewIsOver(Refusal):
    """The request was answered, lapsed, withdrawn with its codes, or overtaken by another ruling."""


class SaidOfCode(Struct, frozen=True, kw_only=True):
    """One attestation of the code at `place`, in the order in which they were recorded."""

    place: int
    says: str
    how: str
    in_scope: bool
    issuer_id: str
    happened_at_ms: int
    counts: bool = True  # the issuer is active now


class Said(Struct, frozen=True, kw_only=True):
    """All attestations of some codes of a batch, and the places of those that are for sale."""

    words: tuple[SaidOfCode, ...] = ()
    free: tuple[int, ...] = ()


class LettingBackBriefing(Struct, frozen=True, kw_only=True):
    """Whether the shop sells now, what issuers said of held and free codes, and which are free; all are locked."""

    why_not: str
    said: tuple[SaidOfCode, ...] = ()
    free: tuple[int, ...] = ()


class Request(Struct, frozen=True, kw_only=True):
    """A review that is asked for."""

    request_no: int
    asked_at_ms: int
    review_by_ms: int


class Quarantine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What waits and what came back, as ranges of places. `back`, `let_back` and `refused`: since the last ruling."""

    held: str = ""
    back: str = ""
    exported: str = ""
    earlier: tuple[str, ...] = ()  # orders whose rulings came before the last one
    let_back: int = 0  # facts
    requests: int = 0
    refused: int = 0
    request: Request | None = None

    @property
    def held_count(self) -> int:
        """How many codes wait."""
        return count_of(self.held)

    @property
    def back_count(self) -> int:
        """How many came back since the last ruling, sold ones too."""
        return count_of(self.back)

    @property
    def may_come_back(self) -> frozenset[int]:
        """Places of held codes that the shop never saw in clear here."""
        return frozenset(places_in(self.held)) - frozenset(places_in(self.exported))


QuarantineEvent = (
    BatchQuarantined | CodesHeld | CodesLetBack | HeldCodesWithdrawn | CodesExported | BatchReviewAsked
    | BatchReviewAnswered | BatchReviewLapsed
)  # fmt: skip


def ranges_of(places: Sequence[int]) -> str:
    """Rising places as ranges: `0-4,7`."""
    ranges: list[list[int]] = []
    for place in places:
        if ranges and ranges[-1][1] == place - 1:
            ranges[-1][1] = place
        else:
            ranges.append([place, place])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def places_in(ranges: str) -> Iterator[int]:
    """The places that `ranges_of` wrote."""
    for part in ranges.split(",") if ranges else ():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def count_of(ranges: str) -> int:
    """How many places these are."""
    return sum(1 for _ in places_in(ranges))


def said_from(rows: Iterable[tuple[int, bool, str, Mapping[str, Any]]]) -> Said:
    """From (place, is for sale, kind, public fields) of each attestation in order; a code without one has kind ""."""
    words, free = [], set()
    for place, is_free, kind, public in rows:
        if is_free:
            free.add(place)
        if kind:
            words.append(
                SaidOfCode(
                    place=place,
                    says=kind.removeprefix("attest."),
                    how=public["how"],
                    in_scope=public["in_scope"],
                    issuer_id=public["issuer_id"],
                    happened_at_ms=public.get("happened_at_ms", 0),
                )
            )
    return Said(words=tuple(words), free=tuple(sorted(free)))


def vouched_for(said: Sequence[SaidOfCode], since_ms: int) -> frozenset[int]:
    """Places of codes that an active issuer of the product called unused, signed, at a moment after `since_ms`."""
    unused = {
        one.place
        for one in said
        if one.says == "unused" and one.how == "signed" and one.in_scope and one.counts
        and one.happened_at_ms > since_ms
    }  # fmt: skip
    return frozenset(unused) - spoken_against(said)


def spoken_against(said: Sequence[SaidOfCode]) -> frozenset[int]:
    """Places of codes that an issuer of the product ever called activated or revoked, in whatever way he was asked."""
    return frozenset(one.place for one in said if one.says in {"activated", "revoked"} and one.in_scope)


def held(listing_id: str, places: Collection[int]) -> list[Event]:
    """These codes wait; none, no fact."""
    rising = sorted(places)
    return [CodesHeld(listing_id=listing_id, count=len(rising), places=ranges_of(rising))] if rising else []


def looked_at(standing: Quarantine, listing_id: str, since_ms: int, brief: LettingBackBriefing) -> list[Event]:
    """What issuers' words change: who vouched comes back; what came back and was then contradicted waits again."""
    again = spoken_against(brief.said) & frozenset(places_in(standing.back)) & frozenset(brief.free)
    coming = frozenset() if brief.why_not else standing.may_come_back & vouched_for(brief.said, since_ms)
    left = standing.held_count + len(again) - len(coming)
    return [*held(listing_id, again), *_let_back(standing, listing_id, coming, "issuer", 0, left)]


def review_asked(
    standing: Quarantine, grounds: str, invoice_sha256: str, brief: LettingBackBriefing, at_ms: int
) -> list[Event]:
    """One at a time. Raises `NothingIsHeld`, `ShopLetsNothingBack`, `BatchReviewIsUnderWay`, `BatchReviewsAreSpent`."""
    if standing.request is not None:
        raise BatchReviewIsUnderWay(review_by_ms=standing.request.review_by_ms)
    coming = standing.may_come_back - spoken_against(brief.said)
    if not coming:
        raise NothingIsHeld
    _require_selling(brief)
    if standing.refused >= REFUSALS_MAX:
        raise BatchReviewsAreSpent(most=REFUSALS_MAX)
    require_text(grounds, "grounds", 2_000, 20)
    is_hash = len(invoice_sha256) == SHA256_CHARS and set(invoice_sha256) <= set("0123456789abcdef")
    require(is_hash or not invoice_sha256, "invoice_sha256", "not_a_hash")
    return [
        BatchReviewAsked(
            request_no=standing.requests + 1,
            held=len(coming),
            review_by_ms=at_ms + REVIEW_WITHIN_MS,
            invoice_sha256=invoice_sha256,
            grounds=grounds,
        )
    ]


def review_answered(
    standing: Quarantine, listing_id: str, answer: BatchReviewAnswered, brief: LettingBackBriefing, at_ms: int
) -> list[Event]:
    """A person decided on the request that he saw, in time. Raises `BatchReviewIsOver`, `ShopLetsNothingBack`,
    `NothingIsHeld`, `FieldIsInvalid`.
    """
    request = standing.request
    if request is None or request.request_no != answer.request_no or at_ms >= request.review_by_ms:
        raise BatchReviewIsOver
    require_text(answer.reason, "reason", 2_000, 20)
    if not answer.granted:
        return [answer]
    _require_selling(brief)
    coming = standing.may_come_back - spoken_against(brief.said)
    if not coming:
        raise NothingIsHeld
    left = standing.held_count - len(coming)
    return [answer, *_let_back(standing, listing_id, coming, "review", answer.request_no, left)]


def review_lapsed(standing: Quarantine, at_ms: int) -> list[Event]:
    """Its time is over, whoever looks. Raises `BatchReviewIsOver`; `NotFound` before the time."""
    if standing.request is None:
        raise BatchReviewIsOver
    if at_ms < standing.request.review_by_ms:
        raise NotFound(what="deadline")
    return [BatchReviewLapsed(request_no=standing.request.request_no)]


def held_withdrawn(standing: Quarantine, listing_id: str) -> list[Event]:
    """All that waits leaves for good; nothing, no fact."""
    if not standing.held:
        return []
    return [HeldCodesWithdrawn(listing_id=listing_id, count=standing.held_count, places=standing.held)]


def exported(standing: Quarantine, unsold: Sequence[int]) -> list[Event]:
    """What the shop is about to be shown; what it was shown before is no new fact."""
    new = sorted(frozenset(unsold) - frozenset(places_in(standing.exported)))
    return [CodesExported(count=len(new), places=ranges_of(new))] if new else []


def _require_selling(brief: LettingBackBriefing) -> None:
    if brief.why_not:
        raise ShopLetsNothingBack(why=brief.why_not)


def _let_back(
    standing: Quarantine, listing_id: str, coming: Collection[int], by: str, request_no: int, left: int
) -> list[Event]:
    if not coming:
        return []
    return [
        CodesLetBack(
            listing_id=listing_id,
            count=len(coming),
            places=ranges_of(sorted(coming)),
            by=by,
            request_no=request_no,
            number=standing.let_back + 1,
            held=left,
        )
    ]


def after(standing: Quarantine, event: QuarantineEvent, at_ms: int, *, before: str) -> Quarantine:
    """What waits after `event`; `before`: the order of the ruling before, of a `BatchQuarantined`."""
    match event:
        case BatchQuarantined():
            earlier = (*standing.earlier, before) if before else standing.earlier
            return replace(standing, back="", let_back=0, refused=0, request=None, earlier=earlier)
        case CodesHeld():
            return replace(standing, held=_with(standing.held, event.places), back=_less(standing.back, event.places))
        case CodesLetBack():
            return replace(
                standing,
                held=_less(standing.held, event.places),
                back=_with(standing.back, event.places),
                let_back=event.number,
                request=None if not event.held else standing.request,
            )
        case HeldCodesWithdrawn():
            return replace(standing, held=_less(standing.held, event.places), request=None)
        case CodesExported():
            return replace(standing, exported=_with(standing.exported, event.places))
        case BatchReviewAsked():
            request = Request(request_no=event.request_no, asked_at_ms=at_ms, review_by_ms=event.review_by_ms)
            return replace(standing, request=request, requests=event.request_no)
        case BatchReviewAnswered():
            return replace(standing, request=None, refused=standing.refused + (not event.granted))
        case BatchReviewLapsed():
            return replace(standing, request=None)


def _with(ranges: str, more: str) -> str:
    return ranges_of(sorted({*places_in(ranges), *places_in(more)}))


def _less(ranges: str, fewer: str) -> str:
    return ranges_of(sorted({*places_in(ranges)} - {*places_in(fewer)}))
