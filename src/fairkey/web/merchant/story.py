"""From the facts of an order to its timeline in the words of the shop; the buyer reads the same facts in his."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairkey.read_tables.order_book import Fact
from fairkey.web import formats
from fairkey.web.buyer.story import REASON_WORDS
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.states import look


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a kind of fact is told. `text` may use the fact's public fields; `amount` names the field with a sum."""

    title: str
    icon: str
    tone: str
    text: str = ""
    amount: str = ""


WHY_MONEY: Final[Mapping[str, str]] = {
    "expired": _("the order ended before it was paid in full"),
    "withdrawn": _("the buyer gave the sealed codes back"),
    "not_delivered_in_time": _("the codes were not there in time"),
    "complaint": _("a complaint"),
    "shop_vanished": _("the shop gave no sign of life: all its open orders were refunded"),
    "surplus": _("more came than the order costs"),
    "second": _("it was paid a second time"),
    "late": _("it came after the order had ended"),
}
"""Why money went back, by the `why` of the fact."""

_ENDINGS: Final[Mapping[str, str]] = {
    "buyer": _("The buyer confirmed."),
    "clock": _("The buyer's protection ended without a complaint."),
    "withdrawn": _("The buyer took the complaint back."),
    "ruled": _("The platform decided for you."),
    "accepted": _("The complaint ended without money back."),
}

LINES: Final[Mapping[str, Line]] = {
    "order.placed": Line(
        title=_("Ordered"),
        text=_("%(quantity)s × %(unit_price_fen)s, revision %(revision)s"),
        icon="receipt",
        tone="mute",
        amount="amount_fen",
    ),
    "order.expired": Line(
        title=_("Ended unpaid"), text=_("Reserved codes are on sale again."), icon="clock-off", tone="mute"
    ),
    "payment.received": Line(title=_("Payment arrived"), icon="coin", tone="hold", amount="amount_fen"),
    "payment.surplus": Line(
        title=_("Money that does not belong to the order"),
        text="%(why)s",
        icon="coin",
        tone="back",
        amount="amount_fen",
    ),
    "order.paid": Line(title=_("Paid in full"), text=_("The money is held in escrow."), icon="lock", tone="hold"),
    "code.delivered": Line(title=_("Codes handed over"), text=_("%(codes)s, sealed"), icon="envelope", tone="hold"),
    "order.delivered": Line(title=_("Delivered"), icon="check", tone="good"),
    "order.held_longer": Line(
        title=_("Protected for longer"),
        text=_("Rulings against the shop: the time to complain runs until %(until_ms)s, the money stays held."),
        icon="lock",
        tone="hold",
    ),
    "order.clock_stopped": Line(
        title=_("A clock stood still: outage of the issuer"),
        text=_("since %(from_ms)s; the next moment that counts is %(due_at_ms)s"),
        icon="hourglass",
        tone="wait",
    ),
    "order.wait_agreed": Line(
        title=_("The buyer agreed to wait"), text=_("new deadline %(deliver_by_ms)s"), icon="hourglass", tone="wait"
    ),
    "code.revealed": Line(title=_("The buyer opened codes"), text=_("%(codes)s"), icon="envelope-open", tone="good"),
    "order.cut_short": Line(
        title=_("Not delivered in full in time"),
        text=_("The buyer keeps the %(quantity)s he opened; the rest went back."),
        icon="return",
        tone="back",
        amount="refund_fen",
    ),
    "order.cancelled": Line(
        title=_("Cancelled: not delivered in time"), text=_("The clock did it by itself."), icon="return", tone="back"
    ),
    "order.withdrawn": Line(
        title=_("The buyer stepped back"), text=_("Every code was still sealed."), icon="return", tone="back"
    ),
    "order.wound_up": Line(
        title=_("Refunded: the shop had vanished"),
        text=_("By row R18 of the published standard all its open orders ended with all money back."),
        icon="return",
        tone="back",
    ),
    "order.completed": Line(title=_("Completed"), text="%(by)s", icon="check", tone="good"),
    "payment.refund_requested": Line(
        title=_("Money goes back to the buyer"),
        text=_("because of: %(why)s"),
        icon="return",
        tone="back",
        amount="amount_fen",
    ),
    "payment.refunded": Line(
        title=_("The provider confirmed the refund"), icon="check", tone="back", amount="amount_fen"
    ),
    "payment.refund_failed": Line(title=_("The provider could not pay back yet"), icon="warning", tone="bad"),
    "payment.released": Line(title=_("Your share is released"), icon="coin", tone="hold", amount="shop_fen"),
    "payment.settled": Line(title=_("Your share is available"), icon="wallet", tone="good", amount="shop_fen"),
    "payment.release_failed": Line(title=_("The provider could not release the money yet"), icon="warning", tone="bad"),
    "dispute.opened": Line(
        title=_("The buyer complained"), text="%(reason)s", icon="flag", tone="bad", amount="demand_fen"
    ),
    "dispute.answered": Line(
        title=_("You contested"),
        text=_("The published standard decides; what it leaves open goes to a panel."),
        icon="chat",
        tone="wait",
    ),
    "dispute.weighed": Line(title=_("Compared with the standard"), text="%(following)s", icon="ledger", tone="mute"),
    "dispute.offered": Line(title=_("A settlement was offered"), icon="chat", tone="wait", amount="refund_fen"),
    "dispute.declined": Line(title=_("The offer was declined"), icon="chat", tone="mute"),
    "dispute.accepted": Line(title=_("The offer was accepted"), icon="check", tone="good"),
    "dispute.asked": Line(
        title=_("The shop asked the buyer"), text=_("reply until %(reply_by_ms)s"), icon="chat", tone="wait"
    ),
    "dispute.replied": Line(title=_("The buyer replied"), icon="chat", tone="mute"),
    "dispute.lapsed": Line(
        title=_("The buyer did not reply"),
        text=_("can be re-opened until %(reopen_by_ms)s"),
        icon="hourglass",
        tone="wait",
    ),
    "dispute.clock_stopped": Line(
        title=_("A clock stood still: outage of the issuer"),
        text=_("since %(from_ms)s; the next moment that counts is %(due_at_ms)s"),
        icon="hourglass",
        tone="wait",
    ),
    "dispute.reopened": Line(title=_("The complaint was re-opened"), icon="flag", tone="wait"),
    "dispute.resent": Line(
        title=_("The shop sent a replacement"),
        text=_("say until %(confirm_by_ms)s whether it works"),
        icon="envelope",
        tone="wait",
    ),
    "dispute.resend_confirmed": Line(title=_("The replacement works"), icon="check", tone="good"),
    "dispute.resend_refused": Line(
        title=_("The replacement fails as well"),
        text=_("the shop answers until %(answer_by_ms)s"),
        icon="flag",
        tone="wait",
    ),
    "dispute.escalated": Line(
        title=_("A panel decides"), text=_("%(level)s people, until %(decide_by_ms)s"), icon="ledger", tone="hold"
    ),
    "dispute.ruled": Line(title=_("Ruled"), text="%(case)s", icon="seal", tone="hold", amount="refund_fen"),
    "dispute.appealed": Line(title=_("Somebody appealed"), icon="flag", tone="wait"),
    "dispute.review_asked": Line(title=_("A review by a person was asked for"), icon="search", tone="wait"),
    "dispute.reviewed": Line(title=_("A person reviewed the ruling"), icon="search", tone="hold"),
    "dispute.stake_settled": Line(
        title=_("The stake of an appeal was settled"),
        text=_("%(kept_fen)s of %(stake_fen)s kept, for arbitrators and the pool"),
        icon="coin",
        tone="mute",
    ),
    "dispute.ruling_taken": Line(title=_("The ruling was accepted"), icon="check", tone="mute"),
    "dispute.final": Line(
        title=_("The complaint is over"), text="%(outcome)s", icon="ledger", tone="hold", amount="refund_fen"
    ),
    "review.posted": Line(title=_("The buyer wrote a review"), icon="star", tone="mute"),
    "review.amended": Line(title=_("The buyer amended the review"), icon="star", tone="mute"),
    "review.objected": Line(title=_("You objected to the review"), icon="flag", tone="mute"),
    "review.marked": Line(title=_("The platform added a note to the review"), icon="info", tone="mute"),
    "review.text_hidden": Line(title=_("The platform hid words of the review"), icon="lock", tone="mute"),
}
"""Kinds that stand in the timeline."""


def timeline(facts: Sequence[Fact], locale: Locale) -> list[dict[str, object]]:
    """The lines as the macro `trade.timeline` shows them, oldest first; proofs lead to the facts below on the page."""
    return [_entry(fact, LINES[fact.kind], locale) for fact in facts if fact.kind in LINES]


def _entry(fact: Fact, line: Line, locale: Locale) -> dict[str, object]:
    texts = texts_of(locale)
    words = {name: _word(fact.kind, name, value, locale) for name, value in fact.public.items()}
    return {
        "version": fact.version,
        "at_ms": fact.at_ms,
        "title": texts.gettext(line.title),
        "text": texts.gettext(line.text) % words if line.text else "",
        "icon": line.icon,
        "tone": line.tone,
        "amount_fen": (fact.public.get(line.amount) or None) if line.amount else None,
        "proof_href": f"#v{fact.version}",
        "log_index": None,
    }


def _word(kind: str, name: str, value: object, locale: Locale) -> str:
    """A public field in words."""
    texts = texts_of(locale)
    if isinstance(value, list):
        return texts.ngettext("%(num)s code", "%(num)s codes", len(value)) % {"num": len(value)}
    if isinstance(value, int) and name.endswith("_fen"):
        return formats.fen(value)
    if isinstance(value, int) and name.endswith("_ms"):
        return formats.clock(value)
    text = str(value)
    if name == "why":
        return texts.gettext(WHY_MONEY.get(text, text))
    if name == "reason" and text in REASON_WORDS:
        return texts.gettext(REASON_WORDS[text][0])
    if name in ("outcome", "following"):
        return texts.gettext(look(name, text).label)
    if name == "by" and kind == "order.completed":
        return texts.gettext(_ENDINGS.get(text, text))
    return text
