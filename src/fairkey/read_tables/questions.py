"""All questions pages and programs ask, one Protocol per asker; the SQL behind them: `adapters/postgres/reads/`."""

from dataclasses import dataclass

from .credit_book import CreditBook
from .deposit_book import DepositBook
from .desk_figures import DeskFigures
from .floor import Floor
from .issuer_book import IssuerBook
from .order_book import OrderBook
from .panel_book import PanelBook
from .quarantine_book import QuarantineBook
from .shop_desk import ShopDesk
from .standard_book import StandardBook
from .storefront import Storefront


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Everything that can be read."""

    storefront: Storefront
    order_book: OrderBook
    shop_desk: ShopDesk
    desk_figures: DeskFigures
    floor: Floor
    issuers: IssuerBook
    standards: StandardBook
    deposits: DepositBook
    credit: CreditBook
    panels: PanelBook
    quarantines: QuarantineBook
