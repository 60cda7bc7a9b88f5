"""A shop: opened by its owner, suspended or reinstated by the operator with a reason, closed by its owner."""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, Refusal, require, require_text


class Standing(StrEnum):
    """Whether a shop may trade."""

    NONE = "none"
    APPLIED = "applied"
    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class ShopApplied(Event, frozen=True):
    """Somebody asked to open a shop. Name and contact are sealed: a natural person's shop may carry his name."""

    kind = "shop.applied"
    sealed = frozenset({"name", "contact", "payout_account"})
    shop_no: int
    name: str
    contact: str
    payout_account: str


class ShopAdmitted(Event, frozen=True):
    """It may trade. `basis` says on what ground."""

    kind = "shop.admitted"
    basis: str
    fee_bp: int


class ShopChanged(Event, frozen=True):
    """New name, announcement or payout account."""

    kind = "shop.changed"
    sealed = frozenset({"name", "announcement", "payout_account"})
    name: str
    announcement: str
    payout_account: str


class ShopSuspended(Event, frozen=True):
    """The operator stopped new orders; running orders go on. Reasons are owed to the shop (电商法 36)."""

    kind = "shop.suspended"
    sealed = frozenset({"reason"})
    reason: str


class ShopReinstated(Event, frozen=True):
    """It may trade again."""

    kind = "shop.reinstated"
    sealed = frozenset({"reason"})
    reason: str


class ShopClosed(Event, frozen=True):
    """The owner closed it."""

    kind = "shop.closed"


ShopEvent = ShopApplied | ShopAdmitted | ShopChanged | ShopSuspended | ShopReinstated | ShopClosed


class OpenShop(Command, frozen=True):
    """Simple registration: a name, a contact, where the money shall go. `admitted`: it may trade at once."""

    shop_no: int
    name: str
    contact: str
    payout_account: str
    fee_bp: int
    admitted: bool


class AdmitShop(Command, frozen=True):
    """Operator: an applied shop may trade."""

    fee_bp: int


class ChangeShop(Command, frozen=True):
    """All three as they shall be from now on."""

    name: str
    announcement: str
    payout_account: str


class SuspendShop(Command, frozen=True):
    """Operator, with the reason that the shop will read."""

    reason: str


class ReinstateShop(Command, frozen=True):
    """Operator, with a reason."""

    reason: str


class CloseShop(Command, frozen=True):
    """Owner: no new orders for ever."""


ShopCommand = OpenShop | AdmitShop | ChangeShop | SuspendShop | ReinstateShop | CloseShop


class ShopIsInAnotherStanding(Refusal):
    """Details: standing."""


class Shop(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One shop."""

    standing: Standing = Standing.NONE
    shop_no: int = 0
    name: str = ""
    announcement: str = ""
    has_payout_account: bool = False
    fee_bp: int = 0
    opened_at_ms: int = 0
    suspended_because: str = ""

    @property
    def is_open(self) -> bool:
        """May it take orders?"""
        return self.standing is Standing.OPEN


INITIAL = Shop()


def decide(command: ShopCommand, shop: Shop, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command` for this shop, or a `Refusal`."""
    match command:
        case OpenShop():
            _require(shop, Standing.NONE)
            _check_profile(command.name, command.payout_account)
            require_text(command.contact, "contact", 254, 3)
            applied = ShopApplied(
                shop_no=command.shop_no,
                name=command.name,
                contact=command.contact,
                payout_account=command.payout_account,
            )
            if not command.admitted:
                return [applied]
            return [applied, ShopAdmitted(basis="simple registration", fee_bp=command.fee_bp)]
        case AdmitShop():
            _require(shop, Standing.APPLIED)
            return [ShopAdmitted(basis="operator", fee_bp=command.fee_bp)]
        case ChangeShop():
            _require(shop, Standing.APPLIED, Standing.OPEN, Standing.SUSPENDED)
            _check_profile(command.name, command.payout_account)
            require_text(command.announcement, "announcement", 2_000)
            return [
                ShopChanged(
                    name=command.name, announcement=command.announcement, payout_account=command.payout_account
                )
            ]
        case SuspendShop():
            _require(shop, Standing.OPEN)
            require_text(command.reason, "reason", 2_000, 5)
            return [ShopSuspended(reason=command.reason)]
        case ReinstateShop():
            _require(shop, Standing.SUSPENDED)
            require_text(command.reason, "reason", 2_000, 5)
            return [ShopReinstated(reason=command.reason)]
        case CloseShop():
            _require(shop, Standing.OPEN, Standing.SUSPENDED)
            return [ShopClosed()]
        case _:
            assert_never(command)


def _check_profile(name: str, payout_account: str) -> None:
    require_text(name, "name", 40, 2)
    require("\n" not in name, "name", "control_characters")
    require_text(payout_account, "payout_account", 120)


def _require(shop: Shop, *allowed: Standing) -> None:
    if shop.standing not in allowed:
        raise ShopIsInAnotherStanding(standing=shop.standing.value)


def evolve(shop: Shop, event: ShopEvent, at_ms: int) -> Shop:
    """The shop after `event`."""
    match event:
        case ShopApplied():
            return Shop(
                standing=Standing.APPLIED,
                shop_no=event.shop_no,
                name=event.name,
                has_payout_account=bool(event.payout_account),
            )
        case ShopAdmitted():
            return replace(shop, standing=Standing.OPEN, fee_bp=event.fee_bp, opened_at_ms=at_ms)
        case ShopChanged():
            return replace(
                shop,
                name=event.name,
                announcement=event.announcement,
                has_payout_account=bool(event.payout_account),
            )
        case ShopSuspended():
            return replace(shop, standing=Standing.SUSPENDED, suspended_because=event.reason)
        case ShopReinstated():
            return replace(shop, standing=Standing.OPEN, suspended_because="")
        case ShopClosed():
            return replace(shop, standing=Standing.CLOSED)
        case _:
            assert_never(event)
