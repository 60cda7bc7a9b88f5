"""Words of outside cases: problems, wishes, channels, stages, kinds and roles of facts. Message ids."""

from collections.abc import Mapping
from typing import Final

from fairkey.casework.model import FactKind, FactRole, Problem
from fairkey.web.i18n import marked as _

PROBLEMS: Final[Mapping[Problem, str]] = {
    Problem.NOT_DELIVERED: _("Not delivered"),
    Problem.DELIVERED_LATE: _("Delivered late"),
    Problem.PARTLY_DELIVERED: _("Only part was delivered"),
    Problem.ALREADY_USED: _("Codes were used already"),
    Problem.NOT_VALID: _("Codes are not valid"),
    Problem.WRONG_REGION: _("Codes of another region"),
    Problem.WRONG_PRODUCT: _("Another product than sold"),
    Problem.EXPIRED_CODE: _("Codes had expired"),
    Problem.REVOKED_LATER: _("Codes were revoked later"),
    Problem.FAKE_STOCK: _("Sold what was not there"),
    Problem.REFUND_REFUSED: _("Refund refused"),
    Problem.SELLER_VANISHED: _("The seller is gone"),
    Problem.OTHER: _("Something else went wrong"),
}
WISHES: Final[Mapping[str, str]] = {
    "refund": _("The price back"),
    "resend": _("Codes that work"),
    "make_up": _("The missing quantity"),
    "damages": _("Damages"),
}
CHANNELS: Final[Mapping[str, str]] = {
    "platform": _("The platform itself"),
    "heimao": _("Heimao complaints"),
    "s12315": _("12315, market regulation"),
    "consumer_association": _("Consumer association"),
    "regulator": _("Report to the regulator"),
    "small_claims": _("Court"),
    "b2b": _("Demand to the seller"),
    "police": _("Police"),
}
STAGES: Final[Mapping[str, str]] = {
    "sent": _("I have sent it"),
    "accepted": _("It was accepted"),
    "refused": _("It was refused"),
    "answered": _("They answered"),
    "settled": _("It is settled"),
    "ended": _("It ended without result"),
}
STEP_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "now": (_("now"), "wait"),
    "later": (_("later"), "mute"),
    "running": (_("running"), "hold"),
    "done": (_("done"), "good"),
    "blocked": (_("blocked"), "bad"),
}
GAP_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "present": (_("present"), "good"),
    "weak": (_("weak"), "wait"),
    "missing": (_("missing"), "bad"),
}
KINDS: Final[Mapping[FactKind, str]] = {
    FactKind.ORDER_NUMBER: _("Order number"),
    FactKind.AMOUNT: _("Amount"),
    FactKind.TIME: _("Time"),
    FactKind.CODE: _("Code"),
    FactKind.SHOP: _("Shop"),
    FactKind.PLATFORM: _("Platform"),
    FactKind.TRANSACTION: _("Number of the payment"),
    FactKind.ERROR: _("Error message"),
    FactKind.PROMISE: _("Promise"),
    FactKind.PRODUCT: _("Product"),
}
ROLES: Final[Mapping[FactRole, str]] = {
    FactRole.NONE: _("not said"),
    FactRole.ORDERED: _("ordered"),
    FactRole.PAID: _("paid"),
    FactRole.DELIVERED: _("delivered"),
    FactRole.PROBLEM: _("problem seen"),
    FactRole.COMPLAINED: _("complained"),
    FactRole.ANSWERED: _("answered"),
    FactRole.REFUNDED: _("refunded"),
}
HOWS: Final[Mapping[str, str]] = {
    "screenshot": _("Screenshot"),
    "photo": _("Photo"),
    "recording": _("Screen recording"),
    "export": _("Export or bill of a platform"),
    "mail": _("Mail (.eml)"),
    "page": _("Saved page"),
    "paper": _("Paper, scanned"),
    "other": _("Something else"),
}
