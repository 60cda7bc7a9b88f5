"""The codes of one order: reserved, delivered sealed, opened once for ever, or taken back while still sealed.

Ids only; the plaintext lives in the vault and no rule ever sees it.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, Refusal, invariant, require, require_text


class CodeStage(StrEnum):
    """Where a code is in its life; `free`, `quarantined` and `withdrawn` are outside any order."""

    FREE = "free"
    RESERVED = "reserved"
    DELIVERED = "delivered"
    REVEALED = "revealed"
    REPLACED = "replaced"  # opened, did not work, another was given instead; the vault keeps it as opened
    RETURNED = "returned"  # taken back sealed, typed or of a batch off sale: the merchant's, never sold automatically
    QUARANTINED = "quarantined"  # taken off sale by a ruling; may come back
    WITHDRAWN = "withdrawn"


SEALED = frozenset({CodeStage.RESERVED, CodeStage.DELIVERED})


class CodesReserved(Event, frozen=True):
    """These codes are kept for this order."""

    kind = "code.reserved"
    codes: tuple[str, ...]
    listing_id: str


class CodesReleased(Event, frozen=True):
    """Sealed codes left the order. `to_stock`: they can be sold again; else they are the merchant's to take."""

    kind = "code.released"
    codes: tuple[str, ...]
    listing_id: str
    to_stock: bool


class CodesDelivered(Event, frozen=True):
    """These codes lie sealed in the buyer's order box. `commitments` are given for codes typed at delivery."""

    kind = "code.delivered"
    codes: tuple[str, ...]
    commitments: tuple[str, ...]


class CodesRevealed(Event, frozen=True):
    """The buyer opened these codes. The account he named for them is sealed."""

    kind = "code.revealed"
    sealed = frozenset({"account_name", "account_region"})
    codes: tuple[str, ...]
    account_name: str
    account_region: str


class CodesReplaced(Event, frozen=True):
    """Other codes of the listing lie sealed in the buyer's box instead of those that did not work."""

    kind = "code.replaced"
    codes: tuple[str, ...]
    instead_of: tuple[str, ...]
    listing_id: str


CodesEvent = CodesReserved | CodesReleased | CodesDelivered | CodesRevealed | CodesReplaced


class ReserveCodes(Command, frozen=True):
    """Inner: keep as many codes as the order has units."""

    order_id: str
    listing_id: str
    quantity: int


class ReleaseCodes(Command, frozen=True):
    """Inner: every sealed code leaves the order."""

    order_id: str


class DeliverReserved(Command, frozen=True):
    """Inner: what was reserved is delivered."""

    order_id: str


class DeliverTyped(Command, frozen=True):
    """The merchant delivers codes that he typed: ids and commitments of what now lies in the vault."""

    order_id: str
    codes: tuple[str, ...]
    commitments: tuple[str, ...]


class RevealCodes(Command, frozen=True):
    """The buyer opens codes (empty: all that are delivered); asking again for an opened one changes nothing."""

    order_id: str
    codes: tuple[str, ...] = ()
    account_name: str = ""
    account_region: str = ""


class ReplaceCodes(Command, frozen=True):
    """Inner: other codes instead of these opened ones."""

    order_id: str
    instead_of: tuple[str, ...]


CodesCommand = ReserveCodes | ReleaseCodes | DeliverReserved | DeliverTyped | RevealCodes | ReplaceCodes


class StockIsShort(Refusal):
    """Details: wanted, left."""


class CodeIsNotDelivered(Refusal):
    """Nothing of this order lies in the buyer's box (yet)."""


class OrderTakesNoCodes(Refusal):
    """The order is not waiting for typed codes. Details: stage."""


class TooManyCodes(Refusal):
    """Details: wanted, given."""


class HeldCode(Struct, frozen=True, kw_only=True):
    """One code of the order."""

    code_id: str
    stage: CodeStage
    typed: bool = False
    replaces: bool = False


class Codes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The codes of one order."""

    held: tuple[HeldCode, ...] = ()
    listing_id: str = ""
    first_opened_at_ms: int = 0

    def count(self, *stages: CodeStage) -> int:
        """How many are in one of `stages`."""
        return sum(one.stage in stages for one in self.held)


INITIAL = Codes()


class StockBriefing(Struct, frozen=True, kw_only=True):
    """Free codes of the listing, already locked for this decision, and how many there are in all."""

    free: tuple[str, ...]
    listing_id: str = ""


class TypingBriefing(Struct, frozen=True, kw_only=True):
    """What delivering typed codes must be told about the order."""

    waits_for_typed: bool
    stage: str
    quantity: int


class ReturningBriefing(Struct, frozen=True, kw_only=True):
    """Codes of the order whose batch was taken off sale meanwhile: they go back to the merchant, not to stock."""

    off_sale: frozenset[str]


class OpeningBriefing(Struct, frozen=True, kw_only=True):
    """Whether the order still lets its buyer open codes. `replacements`: while a dispute runs, only these."""

    may_open: bool
    replacements: bool = False


def decide(
    command: CodesCommand,
    codes: Codes,
    brief: StockBriefing | ReturningBriefing | TypingBriefing | OpeningBriefing | None,
    at_ms: int,
) -> list[Event]:
    """What follows from `command` for this order's codes, or a `Refusal`."""
    match command:
        case ReserveCodes():
            assert isinstance(brief, StockBriefing)
            invariant(not codes.count(CodeStage.RESERVED, CodeStage.DELIVERED), "an order reserves once")
            if len(brief.free) < command.quantity:
                raise StockIsShort(wanted=command.quantity, left=len(brief.free))
            return [CodesReserved(codes=brief.free[: command.quantity], listing_id=command.listing_id)]
        case ReleaseCodes():
            assert isinstance(brief, ReturningBriefing)
            return _release(codes, brief)
        case DeliverReserved():
            reserved = tuple(one.code_id for one in codes.held if one.stage is CodeStage.RESERVED)
            invariant(bool(reserved), "a paid vault order has its codes")
            return [CodesDelivered(codes=reserved, commitments=())]
        case DeliverTyped():
            assert isinstance(brief, TypingBriefing)
            if command.codes and set(command.codes) <= {one.code_id for one in codes.held}:
                return []  # the second click of two: they are in the box
            return [_deliver_typed(command, codes, brief)]
        case RevealCodes():
            assert isinstance(brief, OpeningBriefing)
            return _reveal(command, codes, brief)
        case ReplaceCodes():
            assert isinstance(brief, StockBriefing)
            return [_replace(command, codes, brief)]
        case _:
            assert_never(command)


def _replace(command: ReplaceCodes, codes: Codes, brief: StockBriefing) -> CodesReplaced:
    opened = {one.code_id for one in codes.held if one.stage is CodeStage.REVEALED}
    invariant(bool(command.instead_of) and set(command.instead_of) <= opened, "what is replaced was opened")
    if len(brief.free) < len(command.instead_of):
        raise StockIsShort(wanted=len(command.instead_of), left=len(brief.free))
    new = brief.free[: len(command.instead_of)]
    return CodesReplaced(codes=new, instead_of=command.instead_of, listing_id=brief.listing_id)


def _release(codes: Codes, brief: ReturningBriefing) -> list[Event]:
    sealed = [one for one in codes.held if one.stage in SEALED]
    theirs = {one.code_id for one in sealed if one.typed or one.code_id in brief.off_sale}
    parts = {
        to_stock: tuple(one.code_id for one in sealed if (one.code_id not in theirs) is to_stock)
        for to_stock in (True, False)
    }
    return [
        CodesReleased(codes=code_ids, listing_id=codes.listing_id, to_stock=to_stock)
        for to_stock, code_ids in parts.items()
        if code_ids
    ]


def _deliver_typed(command: DeliverTyped, codes: Codes, brief: TypingBriefing) -> CodesDelivered:
    if not brief.waits_for_typed:
        raise OrderTakesNoCodes(stage=brief.stage)
    require(len(command.codes) > 0, "codes", "empty")
    invariant(len(command.codes) == len(command.commitments), "each typed code has a commitment")
    invariant(len(set(command.codes)) == len(command.codes), "a typed code is one code")
    wanted = brief.quantity - codes.count(CodeStage.DELIVERED, CodeStage.REVEALED)
    if len(command.codes) > wanted:
        raise TooManyCodes(wanted=wanted, given=len(command.codes))
    return CodesDelivered(codes=command.codes, commitments=command.commitments)


def _reveal(command: RevealCodes, codes: Codes, brief: OpeningBriefing) -> list[Event]:
    require_text(command.account_name, "account_name", 200)
    require_text(command.account_region, "account_region", 100)
    in_box = {
        one.code_id: one.stage
        for one in codes.held
        if one.stage is CodeStage.REVEALED
        or (one.stage is CodeStage.DELIVERED and (one.replaces or not brief.replacements))
    }
    asked = command.codes or tuple(in_box)
    if not asked or any(code_id not in in_box for code_id in asked):
        raise CodeIsNotDelivered
    sealed = tuple(code_id for code_id in dict.fromkeys(asked) if in_box[code_id] is CodeStage.DELIVERED)
    if not sealed:
        return []
    if not brief.may_open:
        raise CodeIsNotDelivered
    return [
        CodesRevealed(codes=sealed, account_name=command.account_name, account_region=command.account_region)
    ]


def evolve(codes: Codes, event: CodesEvent, at_ms: int) -> Codes:
    """The codes after `event`."""
    match event:
        case CodesReserved():
            new = tuple(HeldCode(code_id=code_id, stage=CodeStage.RESERVED) for code_id in event.codes)
            return replace(codes, held=(*codes.held, *new), listing_id=event.listing_id)
        case CodesReleased() if event.to_stock:
            gone = set(event.codes)
            return replace(codes, held=tuple(one for one in codes.held if one.code_id not in gone))
        case CodesReleased():
            return _moved(codes, event.codes, CodeStage.RETURNED)
        case CodesDelivered() if event.commitments:
            new = tuple(HeldCode(code_id=code_id, stage=CodeStage.DELIVERED, typed=True) for code_id in event.codes)
            return replace(codes, held=(*codes.held, *new))
        case CodesDelivered():
            return _moved(codes, event.codes, CodeStage.DELIVERED)
        case CodesReplaced():
            new = tuple(
                HeldCode(code_id=code_id, stage=CodeStage.DELIVERED, replaces=True) for code_id in event.codes
            )
            left = _moved(codes, event.instead_of, CodeStage.REPLACED)
            return replace(left, held=(*left.held, *new), listing_id=event.listing_id)
        case CodesRevealed():
            return replace(
                _moved(codes, event.codes, CodeStage.REVEALED),
                first_opened_at_ms=codes.first_opened_at_ms or at_ms,
            )
        case _:
            assert_never(event)


def _moved(codes: Codes, code_ids: tuple[str, ...], stage: CodeStage) -> Codes:
    moving = set(code_ids)
    return replace(
        codes, held=tuple(replace(one, stage=stage) if one.code_id in moving else one for one in codes.held)
    )
