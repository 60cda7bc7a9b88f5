"""A claim about an order that was settled before its shop vanished: escrow holds nothing of it any more (FK-AF-1, R18).

Nobody answers for the shop, so nobody's word counts but the issuer's: what the standard decides by it at once is a
claim, everything else is none. It is paid out of what is left of the deposit (`liquidations`), then out of the
guarantee pool.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .basics import DAY_MS, Command, Event, Refusal, require
from .standard.deciding import evaluate
from .verdicts import CodeCase, document_of, judge, standard_of

SETTLED_WITHIN_MS: Final = 90 * DAY_MS  # before the shop vanished: so long codes are answered for
BY_ISSUERS: Final = frozenset({"R03a", "R11"})  # cases that his word decides alone


class ClaimAccepted(Event, frozen=True):
    """By the issuer's word and this version of the standard the buyer has a claim of `claim_fen`."""

    kind = "claim.accepted"
    sealed = frozenset({"verdict"})
    standard: str
    version: str
    sha256: str
    row: str
    case: str
    claim_fen: int
    verdict: str


class ClaimAnnounced(Event, frozen=True):
    """The shop has vanished; the buyer is told that he may claim until `claim_by_ms`."""

    kind = "claim.announced"
    claim_by_ms: int


ClaimEvent = ClaimAccepted | ClaimAnnounced


class FileClaim(Command, frozen=True):
    """Buyer: what his issuer says of the codes, as the house knows it, under the version with these bytes."""

    order_id: str
    sha256: str
    codes: tuple[CodeCase, ...]


class AnnounceClaim(Command, frozen=True):
    """Clock: tell the buyer, once each time his shop vanishes, that he may claim until `claim_by_ms`."""

    order_id: str
    claim_by_ms: int


ClaimCommand = FileClaim | AnnounceClaim


class OrderCannotBeClaimed(Refusal):
    """Only what was completed within 90 days before its shop vanished, once. Details: why."""


class IssuerHasNotSpoken(Refusal):
    """What is known of the codes is no claim. It can be filed again while there is time. Details: case."""


class ClaimBriefing(Struct, frozen=True, kw_only=True):
    """What the order and its shop say. `vanished_at_ms` 0: the shop is there."""

    is_completed: bool
    ended_at_ms: int
    amount_fen: int
    went_back_fen: int
    vanished_at_ms: int


class Claim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claim of one order; 0 fen: none."""

    claim_fen: int = 0
    row: str = ""
    case: str = ""
    at_ms: int = 0
    announced_at_ms: int = 0


INITIAL = Claim()


def decide(command: ClaimCommand, claim: Claim, brief: ClaimBriefing, at_ms: int) -> list[Event]:
    """What follows from `command` for this order's claim, or a `Refusal`."""
    why = why_not(claim, brief)
    if why:
        raise OrderCannotBeClaimed(why=why)
    if isinstance(command, AnnounceClaim):
        is_told = claim.announced_at_ms >= brief.vanished_at_ms
        return [] if is_told or at_ms >= command.claim_by_ms else [ClaimAnnounced(claim_by_ms=command.claim_by_ms)]
    return _filed(command, brief, at_ms)


def _filed(command: FileClaim, brief: ClaimBriefing, at_ms: int) -> list[Event]:
    require(bool(command.codes), "codes", "empty")
    standard = standard_of(command.sha256)
    if standard is None:
        raise IssuerHasNotSpoken(case="")
    found = [(one, evaluate(standard, one.statements).case) for one in command.codes]
    codes = tuple(one for one, case in found if case in BY_ISSUERS)
    if not codes:
        raise IssuerHasNotSpoken(case=found[0][1])
    verdict = judge(standard, codes, brief.amount_fen, at_ms)
    if not verdict.refund_fen:  # revoked so late that nothing is left
        raise IssuerHasNotSpoken(case=verdict.case)
    return [
        ClaimAccepted(
            standard=verdict.standard,
            version=verdict.version,
            sha256=verdict.sha256,
            row=verdict.row,
            case=verdict.case,
            claim_fen=verdict.refund_fen,
            verdict=document_of(codes, brief.amount_fen, at_ms, verdict),
        )
    ]


def why_not(claim: Claim, brief: ClaimBriefing) -> str:
    """Why there is nothing to claim: shop_is_there, not_completed, too_old, claimed, paid_back; empty: there may be."""
    if not brief.vanished_at_ms:
        return "shop_is_there"
    if not brief.is_completed:
        return "not_completed"
    if brief.ended_at_ms < brief.vanished_at_ms - SETTLED_WITHIN_MS:
        return "too_old"
    if claim.claim_fen:
        return "claimed"
    return "paid_back" if brief.went_back_fen else ""


def evolve(claim: Claim, event: ClaimEvent, at_ms: int) -> Claim:
    """The claim after `event`."""
    if isinstance(event, ClaimAnnounced):
        return replace(claim, announced_at_ms=at_ms)
    return replace(claim, claim_fen=event.claim_fen, row=event.row, case=event.case, at_ms=at_ms)
