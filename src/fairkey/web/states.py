"""How every state looks: icon AND word AND colour, in one table, so that no page invents its own.

Tones: ``hold`` money is held or work goes on · ``good`` done as promised · ``wait`` somebody has to act · ``bad``
something is wrong · ``back`` money went back · ``mute`` over, nothing will happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from fairkey.web.i18n import marked as _

Tone = Literal["hold", "good", "wait", "bad", "back", "mute"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown; ``label`` is a message id."""

    icon: str
    tone: Tone
    label: str


LOOKS: Final[Mapping[str, Mapping[str, Look]]] = {
    "order": {
        "new": Look("dot", "mute", _("Not placed")),
        "placed": Look("hourglass", "wait", _("Waiting for payment")),
        "expired": Look("clock-off", "mute", _("Expired unpaid")),
        "paid": Look("lock", "hold", _("Paid, money held")),
        "delivered": Look("envelope", "hold", _("Delivered, money held")),
        "completed": Look("check", "good", _("Completed")),
        "cancelled": Look("return", "back", _("Cancelled, refunded")),
        "disputed": Look("flag", "bad", _("In dispute, money frozen")),
        "refunded": Look("return", "back", _("Refunded")),
        "partly_refunded": Look("return", "back", _("Partly refunded")),
    },
    "code": {
        "free": Look("layers", "good", _("In stock")),
        "reserved": Look("hourglass", "wait", _("Reserved")),
        "delivered": Look("envelope", "hold", _("Sealed")),
        "revealed": Look("envelope-open", "good", _("Opened")),
        "replaced": Look("return", "mute", _("Replaced")),
        "returned": Look("return", "mute", _("Returned to the shop")),
        "quarantined": Look("pause", "bad", _("Waits off sale")),
        "withdrawn": Look("return", "mute", _("Taken out by the shop")),
    },
    "shop": {
        "none": Look("dot", "mute", _("Not opened yet")),
        "applied": Look("hourglass", "wait", _("Waiting for admission")),
        "open": Look("check", "good", _("Open for business")),
        "lapsed": Look("clock-off", "wait", _("Check overdue")),
        "suspended": Look("pause", "bad", _("Suspended")),
        "banned": Look("cross", "bad", _("Banned")),
        "closed": Look("cross", "mute", _("Closed")),
        "vanished": Look("cross", "bad", _("Vanished")),
    },
    "review": {
        "none": Look("dot", "mute", _("Not applied yet")),
        "filed": Look("hourglass", "wait", _("With the reviewers")),
        "seconded": Look("hourglass", "wait", _("One of two agreed")),
        "returned": Look("pencil", "wait", _("More is asked for")),
        "passed": Look("check", "good", _("Verified")),
        "refused": Look("cross", "bad", _("Refused")),
    },
    "listing": {
        "draft": Look("pencil", "mute", _("Draft")),
        "published": Look("check", "good", _("On sale")),
        "withdrawn": Look("pause", "mute", _("Off sale")),
        "sold_out": Look("layers", "wait", _("Sold out")),
    },
    "coupon": {
        "active": Look("check", "good", _("Valid")),
        "exhausted": Look("layers", "mute", _("Used up")),
        "expired": Look("clock-off", "mute", _("No longer valid")),
        "withdrawn": Look("pause", "mute", _("Withdrawn")),
    },
    "batch": {
        "registered": Look("layers", "wait", _("Registered")),
        "importing": Look("upload", "hold", _("Importing")),
        "imported": Look("check", "good", _("Imported")),
        "active": Look("check", "good", _("On sale")),
        "exhausted": Look("layers", "mute", _("Sold out")),
        "quarantined": Look("pause", "bad", _("Quarantined")),
        "withdrawn": Look("return", "mute", _("Taken out by the shop")),
        "failed": Look("cross", "bad", _("Failed")),
    },
    "batch_review": {
        "asked": Look("hourglass", "wait", _("Request waits")),
        "granted": Look("check", "good", _("Request granted")),
        "refused": Look("cross", "bad", _("Request refused")),
        "lapsed": Look("clock-off", "mute", _("Nobody answered")),
        "over": Look("dot", "mute", _("Request is over")),
    },
    "complaint": {
        "none": Look("dot", "mute", _("No complaint")),
        "opened": Look("flag", "wait", _("Waiting for the shop")),
        "contested": Look("chat", "hold", _("Contested, waiting for a ruling")),
        "asked": Look("chat", "wait", _("Waiting for the buyer's reply")),
        "resent": Look("envelope", "wait", _("A replacement was sent")),
        "lapsed": Look("hourglass", "wait", _("Ended by silence, may be re-opened")),
        "panel": Look("ledger", "hold", _("A panel decides")),
        "ruled": Look("seal", "hold", _("Ruled, not yet final")),
        "closed": Look("check", "mute", _("Complaint closed")),
    },
    "outcome": {
        "accepted": Look("check", "good", _("The shop agreed")),
        "merchant_silent": Look("hourglass", "good", _("Shop was silent, buyer wins")),
        "ruled": Look("ledger", "hold", _("Decided by people")),
        "standard": Look("seal", "hold", _("Decided by the standard")),
        "settled": Look("check", "good", _("Settled")),
        "resent": Look("envelope", "good", _("Settled by a working code")),
        "operator_silent": Look("hourglass", "good", _("Platform was silent, buyer wins")),
        "withdrawn": Look("return", "mute", _("Withdrawn")),
        "shop_vanished": Look("return", "good", _("The shop has vanished, all money back")),
    },
    "arbitrator": {
        "none": Look("dot", "mute", _("Never applied")),
        "applied": Look("hourglass", "wait", _("Applied")),
        "active": Look("check", "good", _("May be drawn")),
        "suspended": Look("pause", "bad", _("Suspended")),
        "left": Look("return", "mute", _("Left")),
        "refused": Look("cross", "bad", _("Refused")),
    },
    "side": {
        "expert": Look("search", "hold", _("Expert")),
        "sellers": Look("store", "hold", _("Sellers' side")),
        "buyers": Look("receipt", "hold", _("Buyers' side")),
        "any": Look("dot", "mute", _("Anybody")),
    },
    "panel": {
        "none": Look("dot", "mute", _("No panel")),
        "requested": Look("hourglass", "wait", _("The list is being made")),
        "convened": Look("hourglass", "wait", _("Waiting for the draw")),
        "sitting": Look("chat", "hold", _("Votes are given")),
        "revealing": Look("envelope-open", "hold", _("Votes are revealed")),
        "decided": Look("check", "good", _("Decided")),
        "lapsed": Look("clock-off", "mute", _("No decision")),
    },
    "panel_outcome": {
        "for_buyer": Look("return", "back", _("For the buyer")),
        "for_shop": Look("store", "hold", _("For the shop")),
        "partial": Look("coin", "back", _("For the buyer, in part")),
    },
    "outage": {
        "lasts": Look("warning", "wait", _("Lasts")),
        "over": Look("check", "mute", _("Over")),
    },
    "issuer": {
        "none": Look("dot", "mute", _("Not registered")),
        "active": Look("check", "good", _("Word counts")),
        "suspended": Look("pause", "bad", _("Suspended")),
    },
    "attest": {
        "activated": Look("check", "hold", _("Activated")),
        "unused": Look("envelope", "good", _("Not activated")),
        "revoked": Look("cross", "bad", _("Taken back by the issuer")),
        "unclear": Look("search", "mute", _("No clear answer")),
    },
    "payout": {
        "asked": Look("hourglass", "hold", _("On its way")),
        "done": Look("check", "good", _("Paid out")),
        "failed": Look("cross", "bad", _("Failed")),
    },
    "refund": {
        "asked": Look("hourglass", "hold", _("Refund on its way")),
        "done": Look("return", "back", _("Refunded")),
        "failed": Look("cross", "bad", _("Refund failed")),
    },
    "following": {
        "followed": Look("check", "good", _("The ruling follows the standard.")),
        "departed": Look("warning", "wait", _("The ruling departs from the standard.")),
        "open": Look("hourglass", "hold", _("The standard left it open.")),
    },
    "release": {
        "asked": Look("hourglass", "hold", _("Release on its way")),
        "done": Look("check", "good", _("Released to the shop")),
        "failed": Look("cross", "bad", _("Release failed")),
    },
    "payment": {
        "held": Look("lock", "wait", _("Held, no order")),
        "refund_asked": Look("hourglass", "hold", _("Refund on its way")),
        "refund_done": Look("return", "back", _("Refunded")),
        "refund_failed": Look("cross", "bad", _("Refund failed")),
        "waiting": Look("hourglass", "wait", _("Waiting for payment")),
        "received": Look("coin", "hold", _("Received")),
        "short": Look("flag", "wait", _("Too little")),
        "surplus": Look("coin", "back", _("Too much, surplus refunded")),
        "late": Look("clock-off", "wait", _("Arrived late")),
        "unmatched": Look("search", "bad", _("Unknown order")),
        "double": Look("coin", "back", _("Paid twice, second refunded")),
    },
    "effect": {
        "waiting": Look("hourglass", "wait", _("Waiting")),
        "sent": Look("hourglass", "hold", _("Told, not yet confirmed")),
        "pending": Look("hourglass", "wait", _("Pending")),
        "retrying": Look("return", "wait", _("Trying again")),
        "done": Look("check", "good", _("Done")),
        "failed": Look("cross", "bad", _("Failed")),
    },
    "health": {
        "ok": Look("check", "good", _("Healthy")),
        "slow": Look("hourglass", "wait", _("Slow")),
        "down": Look("cross", "bad", _("Down")),
    },
}


def look(kind: str, state: str) -> Look:
    """The look of a state. An unknown state is shown by its own name instead of breaking the page."""
    return LOOKS.get(kind, {}).get(state) or Look("dot", "mute", state.replace("_", " "))
