"""Who may ask for what. INNER commands follow from events and are never taken from outside."""

from enum import StrEnum

from . import (
    admissions,
    attestations,
    batches,
    codes,
    complaints,
    coupons,
    erasures,
    escrow,
    issuers,
    listings,
    messages,
    orders,
    payments,
    payouts,
    reviews,
    shops,
    standards,
)
from .basics import Command


class Asker(StrEnum):
    """Who stands behind a command; edges prove it before they ask."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    OPERATOR = "operator"
    PROVIDER = "provider"
    ISSUER = "issuer"
    CLOCK = "clock"
    INNER = "inner"


_ASKERS: dict[type[Command], set[Asker]] = {
    orders.PlaceOrder: {Asker.BUYER},
    orders.GiveUpOrder: {Asker.BUYER},
    orders.WithdrawOrder: {Asker.BUYER},
    orders.AgreeToWait: {Asker.BUYER},
    orders.ConfirmOrder: {Asker.BUYER},
    orders.ExpireOrder: {Asker.CLOCK},
    orders.CancelLateOrder: {Asker.CLOCK},
    orders.CompleteOrder: {Asker.CLOCK},
    orders.ConfirmPayment: {Asker.INNER},
    orders.MarkDelivered: {Asker.INNER},
    orders.FreezeOrder: {Asker.INNER},
    orders.CloseDisputed: {Asker.INNER},
    escrow.RecordPayment: {Asker.PROVIDER},
    escrow.JudgePayment: {Asker.INNER},
    escrow.RefundHeld: {Asker.INNER},
    escrow.ReleaseHeld: {Asker.INNER},
    escrow.RecordRefund: {Asker.PROVIDER},
    escrow.RecordRelease: {Asker.PROVIDER},
    escrow.RetryRefund: {Asker.OPERATOR},
    escrow.RetryRelease: {Asker.OPERATOR},
    codes.ReserveCodes: {Asker.INNER},
    codes.ReleaseCodes: {Asker.INNER},
    codes.DeliverReserved: {Asker.INNER},
    codes.DeliverTyped: {Asker.MERCHANT},
    codes.RevealCodes: {Asker.BUYER},
    complaints.OpenComplaint: {Asker.BUYER},
    complaints.AcceptComplaint: {Asker.MERCHANT},
    complaints.ContestComplaint: {Asker.MERCHANT},
    complaints.WithdrawComplaint: {Asker.BUYER},
    complaints.RuleComplaint: {Asker.OPERATOR},
    complaints.EndSilence: {Asker.CLOCK},
    reviews.PostReview: {Asker.BUYER},
    messages.SendMessage: {Asker.BUYER, Asker.MERCHANT},
    shops.OpenShop: {Asker.MERCHANT},
    shops.AdmitShop: {Asker.INNER},
    shops.RenewCheck: {Asker.INNER},
    shops.RemindOfCheck: {Asker.CLOCK},
    shops.LapseCheck: {Asker.CLOCK},
    shops.EndSuspension: {Asker.CLOCK},
    shops.AnnotateSanction: {Asker.OPERATOR},
    shops.AppealSanction: {Asker.MERCHANT},
    admissions.FileApplication: {Asker.MERCHANT},
    admissions.DecideApplication: {Asker.OPERATOR},
    shops.ChangeShop: {Asker.MERCHANT},
    shops.SuspendShop: {Asker.OPERATOR},
    shops.ReinstateShop: {Asker.OPERATOR},
    shops.CloseShop: {Asker.MERCHANT},
    listings.PublishListing: {Asker.MERCHANT},
    listings.WithdrawListing: {Asker.MERCHANT, Asker.OPERATOR},
    coupons.CreateCoupon: {Asker.MERCHANT},
    coupons.UseCoupon: {Asker.INNER},
    coupons.ReturnCoupon: {Asker.INNER},
    coupons.WithdrawCoupon: {Asker.MERCHANT},
    batches.RegisterBatch: {Asker.MERCHANT},
    batches.WithdrawCodes: {Asker.MERCHANT},
    payments.RecordUnmatched: {Asker.PROVIDER},
    payments.RefundUnmatched: {Asker.OPERATOR},
    payments.ReturnUnmatched: {Asker.CLOCK},
    payments.RecordUnmatchedRefund: {Asker.PROVIDER},
    payouts.RequestPayout: {Asker.MERCHANT},
    payouts.RecordPayout: {Asker.PROVIDER},
    erasures.RecordErasure: {Asker.OPERATOR},
    standards.PublishStandard: {Asker.CLOCK},
    issuers.RegisterIssuer: {Asker.OPERATOR},
    issuers.RotateIssuerKey: {Asker.OPERATOR},
    issuers.ChangeIssuerScope: {Asker.OPERATOR},
    issuers.ChangeIssuerApi: {Asker.OPERATOR},
    issuers.SuspendIssuer: {Asker.OPERATOR},
    issuers.ReinstateIssuer: {Asker.OPERATOR},
    attestations.AttestCode: {Asker.ISSUER},
    attestations.RecordIssuerAnswer: {Asker.OPERATOR},
}
ASKERS: dict[type[Command], frozenset[Asker]] = {command: frozenset(askers) for command, askers in _ASKERS.items()}
