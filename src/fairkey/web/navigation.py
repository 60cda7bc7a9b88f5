"""What stands in the top bar for whom. Pages add their entries here; the check of routes and roles is elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from fairkey.web.i18n import marked as _

Role = Literal["guest", "buyer", "merchant", "operator"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place one can go to. ``label`` is a message id."""

    path: str
    label: str
    icon: str
    also: tuple[str, ...] = ()  # further places that belong to it

    def is_current(self, path: str) -> bool:
        """Whether a page at ``path`` lies under this entry."""
        if self.path in {"/", "/desk", "/floor"}:
            return path == self.path
        return any(path == one or path.startswith(one + "/") for one in (self.path, *self.also))


_BUYING: Final = (
    Entry("/", _("Store"), "store"),
    Entry("/orders", _("My orders"), "receipt"),
)

NAVIGATION: Final[Mapping[Role, tuple[Entry, ...]]] = {
    "guest": _BUYING,
    "buyer": _BUYING,
    "merchant": (
        Entry("/desk", _("Desk"), "desk"),
        Entry("/desk/orders", _("Orders"), "receipt"),
        Entry("/desk/listings", _("Listings"), "tag", also=("/desk/coupons",)),
        Entry("/desk/batches", _("Stock"), "layers"),
        Entry("/desk/complaints", _("Complaints"), "flag"),
        Entry("/desk/money", _("Money"), "wallet", also=("/desk/deposit",)),
        Entry("/desk/figures", _("Figures"), "chart", also=("/desk/credit",)),
        Entry("/desk/settings", _("Shop"), "gear", also=("/desk/staff", "/desk/keys", "/desk/admission")),
    ),
    "operator": (
        Entry("/floor", _("Floor"), "desk"),
        Entry("/floor/shops", _("Shops"), "store", also=("/floor/admission",)),
        Entry("/floor/complaints", _("Complaints"), "flag", also=("/floor/batches",)),
        Entry("/floor/issuers", _("Issuers"), "key"),
        Entry("/floor/arbitrators", _("Arbitrators"), "ledger"),
        Entry("/floor/unmatched", _("Unmatched money"), "wallet", also=("/floor/deposits",)),
        Entry("/floor/audit", _("Audit trail"), "ledger"),
        Entry("/floor/health", _("Health"), "pulse"),
    ),
}
