"""What both sides do in a dispute, from a form to a command; and the words of a ruling."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fairkey.business.basics import Command, FieldIsInvalid, NotFound
from fairkey.business.complaints import (
    AnswerOffer,
    AppealRuling,
    AskBuyer,
    AskReview,
    ConfirmReplacement,
    OfferSettlement,
    RefuseReplacement,
    ReopenComplaint,
    ReplyToShop,
    SendReplacement,
    TakeRuling,
)
from fairkey.business.dispute_events import Side
from fairkey.business.dispute_state import Complaint
from fairkey.business.standard.library import error_texts, newest
from fairkey.business.verdicts import standard_of
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web.i18n import Locale
from fairkey.web.inputs import fen_of
from fairkey.web.standard import saying


class Screen(NamedTuple):
    """A message that an issuer shows. `name` is what a complaint keeps of it; `means`: a reason."""

    name: str
    issuer: str
    text: str
    means: str


class Piece(NamedTuple):
    """Something to add, and what it adds."""

    rank: str
    who: str
    give: str
    adds: str


def screens(locale: Locale) -> Sequence[Screen]:
    """What issuers' screens say, in the reader's language where they do."""
    found = []
    for number, error in enumerate(error_texts().errors):
        chinese = [text for text in error.texts if any("\u4e00" <= letter <= "\u9fff" for letter in text)]
        others = [text for text in error.texts if text not in chinese]
        texts = (chinese or others) if locale == "zh_CN" else (others or chinese)
        name = f"{error.issuer} {error.code or number}"
        found.append(Screen(name=name, issuer=error.issuer, text=texts[0], means=error.means))
    return found


def checklist(locale: Locale) -> Mapping[str, Sequence[Piece]]:
    """By reason: what each side can add and what it adds, by the newest standard."""
    say = saying(locale)
    return {
        reason.id: [
            Piece(rank=one.rank, who=one.who, give=say(one.give), adds=say(one.adds)) for one in reason.pieces
        ]
        for reason in newest().standard.reasons
    }


def command_for(act: str, record: OrderRecord, side: Side, fields: Mapping[str, str]) -> Command:
    """Raises `FieldIsInvalid` for what is no amount, `NotFound` for what nobody can do."""
    shop_id, order_id, text = record.shop_id, record.order_id, fields.get("text", "")
    match act, side:
        case "offer", _:
            refund_fen = fen_of(fields.get("refund_yuan"))
            if refund_fen is None:
                raise FieldIsInvalid(field="refund_fen", why="out_of_range")
            return OfferSettlement(shop_id=shop_id, order_id=order_id, by=side, refund_fen=refund_fen, text=text)
        case "answer", _:
            number = fields.get("offer", "")
            return AnswerOffer(
                shop_id=shop_id,
                order_id=order_id,
                by=side,
                offer_no=int(number) if number.isascii() and number.isdigit() and len(number) < 3 else 0,  # noqa: PLR2004 - at most 10 offers
                accepted=fields.get("yes") == "1",
            )
        case "appeal", _:
            return AppealRuling(shop_id=shop_id, order_id=order_id, by=side, text=text)
        case "take", _:
            return TakeRuling(shop_id=shop_id, order_id=order_id, by=side)
        case "review", _:
            return AskReview(shop_id=shop_id, order_id=order_id, by=side, text=text)
        case _:
            return _of_one_side(act, record, side, text)


def _of_one_side(act: str, record: OrderRecord, side: Side, text: str) -> Command:
    shop_id, order_id = record.shop_id, record.order_id
    match act, side:
        case "ask", Side.SHOP:
            return AskBuyer(shop_id=shop_id, order_id=order_id, text=text)
        case "resend", Side.SHOP:
            return SendReplacement(shop_id=shop_id, order_id=order_id)
        case "reopen", Side.BUYER:
            return ReopenComplaint(shop_id=shop_id, order_id=order_id, text=text)
        case "confirm", Side.BUYER:
            return ConfirmReplacement(shop_id=shop_id, order_id=order_id)
        case "again", Side.BUYER:
            return RefuseReplacement(shop_id=shop_id, order_id=order_id, text=text)
        case "reply", Side.BUYER:
            return ReplyToShop(shop_id=shop_id, order_id=order_id, text=text)
        case _:
            raise NotFound(what="complaint")


def ruling_words(complaint: Complaint, locale: Locale) -> str:
    """What the case that decided says; empty without a ruling, or where this release does not hold the version."""
    ruling = complaint.ruling
    standard = standard_of(ruling.sha256) if ruling else None
    if ruling is None or standard is None or ruling.case not in standard.cases():
        return ""
    return saying(locale)(standard.cases()[ruling.case].text)
