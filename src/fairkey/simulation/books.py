"""What judging asks for, answered out of the engine's memory store."""

from collections.abc import Sequence

import msgspec

from fairkey.business.basics import PLATFORM, Stream
from fairkey.business.codes import CodeStage
from fairkey.business.dispute_events import Outcome, Reason
from fairkey.business.dispute_state import Complaint, ComplaintStage
from fairkey.business.evidence import Piece
from fairkey.business.files import (
    BatchFile,
    CodeFile,
    DepositFile,
    IssuerFile,
    ListingFile,
    OrderFile,
    PoolFile,
    StandardFile,
)
from fairkey.business.listings import encode_terms
from fairkey.business.orders import ENDED, Stage
from fairkey.business.pool import POOL_ID, QUOTA_WINDOW_MS
from fairkey.business.standards import STANDARD_ID, Published
from fairkey.engine.outaging import STOPPABLE
from fairkey.read_tables.issuer_book import AttestationLine, IssuerRecord
from fairkey.read_tables.order_book import Fact, OpenLine, OrderRecord
from fairkey.read_tables.quarantine_book import Look
from fairkey.read_tables.standard_book import CLEAN_ORDERS_A_USE, EXPLAINED_CASES, BatchPast, Past

from .store import MarketStore


class _Leaf(msgspec.Struct):
    public: dict[str, object]


class Books:
    """Implements the parts of `read_tables.Questions` that judging uses."""

    def __init__(self, store: MarketStore, custody: dict[str, str]) -> None:
        """`custody`: the class of every code that was ever put into the vault."""
        self._store = store
        self._custody = custody

    async def find(self, shop_id: str, order_id: str) -> OrderRecord | None:
        """One order."""
        moved = self._store.tables.streams.get(Stream(shop_id, "order", order_id))
        if moved is None or not isinstance(moved.file, OrderFile):
            return None
        listing = self._store.tables.streams[Stream(shop_id, "listing", moved.file.order.listing_id)].file
        assert isinstance(listing, ListingFile)
        assert listing.listing.terms is not None
        return OrderRecord(
            shop_id=shop_id,
            order_id=order_id,
            shop_no=1,
            shop_name="",
            version=moved.version,
            file=moved.file,
            terms_json=encode_terms(listing.listing.terms),
            created_at_ms=moved.file.order.placed_at_ms,
            changed_at_ms=moved.file.order.placed_at_ms,
            due_at_ms=moved.due.due_at_ms if moved.due else None,
            due_what=moved.due.what if moved.due else None,
        )

    async def facts(self, shop_id: str, order_id: str, *, with_sealed: bool = False) -> list[Fact]:
        """Its events, in order."""
        stream = Stream(shop_id, "order", order_id)
        return [
            Fact(
                version=event.version,
                kind=event.kind,
                at_ms=event.at_ms,
                leaf_hash=event.leaf_hash.hex(),
                public=msgspec.json.decode(event.body, type=_Leaf).public,
                sealed=event.sealed if with_sealed else {},
            )
            for event in self._store.events_of(stream)
        ]

    async def under_way(self, shop_id: str, *, after_id: str, lines_max: int) -> list[OpenLine]:
        """As `OrderBook.under_way`."""
        found = sorted(
            (stream.id, moved.file)
            for stream, moved in self._store.tables.streams.items()
            if (stream.shop_id, stream.kind) == (shop_id, "order") and stream.id > after_id
        )
        return [
            OpenLine(order_id=order_id, stage=file.order.stage, complaint=file.complaint.stage)
            for order_id, file in found
            if isinstance(file, OrderFile) and file.order.stage not in ENDED and file.order.stage is not Stage.NEW
        ][:lines_max]

    async def completed(self, shop_id: str, *, since_ms: int, after_id: str, ids_max: int) -> list[str]:
        """As `OrderBook.completed`."""
        return sorted(
            stream.id
            for stream, moved in self._store.tables.streams.items()
            if (stream.shop_id, stream.kind) == (shop_id, "order")
            and stream.id > after_id
            and isinstance(moved.file, OrderFile)
            and moved.file.order.stage is Stage.COMPLETED
            and moved.file.order.ended_at_ms >= since_ms
        )[:ids_max]

    async def published(self) -> list[Published]:
        """The published versions of the standard."""
        moved = self._store.tables.streams.get(Stream(PLATFORM, "standard", STANDARD_ID))
        return list(moved.file.standards.published) if moved and isinstance(moved.file, StandardFile) else []

    async def custody(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, str]:
        """The custody class of each code."""
        _ = shop_id
        return {code_id: self._custody[code_id] for code_id in code_ids if code_id in self._custody}

    async def deposited_at_ms(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, int]:
        """When the codes came into the vault: nobody here gives a check of that state."""
        _ = shop_id
        return dict.fromkeys(code_ids, 0)

    async def past(self, shop_id: str, buyer_key: str, *, now_ms: int, pool_fen: int) -> Past:
        """The past of a shop and a buyer, as `adapters/postgres/reads` tells it."""
        streams = self._store.tables.streams
        moved = streams.get(Stream(shop_id, "deposit", shop_id))
        ruled = [
            (str(msgspec.json.decode(event.body, type=_Leaf).public["row"]), event.at_ms)
            for event in self._store.rulings
            if event.stream.shop_id == shop_id and event.at_ms >= now_ms - QUOTA_WINDOW_MS
        ]
        return Past(
            deposit_fen=moved.file.deposit.free_fen if moved and isinstance(moved.file, DepositFile) else None,
            silences=sum(row == "R15" for row, _ in ruled),
            used_code_at_ms=max((at_ms for row, at_ms in ruled if row == "R03"), default=0),
            lures=sum(row == "R14" for row, _ in ruled),
            pool_uses=self._pool_uses(buyer_key, now_ms, pool_fen),
        )

    def _pool_uses(self, buyer_key: str, now_ms: int, pool_fen: int) -> int | None:
        moved = self._store.tables.streams.get(Stream(PLATFORM, "pool", POOL_ID))
        if moved is None or not isinstance(moved.file, PoolFile):
            return None
        pool = moved.file.pool
        uses = sum(now_ms - at_ms < QUOTA_WINDOW_MS for at_ms in pool.quota.get(buyer_key, ()))
        clean = sum(
            isinstance(one.file, OrderFile)
            and one.file.order.buyer_key == buyer_key
            and one.file.order.stage is Stage.COMPLETED
            and not one.file.complaint.opened_at_ms
            for one in self._store.tables.streams.values()
        )
        return uses if pool.balance_fen >= pool_fen and clean >= CLEAN_ORDERS_A_USE * (uses + 1) else None

    async def batch_past(self, shop_id: str, code_id: str, order_id: str) -> BatchPast:
        """How other buyers of the same batch fared, as `adapters/postgres/reads` counts them."""
        kept = self._store.tables.kept.codes
        own = self._store.tables.streams[Stream(shop_id, "order", order_id)].file
        assert isinstance(own, OrderFile)
        batch_id = kept[shop_id, code_id].batch_id
        opened, failed, recorded = set(), set(), set()
        for (shop, _), row in kept.items():
            if shop != shop_id or row.batch_id != batch_id or row.stage is not CodeStage.REVEALED:
                continue
            other = self._store.tables.streams[Stream(shop_id, "order", row.order_id)].file
            assert isinstance(other, OrderFile)
            opened.add(other.order.buyer_key)
            if _has_failed(other.complaint):
                failed.add(other.order.buyer_key)
                if _has_recorded(other):
                    recorded.add(other.order.buyer_key)
        mine = {own.order.buyer_key}
        return BatchPast(len(opened - mine), len(failed - mine), len(recorded - mine))

    async def lure_reporters(self, shop_id: str, now_ms: int) -> int:  # noqa: ARG002 - nobody lures anybody here
        """Independent reporters of a lure outside."""
        return 0

    async def batches_of(self, shop_id: str, code_ids: Sequence[str]) -> list[str]:
        """The batches of these codes."""
        kept = self._store.tables.kept.codes
        return sorted({kept[shop_id, code_id].batch_id for code_id in code_ids} - {""})

    async def to_look_at(
        self, shop_id: str, code_id: str | None, *, codes_max: int, after: tuple[str, str] | None = None
    ) -> list[Look]:
        """Held or free codes of quarantined batches that an issuer has spoken of; all in one go."""
        if after is not None:
            return []
        looks: dict[str, list[str]] = {}
        for (shop, one), row in sorted(self._store.tables.kept.codes.items()):
            waits_or_sells = row.stage in (CodeStage.FREE, CodeStage.QUARANTINED)
            if shop != shop_id or code_id not in (None, one) or not waits_or_sells:
                continue
            batch = self._store.tables.streams.get(Stream(shop_id, "batch", row.batch_id))
            if batch and isinstance(batch.file, BatchFile) and batch.file.batch.quarantined_at_ms:
                looks.setdefault(row.batch_id, []).append(one)
        return [Look(batch_id, tuple(code_ids[:codes_max])) for batch_id, code_ids in looks.items()]

    async def issuers(self) -> list[IssuerRecord]:
        """All issuers, with their outages."""
        found = [(stream.id, moved.file) for stream, moved in self._store.tables.streams.items()]
        return [
            IssuerRecord(issuer_id=issuer_id, issuer=file.issuer, outages=file.outages)
            for issuer_id, file in found
            if isinstance(file, IssuerFile)
        ]

    async def waiting_orders(
        self, after: tuple[int, str], *, until_ms: int, lines_max: int
    ) -> list[tuple[Stream, int]]:
        """Orders whose next deadline an outage can move, as `IssuerBook.waiting_orders`."""
        found = sorted(
            (moved.due.due_at_ms, stream.id, stream)
            for stream, moved in self._store.tables.streams.items()
            if stream.kind == "order" and moved.due is not None and moved.due.what in STOPPABLE
        )
        return [(stream, at_ms) for at_ms, id_, stream in found if after < (at_ms, id_) and at_ms <= until_ms][
            :lines_max
        ]

    async def attestations(
        self, shop_id: str, code_ids: Sequence[str], *, with_sealed: bool = False
    ) -> list[AttestationLine]:
        """What issuers said of these codes; the sealed account as it was attested."""
        lines = []
        for code_id in code_ids:
            stream = Stream(shop_id, "code", code_id)
            moved = self._store.tables.streams.get(stream)
            if moved is None or not isinstance(moved.file, CodeFile):
                continue
            for event in self._store.events_of(stream):
                public = msgspec.json.decode(event.body, type=_Leaf).public
                issuer = self._store.tables.streams[Stream(PLATFORM, "issuer", str(public["issuer_id"]))].file
                assert isinstance(issuer, IssuerFile)
                lines.append(
                    AttestationLine(
                        code_id=code_id,
                        number=event.version,
                        version=event.version,
                        says=str(public.get("says") or event.kind.partition(".")[2]),
                        how="signed",
                        word=str(public.get("word", "")),
                        issuer_id=str(public["issuer_id"]),
                        issuer_name=issuer.issuer.name,
                        in_scope=True,
                        happened_at_ms=_number(public.get("happened_at_ms")),
                        said_at_ms=_number(public.get("said_at_ms")),
                        recorded_at_ms=event.at_ms,
                        conflict="",
                        conflicts_with=(),
                        leaf_hash=event.leaf_hash.hex(),
                        account=event.sealed.get("account", "") if with_sealed else "",
                    )
                )
        return lines


def _has_failed(complaint: Complaint) -> bool:
    ruling = complaint.ruling
    if complaint.reason not in (Reason.ALREADY_USED, Reason.NOT_VALID) or (ruling and ruling.row in ("R15", "R18")):
        return False
    if complaint.outcome in (Outcome.MERCHANT_SILENT, Outcome.WITHDRAWN, Outcome.SHOP_VANISHED):
        return False
    if complaint.refund_fen or (ruling and ruling.pool_fen):
        return True
    if complaint.stage is ComplaintStage.RULED:
        return ruling is not None and bool(ruling.refund_fen)
    return complaint.stage is not ComplaintStage.CLOSED


def _has_recorded(file: OrderFile) -> bool:
    ruling = file.complaint.ruling
    gave = any(one.piece is Piece.RECORDING and not one.withdrawn for one in file.evidence.items)
    return gave and not (ruling and ruling.case in EXPLAINED_CASES)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
