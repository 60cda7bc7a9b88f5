"""The outside world as effects see it: a payment provider that holds money for others, and a mail carrier.

Everything here happens after the commit and at least once: each call carries a key by which the other side recognises a
repeat, nothing is retried inside an adapter (the outbox retries, every attempt visible), and what the other side says
is either a final answer or one of the typed errors below. Amounts are integer fen, times integer milliseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

InstructionKind = Literal["refund", "release", "payout"]
InstructionState = Literal["pending", "succeeded", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Where the buyer pays: a page of the provider, and the text of a QR code that leads there."""

    pay_url: str
    qr_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNotice:
    """Money arrived at the provider for one of our references and is held there.

    A fact, not a question: amount and currency are what was really paid, not what was asked for. `provider_txn` is
    unique per movement of money; the same one told twice is the same money. `reference` is what was given to `collect`.
    """

    provider_txn: str
    reference: str
    amount_fen: int
    currency: str
    paid_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionNotice:
    """An instruction of ours came to its end at the provider.

    `amount_fen` is the amount of the instruction; `reason` is empty when it succeeded.
    """

    kind: InstructionKind
    idempotency_key: str
    provider_ref: str
    succeeded: bool
    amount_fen: int
    reason: str


Notice = PaymentNotice | InstructionNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What the provider knows of one instruction: `pending` is confirmed later, the other two are final."""

    idempotency_key: str
    provider_ref: str
    state: InstructionState
    reason: str


class ProviderIsUnreachable(Exception):
    """No usable answer: connection, timeout, 5xx, 429. It may have been done; ask again with the same key."""


class ProviderRefused(Exception):
    """The provider said no and means it: asking again with the same words gives the same answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotificationIsForged(Exception):
    """Signature missing or wrong, or the timestamp lies too far from now: nothing in it may be believed."""


class NotificationIsUnreadable(Exception):
    """Properly signed, but not something we understand: the provider may have changed its words. Tell an operator."""


class PaymentProvider(Protocol):
    """A licensed provider that collects, holds and splits money on our instructions (custody `psp_held`)."""

    @property
    def name(self) -> str:
        """Short stable name, kept beside every payment fact: `sandbox`, `alipay`, ..."""
        ...

    async def collect(
        self, *, reference: str, amount_fen: int, subject: str, expires_at_ms: int, return_url: str, notify_url: str
    ) -> Collection:
        """Open a collection. Idempotent by `reference`; other terms under the same reference are refused.

        Raises `ProviderIsUnreachable`, `ProviderRefused`.
        """
        ...

    async def query_payment(self, reference: str) -> tuple[PaymentNotice, ...]:
        """All money received for this reference, oldest first; empty if none or if the reference is unknown.

        Raises `ProviderIsUnreachable`, `ProviderRefused`.
        """
        ...

    async def refund(
        self, *, idempotency_key: str, provider_txn: str, amount_fen: int, out_of: str = ""
    ) -> Instruction:
        """Give (a part of) one received payment back to who paid it. Raises as `collect`.

        `out_of`: an account at the provider that bears it when the payment was split already, in one instruction
        (Alipay: `refund_royalty_parameters`; WeChat Pay: 分账回退, then refund). Empty: out of what is held.
        """
        ...

    async def release(
        self, *, idempotency_key: str, provider_txn: str, shop_account: str, amount_fen: int, fee_fen: int
    ) -> Instruction:
        """Split held money of one payment: `amount_fen` to the shop's account there, `fee_fen` to the platform.

        `amount_fen` does not contain the fee; together they leave the held money. Raises as `collect`.
        """
        ...

    async def pay_out(self, *, idempotency_key: str, shop_account: str, amount_fen: int) -> Instruction:
        """Send money from the shop's account at the provider to the shop's bank. Raises as `collect`."""
        ...

    async def query_instruction(self, kind: InstructionKind, idempotency_key: str) -> Instruction | None:
        """How an instruction stands; `None` if the provider never heard of it. Raises as `collect`."""
        ...

    def read_notification(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Notice:
        """Check signature and age of what was posted to us, then read it. Pure and fast: no I/O, no clock of its own.

        `headers` are looked up in lower case. Raises `NotificationIsForged`, `NotificationIsUnreadable`.
        """
        ...


class MailIsUnreachable(Exception):
    """Not handed over, or not known to be: connection, timeout, 4yz answer. Send again with the same key."""


class MailWasRefused(Exception):
    """The carrier will not take this mail (5yz answer, unusable address): sending it again is pointless."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    data: bytes


class Mail(Protocol):
    """Hands a letter to a carrier."""

    async def send(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None,
        idempotency_key: str,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        """Send one mail to one address. The same key gives the same Message-ID, so a repeat can be recognised.

        Raises `MailIsUnreachable`, `MailWasRefused`.
        """
        ...
