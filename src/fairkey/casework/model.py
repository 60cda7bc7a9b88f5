"""The shapes of a case: files as they came, what was read from them, what the buyer confirmed, what was done about it.

A case is one JSON document (`Case`) beside its files. Moments are milliseconds UTC (`…_at_ms`), money is fen
(`…_fen`). Nothing here reads or writes files.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

FORMAT: Final = "fairkey-case/1"


class FactKind(StrEnum):
    """What a file can tell about a purchase."""

    ORDER_NUMBER = "order_number"
    AMOUNT = "amount_fen"  # value: integer fen
    TIME = "time"  # value: ISO 8601 with offset, to the second or minute that the file shows
    CODE = "code"
    SHOP = "shop"
    PLATFORM = "platform"
    TRANSACTION = "transaction"
    ERROR = "error"
    PROMISE = "promise"
    PRODUCT = "product"


class FactRole(StrEnum):
    """Which of several facts of one kind it is; empty where a file does not say."""

    NONE = ""
    ORDERED = "ordered"
    PAID = "paid"
    DELIVERED = "delivered"
    PROBLEM = "problem"
    COMPLAINED = "complained"
    ANSWERED = "answered"
    REFUNDED = "refunded"


class Problem(StrEnum):
    """What went wrong with the purchase."""

    NOT_DELIVERED = "not_delivered"
    DELIVERED_LATE = "delivered_late"
    PARTLY_DELIVERED = "partly_delivered"
    ALREADY_USED = "already_used"
    NOT_VALID = "not_valid"
    WRONG_REGION = "wrong_region"
    WRONG_PRODUCT = "wrong_product"
    EXPIRED_CODE = "expired_code"
    REVOKED_LATER = "revoked_later"
    FAKE_STOCK = "fake_stock"
    REFUND_REFUSED = "refund_refused"
    SELLER_VANISHED = "seller_vanished"
    OTHER = "other"


class Purpose(StrEnum):
    """What the codes were bought for: it decides between consumer law and trade between businesses."""

    LIVING = "living"
    RESALE = "resale"


class Region(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where in a file something stands: a box in pixels of the original image (`page` counts from 0 in documents and
    in stills of a recording, then with `at_ms` of the recording; from 1 in pictures of a saved page), or a span of
    characters of its text.
    """

    page: int = 0
    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0
    start: int = 0
    end: int = 0
    at_ms: int = 0


class ProposedFact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader found. It proposes only; `text` is the spot's text as read, and `value` must follow from it.

    `file`: SHA-256 of the file, hex. `confidence`: 0 to 1. `said_by`: me, other, system or empty, in chats. `anchor`:
    what a time that names no date was counted from: `above` or `taken`, and the day or moment (ISO 8601).
    """

    file: str
    kind: FactKind
    value: int | str
    region: Region
    confidence: float
    text: str = ""
    role: FactRole = FactRole.NONE
    said_by: str = ""
    anchor: str = ""


class ConfirmedFact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the buyer says is so; `read` is what was proposed, if he corrected it. `files`: every file that shows it."""

    fact_id: str
    kind: FactKind
    value: int | str
    role: FactRole = FactRole.NONE
    files: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    read: int | str | None = None
    confirmed_at_ms: int = 0


class Capture(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who made a file, when and how, as the person said or the machine saw. Empty where nobody said.

    `how`: screenshot, photo, recording, export, mail, page, paper or other. `environment`: facts that the machine
    recorded about itself (system, software and its version, device, clock), word by word.
    """

    who: str = ""
    how: str = ""
    made_at_ms: int = 0
    device: str = ""
    environment: dict[str, str] = {}
    nonce: str = ""


class Seal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What fixes a file in time: its hashes, and later a timestamp token and a log receipt over the list that names
    it. `stamped_at_ms` 0: still queued. `sha512_piece_bytes` 0: `sha512` is that of the file; else that of the lines of
    hex of the SHA-512 of its pieces of so many bytes (`hashing`). `sha512` is empty for files of more than 64 MiB.
    """

    sha256: str
    sha512: str
    size_bytes: int
    sealed_at_ms: int
    list_sha256: str = ""
    stamped_at_ms: int = 0
    receipt_entry: int = -1
    sha512_piece_bytes: int = 0


class CaseFile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of the case. The original lies untouched at `path` (relative to the case's folder). `taken_at`: when the
    person says that the picture was taken, a day or a moment (ISO 8601, China's time); said after sealing.
    """

    name: str
    path: str
    media_type: str
    seal: Seal
    capture: Capture = Capture()
    purpose: str = ""
    note: str = ""
    near_duplicate_of: str = ""
    taken_at: str = ""
    checks: dict[str, str] = {}  # what was verified about it, as `dkim`: `pass d=example.com s=k1 2048 bits`


class Party(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person or enterprise of the case. `kind`: person, company, platform, unknown."""

    kind: str = "unknown"
    name: str = ""
    uscc: str = ""
    address: str = ""
    phone: str = ""
    mail: str = ""
    shop: str = ""
    platform: str = ""
    url: str = ""
    legal_representative: str = ""


class Purchase(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was bought, as confirmed. 0 and empty: not known."""

    platform: str = ""
    shop: str = ""
    order_number: str = ""
    product: str = ""
    quantity: int = 1
    amount_fen: int = 0
    ordered_at_ms: int = 0
    paid_at_ms: int = 0
    delivered_at_ms: int = 0
    problem_at_ms: int = 0
    transaction: str = ""
    promised_within_s: int = 0
    account_region: str = ""


class StepTaken(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was done on a channel and what came of it. `channel`: as the channels' modules name themselves.

    `stage`: prepared, sent, accepted, refused, answered, settled, ended. `outcome`: in the buyer's words.
    """

    step_id: str
    channel: str
    stage: str
    at_ms: int
    due_at_ms: int = 0
    reference: str = ""
    outcome: str = ""
    received_fen: int = 0


class Case(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One case. `revision` grows with every change; what was before stands in the case's journal."""

    case_id: str
    created_at_ms: int
    format: str = FORMAT
    revision: int = 0
    title: str = ""
    locale: str = "zh_CN"
    problem: Problem = Problem.OTHER
    purpose: Purpose = Purpose.LIVING
    asserts_fraud: bool = False
    buyer: Party = Party(kind="person")
    respondents: tuple[Party, ...] = ()
    purchase: Purchase = Purchase()
    account: str = ""  # what happened, in the buyer's own words
    wishes: tuple[str, ...] = ()  # refund, resend, make_up, damages
    losses_fen: int = 0
    files: tuple[CaseFile, ...] = ()
    proposed: tuple[ProposedFact, ...] = ()
    facts: tuple[ConfirmedFact, ...] = ()
    steps: tuple[StepTaken, ...] = ()
