"""What the engine lays on the table for a decision."""

from collections.abc import Sequence
from typing import Protocol

from . import covering
from .basics import Stream
from .files import File
from .quarantines import Said


class Desk(Protocol):
    """All of it is read in the decision's own transaction."""

    now_ms: int
    unpaid_per_buyer_max: int
    unpaid_per_address_max: int
    admission_approvals: int
    small_trial_fen: int
    cover_bp: int
    first_order_fen: int

    def file(self, stream: Stream) -> File:
        """The present state of a stream."""

    def free_codes(self, shop_id: str, listing_id: str, quantity: int) -> tuple[str, ...]:
        """Up to `quantity` free codes, locked."""

    def unpaid_by_buyer(self, buyer_key: str, address_key: str) -> int:
        """Unpaid orders of this buyer from this network address on the whole platform.

        Who orders in another's name from elsewhere is not counted, or he could keep him from buying.
        """

    def unpaid_by_address(self, address_key: str) -> int:
        """Unpaid orders from this network address on the whole platform."""

    def bought_by_buyer(self, shop_id: str, listing_id: str, buyer_key: str) -> int:
        """Units of the listing in this buyer's orders that were not cancelled or expired."""

    def exposure(self, shop_id: str) -> covering.Exposure:
        """What of the shop's orders is unsettled; not locked, the write notices when it has grown meanwhile."""

    def acquaintance(self, shop_id: str, buyer_key: str) -> covering.Acquaintance:
        """What the shop and this buyer have done with each other; the buyer is locked."""

    def balance_fen(self, shop_id: str, account: str) -> int:
        """Balance of a ledger account, locked."""

    def staged(self, shop_id: str, batch_id: str) -> int:
        """Codes in the vault for a batch that is not registered yet."""

    def unsold(self, shop_id: str, batch_id: str) -> tuple[int, ...]:
        """Places of the free codes of a batch, rising; locked."""

    def said(self, shop_id: str, batch_id: str, code_ids: tuple[str, ...]) -> Said:
        """What issuers said of those codes of a batch (none named: of all) that are for sale or wait; locked."""

    def off_sale(self, shop_id: str, code_ids: Sequence[str]) -> frozenset[str]:
        """Those of the codes whose batch was taken off sale; the batches are locked."""
