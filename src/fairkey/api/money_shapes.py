"""Batches, coupons and money of a shop."""

from typing import Annotated, Literal

from msgspec import Meta

from fairkey.api.quarantine_shapes import OffSaleView, off_sale_view
from fairkey.api.shapes import Cursor, Fen, Hash, Id, In, Limit, Moment, Out, PriceFen, moment, moment_or_none
from fairkey.business.basics import AMOUNT_MAX_FEN
from fairkey.engine.vault_port import ImportRecord, RefusedRow
from fairkey.read_tables.quarantine_book import Standing
from fairkey.read_tables.shop_desk import BatchLine, CouponLine, LedgerRow, PayoutLine

NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"


class ImportQuery(In, frozen=True, kw_only=True):
    """What a file of codes is for and where it comes from."""

    listing_id: Id
    source: Literal["issuer", "invoice", "typed"]
    note: Annotated[str, Meta(max_length=500, pattern=NO_CONTROLS)] = ""
    file_name: Annotated[str, Meta(max_length=200, pattern=NO_CONTROLS)] = ""
    invoice_sha256: Annotated[
        str, Meta(pattern="^([0-9a-f]{64})?$", description="SHA-256 of the invoice; empty: none.")
    ] = ""
    attestation: Annotated[
        str,
        Meta(
            max_length=8_192,
            description="What the issuer signed about this list (JSON with `statement` and `signature`); empty: none.",
        ),
    ] = ""


class BatchesQuery(In, frozen=True, kw_only=True):
    """Which batches."""

    listing_id: Annotated[str, Meta(max_length=36, description="Empty: of all listings.")] = ""
    cursor: Cursor = ""
    limit: Limit = 30


class ImportState(Out, frozen=True, kw_only=True):
    """How an import is going; readable while the file is still coming."""

    state: Literal["receiving", "staged", "registered", "failed", "abandoned"]
    file_name: str
    encoding: str
    delimiter: str
    columns_taken: tuple[str, ...]
    columns_ignored: tuple[str, ...]
    bytes_read: int
    lines_read: int
    empty: int
    accepted: int
    refused: int
    duplicate_in_file: Annotated[int, Meta(description="Of the refused: given twice in this file.")]
    duplicate_elsewhere: Annotated[int, Meta(description="Of the refused: deposited before, anywhere on the platform.")]
    error: str
    started_at: Moment
    finished_at: Moment | None


class BatchView(Out, frozen=True, kw_only=True):
    """One batch: how its import went, and once registered how many of its codes are still on sale."""

    batch_id: Id
    listing_id: Id | None
    registered: bool
    count: Annotated[int, Meta(ge=0, description="Codes in the vault.")]
    unsold: Annotated[int, Meta(ge=0)]
    held: Annotated[int, Meta(ge=0, description="Off sale after a ruling; may come back.")]
    withdrawn: Annotated[int, Meta(ge=0)]
    off_sale: Annotated[OffSaleView | None, Meta(description="Of a batch that a ruling took off sale.")]
    root: Annotated[Hash | None, Meta(description="Merkle root over the commitments of its codes.")]
    source: str
    note: str
    registered_at: Moment | None
    imported: ImportState | None


class BatchRow(Out, frozen=True, kw_only=True):
    """One registered batch in a list."""

    batch_id: Id
    listing_id: Id
    count: int
    unsold: int
    held: int
    withdrawn: int
    root: Hash
    source: str
    note: str
    registered_at: Moment


class BatchRows(Out, frozen=True, kw_only=True):
    """A page of batches, newest first."""

    batches: tuple[BatchRow, ...]
    next_cursor: str | None


class RefusedLines(Out, frozen=True, kw_only=True):
    """Lines that were not taken, in order of the file."""

    lines: tuple["RefusedLine", ...]
    next_cursor: str | None


class RefusedLine(Out, frozen=True, kw_only=True):
    """One line that was not taken. `hint` shows its ends only."""

    line_no: int
    reason: str
    hint: str
    same_as_line: int | None


class Withdrawn(Out, frozen=True, kw_only=True):
    """The kinds of facts that the command made."""

    kinds: tuple[str, ...]


class NewCoupon(In, frozen=True, kw_only=True):
    """A coupon: either a sum or a share off."""

    code: Annotated[str, Meta(min_length=4, max_length=32, description="The word a buyer types; case does not matter.")]
    off_fen: Annotated[int, Meta(ge=0, le=AMOUNT_MAX_FEN)] = 0
    off_bp: Annotated[int, Meta(ge=0, le=9_000, description="Basis points: 500 is 5 %.")] = 0
    least_fen: Annotated[int, Meta(ge=0, le=AMOUNT_MAX_FEN, description="The smallest order it counts for.")] = 0
    uses_max: Annotated[int, Meta(ge=0, le=1_000_000, description="0: any number.")] = 0
    ends_at: Moment | None = None
    listings: Annotated[tuple[Id, ...], Meta(max_length=100, description="Empty: all of the shop.")] = ()


class CouponView(Out, frozen=True, kw_only=True):
    """One coupon of the shop."""

    coupon_id: Id
    code: str
    off_fen: Fen
    off_bp: int
    least_fen: Fen
    uses_max: int
    uses: int
    ends_at: Moment | None
    listings: tuple[Id, ...]
    withdrawn: bool
    created_at: Moment


class CouponViews(Out, frozen=True, kw_only=True):
    """A page of coupons, newest first."""

    coupons: tuple[CouponView, ...]
    next_cursor: str | None


class Made(Out, frozen=True, kw_only=True):
    """The id of what was made."""

    id: Id


class Balances(Out, frozen=True, kw_only=True):
    """The shop's money by account."""

    escrow_fen: Annotated[Fen, Meta(description="Held for orders under way.")]
    pending_fen: Annotated[Fen, Meta(description="Released; the provider has not confirmed the split yet.")]
    available_fen: Annotated[Fen, Meta(description="Can be drawn.")]
    payout_fen: Annotated[Fen, Meta(description="On its way to the shop's bank.")]
    refund_fen: Annotated[Fen, Meta(description="On its way back to buyers.")]
    fee_fen: Annotated[Fen, Meta(description="Fees of the platform so far.")]


class LedgerLine(Out, frozen=True, kw_only=True):
    """One movement: `amount_fen` from `debit` to `credit`, because of one fact."""

    at: Moment
    because: Annotated[str, Meta(description="Kind of the fact.")]
    stream_kind: str
    stream_id: Id
    version: int
    debit: str
    credit: str
    amount_fen: Fen
    currency: str


class LedgerLines(Out, frozen=True, kw_only=True):
    """A page of the ledger, newest first."""

    rows: tuple[LedgerLine, ...]
    next_cursor: str | None


class NewPayout(In, frozen=True, kw_only=True):
    """How much to draw."""

    amount_fen: PriceFen


class PayoutView(Out, frozen=True, kw_only=True):
    """One payout."""

    payout_id: Id
    amount_fen: Fen
    state: Literal["asked", "done", "failed"]
    requested_at: Moment
    ended_at: Moment | None


class PayoutViews(Out, frozen=True, kw_only=True):
    """A page of payouts, newest first."""

    payouts: tuple[PayoutView, ...]
    next_cursor: str | None


def batch_row(line: BatchLine) -> BatchRow:
    """One registered batch in a list."""
    batch = line.batch
    return BatchRow(
        batch_id=line.batch_id,
        listing_id=batch.listing_id,
        count=batch.count,
        unsold=line.unsold,
        held=batch.quarantine.held_count,
        withdrawn=batch.withdrawn,
        root=batch.root,
        source=batch.source,
        note=batch.note,
        registered_at=moment(batch.registered_at_ms),
    )


def batch_view(
    batch_id: str, line: BatchLine | None, record: ImportRecord | None, standing: Standing | None
) -> BatchView:
    """One batch from what is registered and from how its import went; either may be missing, not both."""
    batch = line.batch if line else None
    root = batch.root if batch else record.root.hex() if record and record.root else None
    return BatchView(
        batch_id=batch_id,
        listing_id=batch.listing_id if batch else record.listing_id if record else None,
        registered=batch is not None,
        count=batch.count if batch else record.progress.accepted if record else 0,
        unsold=line.unsold if line else 0,
        held=batch.quarantine.held_count if batch else 0,
        withdrawn=batch.withdrawn if batch else 0,
        off_sale=off_sale_view(standing) if standing else None,
        root=root,
        source=batch.source if batch else record.source if record else "",
        note=batch.note if batch else record.note if record else "",
        registered_at=moment_or_none(batch.registered_at_ms) if batch else None,
        imported=import_state(record) if record else None,
    )


def import_state(record: ImportRecord) -> ImportState:
    """How an import is going."""
    progress = record.progress
    return ImportState(
        state=record.state,
        file_name=record.file_name,
        encoding=record.encoding,
        delimiter=record.delimiter,
        columns_taken=record.columns_taken,
        columns_ignored=record.columns_ignored,
        bytes_read=progress.bytes_read,
        lines_read=progress.lines_read,
        empty=progress.empty,
        accepted=progress.accepted,
        refused=progress.refused,
        duplicate_in_file=progress.duplicate_in_file,
        duplicate_elsewhere=progress.duplicate_elsewhere,
        error=record.error,
        started_at=moment(record.started_at_ms),
        finished_at=moment_or_none(record.finished_at_ms),
    )


def refused_line(row: RefusedRow) -> RefusedLine:
    """One line that was not taken."""
    return RefusedLine(
        line_no=row.line_no, reason=str(row.reason), hint=row.hint, same_as_line=row.same_as_line
    )


def coupon_view(line: CouponLine) -> CouponView:
    """One coupon."""
    coupon = line.coupon
    return CouponView(
        coupon_id=line.coupon_id,
        code=coupon.code,
        off_fen=coupon.off_fen,
        off_bp=coupon.off_bp,
        least_fen=coupon.least_fen,
        uses_max=coupon.uses_max,
        uses=coupon.uses,
        ends_at=moment_or_none(coupon.ends_at_ms),
        listings=coupon.listings,
        withdrawn=coupon.withdrawn,
        created_at=moment(line.created_at_ms),
    )


def ledger_line(row: LedgerRow) -> LedgerLine:
    """One movement."""
    return LedgerLine(
        at=moment(row.at_ms),
        because=row.event_kind,
        stream_kind=row.stream_kind,
        stream_id=row.stream_id,
        version=row.version,
        debit=row.debit,
        credit=row.credit,
        amount_fen=row.amount_fen,
        currency=row.currency,
    )


def payout_view(line: PayoutLine) -> PayoutView:
    """One payout."""
    payout = line.payout
    return PayoutView(
        payout_id=line.payout_id,
        amount_fen=payout.amount_fen,
        state=payout.state.value if payout.state else "asked",
        requested_at=moment(payout.requested_at_ms),
        ended_at=moment_or_none(payout.ended_at_ms),
    )
