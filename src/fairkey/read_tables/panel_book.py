"""Arbitrators and panels, as dockets, the public page, the operator's floor and the worker ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fairkey.business.arbitrators import Arbitrator
from fairkey.business.panels import Panel

from .order_book import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbitratorRecord:
    """One arbitrator as he stands now; only the operator's floor and letters may use `arbitrator.account_id`."""

    arbitrator_id: str
    arbitrator: Arbitrator


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRecord:
    """One panel as it stands now; `version` facts so far."""

    panel_id: str
    panel: Panel
    version: int


class PanelBook(Protocol):
    """Questions about panels."""

    async def arbitrators(self) -> list[ArbitratorRecord]:
        """All, the longest known first."""

    async def arbitrator(self, arbitrator_id: str) -> ArbitratorRecord | None:
        """One."""

    async def panel(self, panel_id: str) -> PanelRecord | None:
        """One panel."""

    async def panels(self, *, only_open: bool = False, lines_max: int = 100) -> list[PanelRecord]:
        """Panels, newest first."""

    async def facts(self, panel_id: str, *, with_sealed: bool = False) -> list[Fact]:
        """What happened on a panel, in order."""

    async def application_text(self, arbitrator_id: str) -> str:
        """What he wrote when he applied last; empty when it was erased."""

    async def traded(self, shop_id: str, accounts: Mapping[str, str]) -> frozenset[str]:
        """Those of the accounts (with their buyer keys) that ever ordered in this shop, signed in or as a guest, or
        that work or worked there.
        """
