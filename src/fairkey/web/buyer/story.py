"""From the facts of an order to the lines of its timeline: order, payment, delivery, problem, complaint.

Every fact that a person cares about is one line; those that only say the same again (an order was frozen because a
complaint was opened) stay on the page of all facts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairkey.read_tables.order_book import Fact
from fairkey.web import formats
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.states import look


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a kind of fact is told. `text` may use the fact's public fields; `amount` names those whose sum is shown."""

    title: str
    icon: str
    tone: str
    text: str = ""
    amount: tuple[str, ...] = ()


WHY_MONEY: Final[Mapping[str, str]] = {
    "expired": _("the order ended before it was paid in full"),
    "withdrawn": _("you gave the sealed codes back"),
    "not_delivered_in_time": _("the codes were not there in time"),
    "complaint": _("your complaint"),
    "shop_vanished": _("the shop has vanished: all its open orders are refunded"),
    "surplus": _("more came than the order costs"),
    "second": _("it was paid a second time"),
    "late": _("it came after the order had ended"),
}
"""Why money went back, by the `why` of the fact."""

REASON_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "already_used": (
        _("It says the code was already used"),
        _("“Already redeemed”, “used”, “activated on another account”"),
    ),
    "not_valid": (_("It says the code is not valid"), _("“Invalid”, “does not exist”, “wrong code”")),
    "wrong_region": (_("It says the region does not fit"), _("“Not available in your country or region”")),
    "wrong_product": (_("It is something else"), _("Another product, edition or face value than promised")),
    "expired_code": (_("It says the code has expired"), _("“Expired”, “redeem period is over”")),
    "revoked_later": (_("It worked and was taken back later"), _("“Revoked”, “banned”, “licence withdrawn”")),
    "not_opened": (_("I have not opened it"), _("You change your mind; the code is still sealed")),
    "off_platform": (
        _("The shop wants me off the platform"),
        _("It asks to pay or talk elsewhere. Outside: add a picture, two buyers decide"),
    ),
    "other": (_("Something else"), _("Say below what you see")),
}
"""Reasons of a complaint, by what the screen said: (title, example)."""

_ENDINGS: Final[Mapping[str, str]] = {
    "buyer": _("You confirmed that all is well."),
    "clock": _("The time to complain ended and nothing was said."),
    "withdrawn": _("You took the complaint back."),
    "ruled": _("The platform decided for the shop."),
    "accepted": _("The complaint ended without money back."),
}

LINES: Final[Mapping[str, Line]] = {
    "order.placed": Line(
        title=_("Ordered"),
        text=_("%(quantity)s × %(unit_price_fen)s, revision %(revision)s"),
        icon="receipt",
        tone="mute",
        amount=("amount_fen",),
    ),
    "order.expired": Line(
        title=_("Ended unpaid"), text=_("The codes went back to the vault."), icon="clock-off", tone="mute"
    ),
    "payment.received": Line(
        title=_("Payment arrived"),
        text=_("held by the payment provider"),
        icon="coin",
        tone="hold",
        amount=("amount_fen",),
    ),
    "payment.surplus": Line(
        title=_("Money that does not belong to the order"),
        text="%(why)s",
        icon="coin",
        tone="back",
        amount=("amount_fen",),
    ),
    "order.paid": Line(title=_("Paid in full"), text=_("The whole price is held in escrow."), icon="lock", tone="hold"),
    "order.delivered": Line(
        title=_("Delivered"), text=_("%(quantity)s sealed, in your order"), icon="envelope", tone="hold"
    ),
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
        title=_("You agreed to wait"), text=_("new deadline %(deliver_by_ms)s"), icon="hourglass", tone="wait"
    ),
    "code.revealed": Line(title=_("Opened"), text=_("%(codes)s opened"), icon="envelope-open", tone="good"),
    "order.cut_short": Line(
        title=_("Not delivered in full in time"),
        text=_("You keep the %(quantity)s you opened, for %(amount_fen)s; the rest is sent back."),
        icon="return",
        tone="back",
        amount=("refund_fen",),
    ),
    "order.cancelled": Line(
        title=_("Cancelled: not delivered in time"), text=_("The clock did it by itself."), icon="return", tone="back"
    ),
    "order.withdrawn": Line(
        title=_("You stepped back"), text=_("Every code was still sealed."), icon="return", tone="back"
    ),
    "order.wound_up": Line(
        title=_("Refunded: the shop has vanished"),
        text=_("By row R18 of the published standard all its open orders end with all money back."),
        icon="return",
        tone="back",
    ),
    "claim.announced": Line(
        title=_("The shop has vanished"),
        text=_("If the issuer says that a code was used before or revoked, claim it here until %(claim_by_ms)s"),
        icon="shield",
        tone="hold",
    ),
    "claim.accepted": Line(
        title=_("Your claim counts"),
        text=_("by row %(row)s, out of what is left of the deposit"),
        icon="shield",
        tone="hold",
        amount=("claim_fen",),
    ),
    "order.completed": Line(title=_("Completed"), text="%(by)s", icon="check", tone="good"),
    "payment.refund_requested": Line(
        title=_("Money is sent back"), text=_("because: %(why)s"), icon="return", tone="back", amount=("amount_fen",)
    ),
    "payment.refunded": Line(
        title=_("The provider confirmed the refund"), icon="check", tone="back", amount=("amount_fen",)
    ),
    "payment.refund_failed": Line(
        title=_("The provider could not pay back yet"),
        text=_("Platform staff have been told; the money stays yours."),
        icon="warning",
        tone="bad",
    ),
    "payment.released": Line(
        title=_("Money released to the shop"),
        text=_("%(shop_fen)s for the shop, %(fee_fen)s fee of the platform"),
        icon="coin",
        tone="mute",
        amount=("shop_fen", "fee_fen"),
    ),
    "dispute.opened": Line(
        title=_("You complained"), text="%(reason)s", icon="flag", tone="bad", amount=("demand_fen",)
    ),
    "dispute.answered": Line(
        title=_("The shop disagrees"),
        text=_("The published standard decides; what it leaves open goes to a panel."),
        icon="chat",
        tone="wait",
    ),
    "dispute.weighed": Line(title=_("Compared with the standard"), text="%(following)s", icon="ledger", tone="mute"),
    "dispute.offered": Line(title=_("A settlement was offered"), icon="chat", tone="wait", amount=("refund_fen",)),
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
    "dispute.ruled": Line(title=_("Ruled"), text="%(case)s", icon="seal", tone="hold", amount=("refund_fen",)),
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
        title=_("The complaint is over"), text="%(outcome)s", icon="ledger", tone="hold", amount=("refund_fen",)
    ),
    "review.posted": Line(title=_("You wrote a review"), icon="star", tone="mute"),
    "review.amended": Line(title=_("You amended the review"), icon="star", tone="mute"),
    "review.objected": Line(title=_("The shop objected to the review"), icon="flag", tone="mute"),
    "review.marked": Line(title=_("The platform added a note to the review"), icon="info", tone="mute"),
    "review.text_hidden": Line(title=_("The platform hid words of the review"), icon="lock", tone="mute"),
}
"""Kinds that stand in the timeline."""

KINDS: Final[Mapping[str, str]] = {
    **{kind: line.title for kind, line in LINES.items()},
    "dispute.demanded": _("What was asked for"),
    "dispute.waiting": _("The standard waits for a moment"),
    "code.reserved": _("Codes reserved"),
    "code.delivered": _("Codes put into your order"),
    "code.released": _("Codes left the order"),
    "code.replaced": _("Other codes lie in the box instead"),
    "order.confirmed": _("You confirmed"),
    "order.disputed": _("Order frozen"),
    "order.refunded": _("Order ended with money back"),
    "message.sent": _("Message"),
    "dispute.evidence_added": _("Evidence given"),
    "dispute.evidence_withdrawn": _("Evidence withdrawn"),
    "dispute.evidence_doubted": _("Evidence doubted"),
    "dispute.evidence_confirmed": _("Evidence confirmed"),
    "evidence.recording_started": _("Guided recording began"),
    "evidence.recording_stopped": _("Guided recording ended"),
    "payment.stake_kept": _("A lost stake was kept"),
    "payment.settled": _("The provider confirmed the release"),
    "payment.release_failed": _("The provider could not release the money yet"),
}
"""What each kind of fact of an order is called."""


def timeline(facts: Sequence[Fact], path: str, locale: Locale) -> list[dict[str, object]]:
    """The lines as the macro `trade.timeline` shows them, oldest first."""
    return [entry for fact in facts if (entry := _entry(fact, path, locale)) is not None]


def _entry(fact: Fact, path: str, locale: Locale) -> dict[str, object] | None:
    line = LINES.get(fact.kind)
    if line is None:
        return None
    texts = texts_of(locale)
    amount_fen = sum(fen for name in line.amount if isinstance(fen := fact.public.get(name), int))
    words = {name: _word(fact.kind, name, value, locale) for name, value in fact.public.items()}
    return {
        "version": fact.version,
        "at_ms": fact.at_ms,
        "title": texts.gettext(line.title),
        "text": texts.gettext(line.text) % words if line.text else "",
        "icon": line.icon,
        "tone": line.tone,
        "amount_fen": amount_fen or None,
        "proof_href": f"{path}/facts#v{fact.version}",
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
    tables: Mapping[str, Callable[[str], str]] = {
        "why": lambda word: WHY_MONEY.get(word, word),
        "reason": lambda word: REASON_WORDS[word][0] if word in REASON_WORDS else word,
        "following": lambda word: look("following", word).label,
        "outcome": lambda word: look("outcome", word).label,
        "by": lambda word: _ENDINGS.get(word, word) if kind == "order.completed" else word,
    }
    return texts.gettext(tables[name](str(value))) if name in tables else str(value)
