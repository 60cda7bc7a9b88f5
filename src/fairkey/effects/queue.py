"""Which events need something done outside, after the commit, at least once.

An effect's key is the idempotency key that the provider sees, so that doing it twice is doing it once; it also says
where the provider's later report belongs.
"""

from msgspec import Struct

from fairkey.business import (
    admissions,
    attestations,
    claims,
    crediting,
    deposit_events,
    dispute_events,
    dispute_state,
    escrow,
    evidence,
    liquidations,
    messages,
    orders,
    outages,
    panel_events,
    panels,
    payments,
    payouts,
    quarantines,
    reminders,
    restoring,
    shops,
    vanishing,
)
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, Event, Stream
from fairkey.business.credit.meter import band_of


class Effect(Struct, frozen=True, kw_only=True):
    """One row of the outbox."""

    stream: Stream
    kind: str  # refund | release | payout | refund_unmatched | tell_buyer | tell_merchant | ask_again | judge
    key: str
    payload: dict[str, object] = {}
    wait_ms: int = 0  # from the commit until it is first tried


MONEY = frozenset({"refund", "release", "payout", "refund_unmatched", "restore", "deposit_secure", "deposit_return"})
CUSTODY_ACCOUNT = "custody"  # the account at the provider that holds deposits and the pool
ASK_AGAIN = "ask_again"
JUDGE = "judge"
QUARANTINE = "quarantine"
LOOK_AT_WORDS = "look_at_words"
WIND_UP = "wind_up"
PAY_SHARES = "pay_shares"
RESUME_CLOCKS = "resume_clocks"
WOUND_UP_AGAIN_MS = 30 * MINUTE_MS  # what was placed or paid in the very moment is over or delivered by then
REMIND = "remind"
LATE_ROWS = frozenset({"R01", "R02"})  # their letter is that of the refund
# A buyer may pay in the last minute and the provider's word be lost: after the order ended unpaid it is asked again.
ASKED_AGAIN_AFTER_MS = (5 * MINUTE_MS, HOUR_MS, DAY_MS)
TELLING = frozenset({"tell_buyer", "tell_merchant", "tell_arbitrator"})
KEY_PARTS = 6
PANEL_STEPS = frozenset({"list_pool", "draw_panel", "reveal_panel", "settle_panel"})
REMIND_BEFORE_MS = 4 * HOUR_MS


def effects_of(stream: Stream, version: int, event: Event) -> list[Effect]:
    """The effects of event number `version` of `stream`."""
    return [*_done_or_told(stream, version, event), *_looks(stream, version, event)]


def _looks(stream: Stream, version: int, event: Event) -> list[Effect]:
    """An issuer spoke of a code, or a shop sells again: codes that a ruling took off sale may come back."""
    match event:
        case (
            attestations.CodeActivated() | attestations.CodeUnused() | attestations.CodeRevoked()
            | shops.ShopReinstated() | shops.ShopChecked() | vanishing.ShopReturned() | crediting.FreezeReviewed()
        ):  # fmt: skip
            key = f"{LOOK_AT_WORDS}:{stream.shop_id}:{stream.kind}:{stream.id}:{version}"
            return [Effect(stream=stream, kind=LOOK_AT_WORDS, key=key)]
        case _:
            return []


def _done_or_told(stream: Stream, version: int, event: Event) -> list[Effect]:
    match event:
        case escrow.RefundRequested():
            payload: dict[str, object] = {
                "provider": event.provider,
                "provider_txn": event.provider_txn,
                "amount_fen": event.amount_fen,
            }
            key = key_of(stream, "refund", event.refund_no, event.attempt)
            refund = Effect(stream=stream, kind="refund", key=key, payload=payload)
            if event.attempt > 1:
                return [refund]
            return [refund, _tell("buyer", stream, version, "refund", amount_fen=event.amount_fen, why=event.why)]
        case escrow.PaymentReleased():
            payload = {
                "provider": event.provider,
                "provider_txn": event.provider_txn,
                "amount_fen": event.shop_fen,
                "fee_fen": event.fee_fen,
            }
            key = key_of(stream, "release", event.release_no, event.attempt)
            return [Effect(stream=stream, kind="release", key=key, payload=payload)]
        case payouts.PayoutRequested():
            key = key_of(stream, "payout", 1, event.attempt)
            return [Effect(stream=stream, kind="payout", key=key, payload={"amount_fen": event.amount_fen})]
        case deposit_events.DepositToppedUp():
            key = key_of(stream, "release", event.top_up_no, event.attempt)
            return [_instruction(stream, "deposit_secure", key, event)]
        case deposit_events.DepositReleased():
            key = key_of(stream, "refund", event.return_no, event.attempt)
            return [_instruction(stream, "deposit_return", key, event)]
        case restoring.PaymentRestoring():
            key = key_of(stream, "restore", event.restore_no, event.attempt)
            told = [_instruction(stream, "restore", key, event)]
            if event.attempt == 1:
                told.append(
                    _tell("buyer", stream, version, "refund", amount_fen=event.amount_fen, why=f"from_{event.source}")
                )
            return told
        case payments.UnmatchedRefundRequested():
            payload = {
                "provider": event.provider,
                "provider_txn": event.provider_txn,
                "amount_fen": event.amount_fen,
            }
            key = key_of(stream, "refund", 1, event.attempt)
            return [Effect(stream=stream, kind="refund_unmatched", key=key, payload=payload)]
        case orders.OrderExpired():
            return [
                Effect(
                    stream=stream,
                    kind=ASK_AGAIN,
                    key=f"ask:{stream.shop_id}:{stream.kind}:{stream.id}:{version}:{number}",
                    wait_ms=wait_ms,
                )
                for number, wait_ms in enumerate(ASKED_AGAIN_AFTER_MS, 1)
            ]
        case orders.OrderDelivered():
            return [_tell("buyer", stream, version, "delivered", quantity=event.quantity)]
        case orders.OrderPaid(delivery=orders.Delivery.MANUAL):
            return [
                _tell("merchant", stream, version, "deliver_now", deliver_by_ms=event.deliver_by_ms),
                _tell("buyer", stream, version, "paid", deliver_by_ms=event.deliver_by_ms),
            ]
        case messages.MessageSent(letter=True):
            return [_tell("merchant" if event.by is messages.Writer.BUYER else "buyer", stream, version, "message")]
        case _:
            told = [*_of_dispute(stream, version, event), *_reminders(stream, version, event)]
            return told or _shop_letters(stream, version, event)


def _instruction(
    stream: Stream,
    kind: str,
    key: str,
    event: deposit_events.DepositToppedUp | deposit_events.DepositReleased | restoring.PaymentRestoring,
) -> Effect:
    payload: dict[str, object] = {
        "provider": event.provider,
        "provider_txn": event.provider_txn,
        "amount_fen": event.amount_fen,
    }
    return Effect(stream=stream, kind=kind, key=key, payload=payload)


def _of_dispute(stream: Stream, version: int, event: Event) -> list[Effect]:
    """Whom a fact of a dispute is told to, and whether the standard is to be asked anew."""
    match event:
        case dispute_events.ComplaintOpened():
            return [
                _tell("merchant", stream, version, "complaint", answer_by_ms=event.answer_by_ms),
                _judge(stream, version),
            ]
        case dispute_events.ComplaintContested():
            return [_tell("buyer", stream, version, "contested", rule_by_ms=event.rule_by_ms), _judge(stream, version)]
        case evidence.EvidenceAdded(rank=evidence.Rank.RECORDING):
            return [_judge(stream, version), _judge(stream, version, evidence.DOUBT_WITHIN_MS)]
        case (
            dispute_events.SettlementDeclined() | dispute_events.BuyerReplied() | evidence.EvidenceAdded()
            | evidence.EvidenceConfirmed() | evidence.EvidenceDoubted() | evidence.EvidenceWithdrawn()
            | attestations.CodeActivated() | attestations.CodeUnused() | attestations.CodeRevoked()
        ):  # fmt: skip
            return [_judge(stream, version)]
        case dispute_events.SettlementOffered():
            whom = "buyer" if event.by is dispute_events.Side.SHOP else "merchant"
            return [_tell(whom, stream, version, "offered", refund_fen=event.refund_fen)]
        case dispute_events.ComplaintRuled(by="standard") if event.row not in LATE_ROWS:
            facts: dict[str, object] = {
                "refund_fen": event.refund_fen + event.pool_fen,
                "appeal_by_ms": event.appeal_by_ms,
            }
            return [_tell(whom, stream, version, "ruled", **facts) for whom in ("buyer", "merchant")]
        case dispute_events.ComplaintRuled(by="panel") if event.level < dispute_state.LEVELS[-1]:
            decided: dict[str, object] = {
                "level": event.level,
                "refund_fen": event.refund_fen,
                "appeal_by_ms": event.appeal_by_ms,
            }
            return [_tell(whom, stream, version, "panel_ruled", **decided) for whom in ("buyer", "merchant")]
        case dispute_events.RulingExecuted():
            return [_quarantine(stream, version)]
        case dispute_events.ComplaintEscalated():
            by_ms: dict[str, object] = {"decide_by_ms": event.decide_by_ms}
            return [_tell(whom, stream, version, "escalated", **by_ms) for whom in ("buyer", "merchant")]
        case dispute_events.ComplaintClosed():
            ended: dict[str, object] = {"outcome": event.outcome.value, "refund_fen": event.refund_fen}
            return [_tell(whom, stream, version, "complaint_closed", **ended) for whom in ("buyer", "merchant")]
        case _:
            return _of_turns(stream, version, event)


def _of_turns(stream: Stream, version: int, event: Event) -> list[Effect]:
    """Questions, replacements, what lapsed: whose turn it is then."""
    match event:
        case dispute_events.ReplacementSent():
            return [_tell("buyer", stream, version, "resent", confirm_by_ms=event.confirm_by_ms)]
        case dispute_events.ReplacementConfirmed():
            return [_tell("merchant", stream, version, "resend_confirmed"), _judge(stream, version)]
        case dispute_events.ReplacementRefused():
            return [
                _tell("merchant", stream, version, "resend_refused", answer_by_ms=event.answer_by_ms),
                _judge(stream, version),
            ]
        case dispute_events.ComplaintLapsed():
            return [_tell("buyer", stream, version, "lapsed", reopen_by_ms=event.reopen_by_ms)]
        case dispute_events.ComplaintReopened():
            return [_tell("merchant", stream, version, "reopened"), _judge(stream, version)]
        case dispute_events.BuyerAsked():
            return [_tell("buyer", stream, version, "asked", reply_by_ms=event.reply_by_ms)]
        case _:
            return []


def _reminders(stream: Stream, version: int, event: Event) -> list[Effect]:
    """Reminders wait in the outbox; when one comes up it is seen whether anybody still waits."""
    if isinstance(event, dispute_events.ComplaintRuled) and (event.row in LATE_ROWS or not event.appeal_by_ms):
        return []
    return [
        Effect(
            stream=stream,
            kind="tell_buyer" if one.whom is dispute_events.Side.BUYER else "tell_merchant",
            key=f"remind:{one.whom}:{stream.shop_id}:{stream.id}:{version}:{one.turn}:{one.before_ms // HOUR_MS}",
            payload={"what": REMIND, "turn": one.turn.value, "number": one.number, "before_ms": one.before_ms},
            wait_ms=one.wait_ms,
        )
        for one in reminders.reminders_of(event)
    ]


def _of_panel(stream: Stream, version: int, event: Event) -> list[Effect]:
    """What the worker does for a panel next, and which arbitrators are told; and once an outage is over."""
    match event:
        case panel_events.PanelRequested():
            return [_panel_step(stream, version, "list_pool")]
        case panel_events.PanelConvened():
            return [_panel_step(stream, version, "draw_panel")]
        case panel_events.PanelDrawn():
            waits_ms = (0, panels.COMMIT_MS - REMIND_BEFORE_MS)
            return [
                _seated(stream, version, seat.arbitrator_id, event.commit_by_ms, wait_ms)
                for seat in event.seats
                for wait_ms in waits_ms
            ]
        case panel_events.SeatReplaced():
            waits_ms = (0, panels.REPLACEMENT_MS - REMIND_BEFORE_MS)
            return [_seated(stream, version, event.arbitrator_id, event.commit_by_ms, one) for one in waits_ms]
        case panel_events.RevealOpened():
            return [_panel_step(stream, version, "reveal_panel")]
        case panel_events.PanelDecided() | panel_events.PanelLapsed():
            return [_panel_step(stream, version, "settle_panel")]
        case outages.OutageEnded():
            return [_resume(stream, version)]
        case _:
            return []


def _resume(stream: Stream, version: int) -> Effect:
    return Effect(stream=stream, kind=RESUME_CLOCKS, key=f"resume:{stream.id}:{version}")


def _panel_step(stream: Stream, version: int, kind: str) -> Effect:
    return Effect(stream=stream, kind=kind, key=f"panel:{kind}:{stream.id}:{version}")


def _seated(stream: Stream, version: int, arbitrator_id: str, commit_by_ms: int, wait_ms: int) -> Effect:
    what = "remind" if wait_ms else "seated"
    return Effect(
        stream=stream,
        kind="tell_arbitrator",
        key=f"tell:{what}:{stream.id}:{version}:{arbitrator_id}",
        payload={"what": what, "arbitrator_id": arbitrator_id, "commit_by_ms": commit_by_ms},
        wait_ms=wait_ms,
    )


def _shop_letters(stream: Stream, version: int, event: Event) -> list[Effect]:
    """What the people of a shop are told about the shop itself; sealed texts are read when the letter is written."""
    match event:
        case admissions.ApplicationPassed():
            facts: dict[str, object] = {"what": "application_passed", "until_ms": event.checked_until_ms}
        case admissions.MoreAsked():
            facts = {"what": "application_returned"}
        case admissions.ApplicationRefused():
            facts = {"what": "application_refused"}
        case shops.CheckCameNear():
            facts = {"what": "check_near", "until_ms": event.until_ms}
        case shops.CheckLapsed():
            facts = {"what": "check_lapsed"}
        case shops.ShopSanctioned():
            facts = {"what": f"sanctioned_{event.measure}"}
        case crediting.CreditChanged() if event.band is not band_of(event.meter - event.change):
            facts = {"what": f"credit_{event.band.value}"}
        case crediting.FreezeReviewed():
            facts = {"what": "credit_reviewed"}
        case shops.ShopReinstated():
            facts = {"what": "reinstated"}
        case vanishing.ShopReturned():
            facts = {"what": "returned"}
        case shops.PayoutAccountChanged():
            facts = {"what": "payout_account_changed", "payable_from_ms": event.payable_from_ms}
        case _:
            told = _of_vanished(stream, version, event) or _of_panel(stream, version, event)
            return told or _of_batch(stream, version, event)
    return [_tell("merchant", stream, version, str(facts.pop("what")), **facts)]


def _of_batch(stream: Stream, version: int, event: Event) -> list[Effect]:
    """A batch was taken off sale, or codes of it came back; one letter for many words of an issuer."""
    match event:
        case quarantines.BatchQuarantined():
            what = "batch_quarantined"
        case quarantines.CodesLetBack(by="issuer") if event.number == 1 or not event.held:
            what = "batch_vouched_for"
        case quarantines.BatchReviewAnswered():
            what = "batch_review_granted" if event.granted else "batch_review_refused"
        case quarantines.BatchReviewLapsed():
            what = "batch_review_lapsed"
        case _:
            return []
    return [_tell("merchant", stream, version, what)]


def _of_vanished(stream: Stream, version: int, event: Event) -> list[Effect]:
    """A vanished shop is wound up; what is left of its deposit is divided."""
    match event:
        case vanishing.ShopVanished():
            looks = [_wind_up(stream, version, wait_ms) for wait_ms in (0, WOUND_UP_AGAIN_MS)]
            return [_tell("merchant", stream, version, "vanished"), *looks]
        case claims.ClaimAnnounced():
            return [_tell("buyer", stream, version, "claimable", claim_by_ms=event.claim_by_ms)]
        case liquidations.DepositShared():
            return [Effect(stream=stream, kind=PAY_SHARES, key=f"pay_shares:{stream.shop_id}:{version}")]
        case _:
            return []


def key_of(stream: Stream, what: str, number: int, attempt: int) -> str:
    """The idempotency key of an instruction about `stream`."""
    return f"{what}:{stream.shop_id}:{stream.kind}:{stream.id}:{number}:{attempt}"


def read_key(key: str) -> tuple[str, Stream, int, int] | None:
    """(what, stream, number, attempt) of a key that `key_of` made; `None` for anything else."""
    parts = key.split(":")
    if len(parts) != KEY_PARTS or not parts[4].isdigit() or not parts[5].isdigit():
        return None
    return parts[0], Stream(parts[1], parts[2], parts[3]), int(parts[4]), int(parts[5])


def _quarantine(stream: Stream, version: int) -> Effect:
    return Effect(
        stream=stream, kind=QUARANTINE, key=f"quarantine:{stream.shop_id}:{stream.kind}:{stream.id}:{version}"
    )


def _wind_up(stream: Stream, version: int, wait_ms: int) -> Effect:
    return Effect(stream=stream, kind=WIND_UP, key=f"wind_up:{stream.shop_id}:{version}:{wait_ms}", wait_ms=wait_ms)


def _judge(stream: Stream, version: int, wait_ms: int = 0) -> Effect:
    """`wait_ms`: later, when what happened now comes to count by itself."""
    key = f"judge:{stream.shop_id}:{stream.kind}:{stream.id}:{version}"
    return Effect(stream=stream, kind=JUDGE, key=f"{key}:{wait_ms}" if wait_ms else key, payload={}, wait_ms=wait_ms)


def _tell(whom: str, stream: Stream, version: int, what: str, **facts: object) -> Effect:
    key = f"tell:{whom}:{stream.shop_id}:{stream.kind}:{stream.id}:{version}"
    return Effect(stream=stream, kind=f"tell_{whom}", key=key, payload={"what": what, **facts})
