"""What applications, reviews and measures are called on pages."""

from collections.abc import Mapping
from typing import Final

from fairkey.web.i18n import marked as _

FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "company": (_("Company"), _("Registered; licence and code beginning with 91 or 93.")),
    "sole_trader": (_("Sole trader"), _("Registered as 个体工商户; licence and code beginning with 92.")),
    "person": (
        _("Natural person with small turnover"),
        _("Not registered, at most ¥100,000 a year over all shops. In public you appear under a pseudonym."),
    ),
}
"""Legal form -> (name, explanation)."""

ITEMS: Final[Mapping[str, str]] = {
    "legal_form": _("Legal form"),
    "uscc": _("Unified social credit code"),
    "registered_name": _("Name in the register"),
    "contact_name": _("Person to reach"),
    "contact": _("Contact"),
    "address": _("Business address"),
    "sources": _("Where the codes come from"),
    "licence": _("Image of the licence"),
    "payout_account": _("Payout account"),
}

MEASURES: Final[Mapping[str, str]] = {"suspension": _("Suspension: no new orders"), "ban": _("Ban: service ended")}

GROUNDS: Final[Mapping[str, str]] = {
    "false_identity": _("False identity"),
    "prohibited_goods": _("Goods the law forbids"),
    "codes_not_good": _("Codes not as promised"),
    "complaints_unanswered": _("Complaints left unanswered"),
    "paid_elsewhere": _("Buyers led to pay elsewhere"),
    "false_reviews": _("False reviews"),
    "authority": _("Decision of an authority"),
    "other": _("Another breach of the terms"),
}

STEPS: Final[Mapping[str, str]] = {
    "shop.application_filed": _("Application sent"),
    "shop.application_seconded": _("One of two reviewers agreed"),
    "shop.application_returned": _("More was asked for"),
    "shop.application_passed": _("Verified"),
    "shop.application_refused": _("Refused"),
}
