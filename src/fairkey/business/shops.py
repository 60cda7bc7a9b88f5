"""A shop: opened by its owner, admitted, checked again every half year, sanctioned and reinstated by the operator with
reasons, closed by its owner.

Sources: 电商法 27 with 网络交易监督管理办法 24 (traders are verified, again at least every six months); 电商法 36 with
网络交易监督管理办法 30 (measures are published within one working day); 网络交易平台规则监督管理办法, in force since
2026-02-01 (reasons and appeal for every measure).
"""

from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from . import vanishing
from .basics import DAY_MS, HOUR_MS, Command, Event, NotFound, Refusal, require, require_text

NEW_ACCOUNT_WAITS_MS: Final = 72 * HOUR_MS
REMIND_BEFORE_MS: Final = 30 * DAY_MS
SUSPENSION_DAYS_MAX: Final = 365
SANCTIONS_MAX: Final = 200

CLAUSE_OF: Final = {  # why a shop may be sanctioned -> the clause of the shop terms that says so
    "false_identity": "2",
    "prohibited_goods": "3",
    "codes_not_good": "4",
    "complaints_unanswered": "5",
    "paid_elsewhere": "6",
    "false_reviews": "7",
    "authority": "8",
    "other": "9",
}


class Standing(StrEnum):
    """Whether a shop may trade."""

    NONE = "none"
    APPLIED = "applied"
    OPEN = "open"
    LAPSED = "lapsed"  # its check is older than six months: no new orders until it is checked again
    SUSPENDED = "suspended"
    BANNED = "banned"
    CLOSED = "closed"
    VANISHED = "vanished"  # no sign of life (FK-AF-1, R18): its orders are ended, no new ones until a person lets it


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


class ShopSanctioned(Event, frozen=True):
    """What the public is told of a measure; stands right after `shop.suspended`. `until_ms` 0: until it is lifted."""

    kind = "shop.sanctioned"
    number: int
    measure: str  # suspension | ban
    reason_code: str
    clause: str
    until_ms: int


class SanctionAnnotated(Event, frozen=True):
    """A correction or an answer to an appeal, published beside the measure, which itself stays as it was."""

    kind = "shop.sanction_annotated"
    sealed = frozenset({"text"})
    number: int
    text: str


class SanctionAppealed(Event, frozen=True):
    """The shop objects; a person answers."""

    kind = "shop.sanction_appealed"
    sealed = frozenset({"text"})
    number: int
    text: str


class ShopChecked(Event, frozen=True):
    """Who stands behind the shop was verified; the next time is due at `until_ms`."""

    kind = "shop.checked"
    until_ms: int


class CheckCameNear(Event, frozen=True):
    """30 days are left; the shop is asked to confirm its data."""

    kind = "shop.check_near"
    until_ms: int


class CheckLapsed(Event, frozen=True):
    """Nobody confirmed and checked in time: no new orders."""

    kind = "shop.check_lapsed"
    until_ms: int


class PayoutAccountChanged(Event, frozen=True):
    """Another account: money leaves for it from `payable_from_ms` on, so that an owner robbed of his login can act."""

    kind = "shop.payout_account_changed"
    payable_from_ms: int


class ShopAttended(Event, frozen=True):
    """Somebody of the shop was at the desk, said at most twice a day: a sign of life (FK-AF-1, R18)."""

    kind = "shop.attended"


class ShopClosed(Event, frozen=True):
    """The owner closed it."""

    kind = "shop.closed"


ShopEvent = (
    ShopApplied | ShopAdmitted | ShopChanged | ShopSuspended | ShopReinstated | ShopSanctioned | SanctionAnnotated
    | SanctionAppealed | ShopChecked | CheckCameNear | CheckLapsed | PayoutAccountChanged | ShopAttended | ShopClosed
    | vanishing.ShopVanished | vanishing.ReturnAsked | vanishing.ShopReturned
)  # fmt: skip


class OpenShop(Command, frozen=True):
    """Simple registration: a name, a contact, where the money shall go. `admitted`: it may trade at once."""

    shop_no: int
    name: str
    contact: str
    payout_account: str
    fee_bp: int
    admitted: bool


class AdmitShop(Command, frozen=True):
    """An applied shop may trade; follows from an application that passed."""

    fee_bp: int


class RenewCheck(Command, frozen=True):
    """It was verified; follows from an application that passed."""

    until_ms: int


class RemindOfCheck(Command, frozen=True):
    """The clock, 30 days before."""


class LapseCheck(Command, frozen=True):
    """The clock, when the time is over."""


class EndSuspension(Command, frozen=True):
    """The clock, when a suspension for a time is over."""


class ChangeShop(Command, frozen=True):
    """All three as they shall be from now on. `account_is_new`: who reads the sealed account says that it differs."""

    name: str
    announcement: str
    payout_account: str
    account_is_new: bool = True


class SuspendShop(Command, frozen=True):
    """Operator, with the reason that the shop will read; `reason_code` of `CLAUSE_OF` and the rest are published.
    `days` 0: until it is lifted.
    """

    reason: str
    reason_code: str = "other"
    measure: str = "suspension"  # suspension | ban
    days: int = 0


class AnnotateSanction(Command, frozen=True):
    """Operator: a correction, or the answer to an appeal. The text is published: nobody is named in it."""

    number: int
    text: str


class AppealSanction(Command, frozen=True):
    """The shop objects to a measure, once each."""

    number: int
    text: str


class ReinstateShop(Command, frozen=True):
    """Operator, with a reason."""

    reason: str


class AttendShop(Command, frozen=True):
    """Somebody of the shop looks at its desk."""


class NoteVanished(Command, frozen=True):
    """Inner: a ruling by R18 about `order_id` was carried out."""

    order_id: str
    ruling_no: int


class AskReturn(Command, frozen=True):
    """Merchant: the shop is back; a person shall look at it, once each time it vanished."""

    text: str


class LetReturn(Command, frozen=True):
    """Operator: it may trade again; why, in at least twenty characters."""

    reason: str


class CloseShop(Command, frozen=True):
    """Owner: no new orders for ever."""


ShopCommand = (
    OpenShop | AdmitShop | RenewCheck | RemindOfCheck | LapseCheck | EndSuspension | ChangeShop | SuspendShop
    | AnnotateSanction | AppealSanction | ReinstateShop | AttendShop | NoteVanished | AskReturn | LetReturn | CloseShop
)  # fmt: skip


class ShopIsInAnotherStanding(Refusal):
    """Details: standing."""


class ShopDeadlineIsNotDue(Refusal):
    """The clock came too early, or for a moment that has moved. Details: due_at_ms."""


class SanctionWasAppealed(Refusal):
    """A measure is appealed once; the operator's answer is added to it."""


class Note(Struct, frozen=True, kw_only=True):
    """An annotation to a sanction."""

    at_ms: int
    text: str


class Sanction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One measure against the shop as it is published. `until_ms` 0: until it is lifted."""

    number: int
    measure: str
    reason_code: str
    clause: str
    since_ms: int
    until_ms: int = 0
    lifted_at_ms: int = 0
    appealed_at_ms: int = 0
    notes: tuple[Note, ...] = ()


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
    suspended_until_ms: int = 0
    sanctions: tuple[Sanction, ...] = ()
    payable_from_ms: int = 0  # payouts to the present account
    checked_until_ms: int = 0  # 0: was never verified
    is_reminded: bool = False
    has_lapsed: bool = False
    vanished: vanishing.Vanished | None = None

    @property
    def has_vanished(self) -> bool:
        """Whether a ruling says so and nobody has let it return."""
        return vanishing.is_gone(self.vanished)

    @property
    def is_open(self) -> bool:
        """May it take orders?"""
        return self.standing is Standing.OPEN

    def takes_orders(self, at_ms: int) -> bool:
        """Open, and its check has not run out, whether or not the clock has come by to say so."""
        return self.is_open and not (self.checked_until_ms and at_ms >= self.checked_until_ms)


INITIAL = Shop()


def decide(command: ShopCommand, shop: Shop, brief: vanishing.RulingBriefing | None, at_ms: int) -> list[Event]:
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
            return _change(command, shop, at_ms)
        case SuspendShop():
            return _suspend(command, shop, at_ms)
        case AnnotateSanction():
            _sanction(shop, command.number)
            require_text(command.text, "text", 2_000, 5)
            return [SanctionAnnotated(number=command.number, text=command.text)]
        case AppealSanction():
            if _sanction(shop, command.number).appealed_at_ms:
                raise SanctionWasAppealed
            require_text(command.text, "text", 5_000, 5)
            return [SanctionAppealed(number=command.number, text=command.text)]
        case RenewCheck():
            return [ShopChecked(until_ms=command.until_ms)]
        case RemindOfCheck() | LapseCheck() | EndSuspension():
            return _by_the_clock(command, shop, at_ms)
        case ReinstateShop():
            _require(shop, Standing.SUSPENDED, Standing.BANNED)
            require_text(command.reason, "reason", 2_000, 5)
            return [ShopReinstated(reason=command.reason)]
        case AttendShop():
            if shop.standing in {Standing.NONE, Standing.CLOSED}:
                raise ShopIsInAnotherStanding(standing=shop.standing.value)
            return [ShopAttended()]
        case NoteVanished():
            assert brief is not None
            return vanishing.noted(shop.vanished, command.order_id, command.ruling_no, brief.ruled_at_ms)
        case AskReturn():
            return vanishing.return_asked(shop.vanished, command.text, at_ms)
        case LetReturn():
            return vanishing.returned(shop.vanished, command.reason)
        case CloseShop():
            _require(shop, Standing.OPEN, Standing.LAPSED, Standing.SUSPENDED)
            return [ShopClosed()]
        case _:
            assert_never(command)


def _change(command: ChangeShop, shop: Shop, at_ms: int) -> list[Event]:
    _require(shop, Standing.APPLIED, Standing.OPEN, Standing.LAPSED, Standing.SUSPENDED, Standing.BANNED)
    _check_profile(command.name, command.payout_account)
    require_text(command.announcement, "announcement", 2_000)
    changed = ShopChanged(name=command.name, announcement=command.announcement, payout_account=command.payout_account)
    if command.payout_account and command.account_is_new:
        return [changed, PayoutAccountChanged(payable_from_ms=at_ms + NEW_ACCOUNT_WAITS_MS)]
    return [changed]


def _suspend(command: SuspendShop, shop: Shop, at_ms: int) -> list[Event]:
    bans = command.measure == "ban"
    _require(shop, Standing.OPEN, Standing.LAPSED, *((Standing.SUSPENDED,) if bans else ()))
    require_text(command.reason, "reason", 2_000, 5)
    require(command.measure in {"suspension", "ban"}, "measure", "unknown")
    require(command.reason_code in CLAUSE_OF, "reason_code", "unknown")
    require(0 <= command.days <= (0 if bans else SUSPENSION_DAYS_MAX), "days", "out_of_range")
    require(len(shop.sanctions) < SANCTIONS_MAX, "reason", "too_many")
    return [
        ShopSuspended(reason=command.reason),
        ShopSanctioned(
            number=len(shop.sanctions) + 1,
            measure=command.measure,
            reason_code=command.reason_code,
            clause=CLAUSE_OF[command.reason_code],
            until_ms=at_ms + command.days * DAY_MS if command.days else 0,
        ),
    ]


def _by_the_clock(command: RemindOfCheck | LapseCheck | EndSuspension, shop: Shop, at_ms: int) -> list[Event]:
    until_ms = shop.checked_until_ms
    match command:
        case EndSuspension():
            _require(shop, Standing.SUSPENDED)
            _require_due(shop.suspended_until_ms, at_ms)
            return [ShopReinstated(reason="the time of the suspension is over")]
        case RemindOfCheck():
            _require(shop, Standing.OPEN, Standing.SUSPENDED)
            _require_due(0 if shop.is_reminded else until_ms - REMIND_BEFORE_MS, at_ms)
            return [CheckCameNear(until_ms=until_ms)]
        case LapseCheck():
            _require(shop, Standing.OPEN, Standing.SUSPENDED)
            _require_due(0 if shop.has_lapsed else until_ms, at_ms)
            return [CheckLapsed(until_ms=until_ms)]
        case _:
            assert_never(command)


def next_deadline(shop: Shop) -> tuple[int, str] | None:
    """When the shop moves by itself next, and how."""
    if shop.standing not in {Standing.OPEN, Standing.SUSPENDED}:
        return None
    dues: list[tuple[int, str]] = []
    if shop.suspended_until_ms:
        dues.append((shop.suspended_until_ms, "end_suspension"))
    if shop.checked_until_ms and not shop.has_lapsed:
        if shop.is_reminded:
            dues.append((shop.checked_until_ms, "lapse_check"))
        else:
            dues.append((shop.checked_until_ms - REMIND_BEFORE_MS, "remind_of_check"))
    return min(dues, default=None)


def _require_due(due_at_ms: int, at_ms: int) -> None:
    if due_at_ms <= 0 or at_ms < due_at_ms:
        raise ShopDeadlineIsNotDue(due_at_ms=due_at_ms)


def _sanction(shop: Shop, number: int) -> Sanction:
    if not 1 <= number <= len(shop.sanctions):
        raise NotFound(what="sanction")
    return shop.sanctions[number - 1]


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
            return replace(
                shop,
                standing=Standing.LAPSED if shop.has_lapsed else Standing.OPEN,
                suspended_because="",
                suspended_until_ms=0,
                sanctions=tuple(replace(one, lifted_at_ms=one.lifted_at_ms or at_ms) for one in shop.sanctions),
            )
        case ShopSanctioned():
            return _sanctioned(shop, event, at_ms)
        case SanctionAnnotated():
            return _with(shop, event.number, note=Note(at_ms=at_ms, text=event.text))
        case SanctionAppealed():
            return _with(shop, event.number, appealed_at_ms=at_ms)
        case ShopChecked():
            back = Standing.OPEN if shop.standing is Standing.LAPSED else shop.standing
            return replace(shop, standing=back, checked_until_ms=event.until_ms, is_reminded=False, has_lapsed=False)
        case CheckCameNear():
            return replace(shop, is_reminded=True)
        case CheckLapsed():
            standing = Standing.LAPSED if shop.standing is Standing.OPEN else shop.standing
            return replace(shop, standing=standing, has_lapsed=True)
        case PayoutAccountChanged():
            return replace(shop, payable_from_ms=event.payable_from_ms)
        case ShopAttended():
            return shop
        case vanishing.ShopVanished():
            is_over = shop.standing in {Standing.CLOSED, Standing.BANNED}  # it stays that; its orders are ended
            gone = vanishing.after(shop.vanished, event, at_ms, before=shop.standing.value)
            return replace(shop, vanished=gone, standing=shop.standing if is_over else Standing.VANISHED)
        case vanishing.ReturnAsked():
            return replace(shop, vanished=vanishing.after(shop.vanished, event, at_ms))
        case vanishing.ShopReturned():
            return _back(shop, vanishing.after(shop.vanished, event, at_ms))
        case ShopClosed():
            return replace(shop, standing=Standing.CLOSED)
        case _:
            assert_never(event)


def _back(shop: Shop, vanished: vanishing.Vanished) -> Shop:
    """It stands as before; what it did not confirm meanwhile is still overdue."""
    standing = Standing(vanished.before) if shop.standing is Standing.VANISHED else shop.standing
    if standing is Standing.OPEN and shop.has_lapsed:
        standing = Standing.LAPSED
    return replace(shop, standing=standing, vanished=vanished)


def _sanctioned(shop: Shop, event: ShopSanctioned, at_ms: int) -> Shop:
    sanction = Sanction(
        number=event.number,
        measure=event.measure,
        reason_code=event.reason_code,
        clause=event.clause,
        since_ms=at_ms,
        until_ms=event.until_ms,
    )
    return replace(
        shop,
        standing=Standing.BANNED if event.measure == "ban" else Standing.SUSPENDED,
        suspended_until_ms=event.until_ms,
        sanctions=(*shop.sanctions, sanction),
    )


def _with(shop: Shop, number: int, *, note: Note | None = None, appealed_at_ms: int = 0) -> Shop:
    """The shop with one sanction changed."""

    def changed(one: Sanction) -> Sanction:
        if one.number != number:
            return one
        notes = (*one.notes, note) if note else one.notes
        return replace(one, notes=notes, appealed_at_ms=appealed_at_ms or one.appealed_at_ms)

    return replace(shop, sanctions=tuple(changed(one) for one in shop.sanctions))
