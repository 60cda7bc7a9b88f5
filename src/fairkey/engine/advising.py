"""What the standard says of a complaint as things stand, from what the house itself knows: the log and the issuers.

An adviser and nothing more: who rules still rules. Codes of an order about which the same is known are judged together.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from fairkey.business.codes import CodeStage
from fairkey.business.dispute_events import Reason
from fairkey.business.dispute_state import Complaint, ComplaintStage
from fairkey.business.listings import Terms, decode_terms
from fairkey.business.orders import Delivery
from fairkey.business.standard.deciding import Finding, evaluate
from fairkey.business.standard.library import editions
from fairkey.business.standard.table import CORROBORATES_ONLY, Standard
from fairkey.business.standard.truth import Statement, Value
from fairkey.business.standards import Published, version_for
from fairkey.business.stopping import STANDS_MAX_MS, KnownOutage, stood_ms, stopped_for_ms
from fairkey.business.verdicts import CodeCase, Verdict, judge
from fairkey.read_tables.issuer_book import AttestationLine, IssuerRecord
from fairkey.read_tables.order_book import Fact, OrderRecord
from fairkey.read_tables.standard_book import BatchPast, Past

from .evidencing import statements_of
from .house import House
from .outaging import known_for, recent

LISTINGS_COUNT_DAYS_IN: Final = timedelta(hours=8)  # a redeem-by date is a day in Shanghai
CODES_MAX: Final = 50  # of one order that are looked at one by one

ANSWERS: Final = frozenset(
    {"dispute.answered", "dispute.offered", "dispute.declined", "dispute.asked", "dispute.resent"}
)
"""What a shop does about a complaint; whoever did one of these was not silent."""

REGIONS: Final[Mapping[str, str]] = {
    "cn": "CN", "china": "CN", "mainland china": "CN", "中国": "CN", "中国大陆": "CN", "国区": "CN", "大陆": "CN",
    "us": "US", "usa": "US", "united states": "US", "美国": "US", "美区": "US",
    "hk": "HK", "hong kong": "HK", "香港": "HK", "港区": "HK", "中国香港": "HK",
    "tw": "TW", "taiwan": "TW", "台湾": "TW", "台区": "TW", "中国台湾": "TW",
    "jp": "JP", "japan": "JP", "日本": "JP", "日区": "JP",
    "kr": "KR", "korea": "KR", "韩国": "KR", "韩区": "KR",
    "uk": "GB", "gb": "GB", "united kingdom": "GB", "英国": "GB", "英区": "GB",
    "eu": "EU", "europe": "EU", "欧洲": "EU", "欧区": "EU",
    "tr": "TR", "turkey": "TR", "türkiye": "TR", "土耳其": "TR", "土区": "TR",
    "ar": "AR", "argentina": "AR", "阿根廷": "AR", "阿区": "AR",
    "ru": "RU", "russia": "RU", "俄罗斯": "RU", "俄区": "RU",
}  # fmt: skip
"""How people write a region. What does not stand here is compared with nothing: a spelling is no proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAdvice:
    """What the standard says of some codes of the order; `code_nos` count from 1 in the order's own order."""

    code_nos: tuple[int, ...]
    finding: Finding
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What the standard says of a whole complaint.

    `in_force`: whether that version was in force when the order was placed; else it is the oldest there is, and only
    shows the way. `refund_fen`: what it comes to for all codes together.
    """

    standard: Standard
    published: Published
    in_force: bool
    reason: str
    codes: tuple[CodeAdvice, ...]
    refund_fen: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a complaint now, and the version that judges it. `in_force`: as in `Advice`."""

    standard: Standard
    published: Published
    in_force: bool
    codes: tuple[CodeCase, ...]


async def advice_on(house: House, record: OrderRecord, facts: Sequence[Fact]) -> Advice | None:
    """What the standard says of this order's complaint; None without a complaint, or when no version was published or
    this release does not hold the published bytes. `facts` with sealed fields opened: the account is compared.
    """
    known = await known_of(house, record, facts)
    if known is None:
        return None
    complaint = record.file.complaint
    codes = tuple(
        CodeAdvice(code_nos=one.code_nos, finding=evaluate(known.standard, one.statements), statements=one.statements)
        for one in known.codes
    )
    verdict = judge(known.standard, known.codes, complaint.demand_fen or record.file.order.amount_fen, house.now_ms())
    return Advice(
        standard=known.standard,
        published=known.published,
        in_force=known.in_force,
        reason=complaint.reason.value if complaint.reason else "",
        codes=codes,
        refund_fen=_back_fen(verdict, codes),
        is_open=verdict.state != "decided",
    )


def _back_fen(verdict: Verdict, codes: Sequence[CodeAdvice]) -> int:
    """What goes back by the verdict; while it is open, what its parts come to."""
    if verdict.state == "decided":
        return verdict.refund_fen + verdict.pool_fen
    return sum(one.finding.refund_fen or 0 for one in codes)


def _judged_codes(record: OrderRecord) -> list[str]:
    """What a complaint is about: the codes in the box; once a replacement was found good, what it was sent for."""
    ends = record.file.complaint.stage is ComplaintStage.RESENT
    stages = (CodeStage.REPLACED,) if ends else (CodeStage.DELIVERED, CodeStage.REVEALED)
    return [one.code_id for one in record.file.codes.held if one.stage in stages]


async def known_of(house: House, record: OrderRecord, facts: Sequence[Fact]) -> Known | None:
    """What the log, the issuers and the parties have shown by now; None as in `advice_on`."""
    complaint = record.file.complaint
    held = _judged_codes(record)
    published = await house.questions.standards.published()
    chosen = version_for(record.file.order.placed_at_ms, published)
    by = chosen or (published[0] if published else None)
    edition = editions().get(by.version) if by else None
    if by is None or edition is None or edition.standard.sha256 != by.sha256 or not complaint.opened_at_ms or not held:
        return None
    standard = edition.standard
    lines = await house.questions.issuers.attestations(record.shop_id, held, with_sealed=True)
    custody = await house.questions.standards.custody(record.shop_id, held)
    now_ms = complaint.closed_at_ms or house.now_ms()
    deposited = await house.evidence.rows.deposited_at_ms(record.shop_id, held) if record.file.evidence.items else {}
    past = await house.questions.standards.past(
        record.shop_id,
        record.file.order.buyer_key,
        now_ms=now_ms,
        pool_fen=complaint.demand_fen or record.file.order.amount_fen,
    )
    out = known_for(decode_terms(record.terms_json).product, issuers := await recent(house))
    told = (
        *_of_order(record, facts, now_ms),
        *_of_past(past),
        *_of_outages(record, out, issuers, now_ms),
        *await _of_reporters(house, record, standard, now_ms),
    )
    common = [one for one in told if one.fact in standard.facts]
    groups: dict[tuple[Statement, ...], list[int]] = {}
    for number, code_id in enumerate(held, 1):
        about = [line for line in lines if line.code_id == code_id]
        batch = BatchPast(0, 0)
        if number <= CODES_MAX:
            batch = await house.questions.standards.batch_past(record.shop_id, code_id, record.order_id)
        opened = _opening_of(code_id, facts)
        said = (
            *_of_code(code_id, facts, custody, batch),
            *_of_issuer(about, _account_of(code_id, facts)),
            *_captured(about),
            *statements_of(record, facts, opened.at_ms if opened else 0, deposited.get(code_id, 0), now_ms),
        )
        # An older version does not know every fact that is told today.
        groups.setdefault(tuple(one for one in said if one.fact in standard.facts), []).append(number)
    return Known(
        standard=standard,
        published=by,
        in_force=chosen is not None,
        codes=tuple(
            CodeCase(code_nos=tuple(numbers), statements=(*common, *said, _log("units_affected", len(numbers))))
            for said, numbers in groups.items()
        ),
    )


def _log(fact: str, value: Value, source: str = "") -> Statement:
    return Statement(fact=fact, value=value, rank="E2", source=source)


def _of_order(record: OrderRecord, facts: Sequence[Fact], now_ms: int) -> list[Statement]:
    """What the log says of the order and its complaint."""
    order, codes, complaint = record.file.order, record.file.codes, record.file.complaint
    terms = decode_terms(record.terms_json)
    delivered = codes.count(CodeStage.DELIVERED, CodeStage.REVEALED)
    said = [
        _log("now_ms", now_ms),
        _log("amount_fen", order.amount_fen, _fact_of(facts, "order.paid")),
        _log("asked_fen", complaint.demand_fen, _fact_of(facts, "dispute.opened")),
        _log("units_total", order.quantity, _fact_of(facts, "order.placed")),
        _log("units_delivered", delivered),
        _log("units_missing", max(order.quantity - delivered, 0)),
        _log("units_sealed", codes.count(CodeStage.DELIVERED)),
        _log("deliver_by_ms", order.deliver_by_ms),
        _log("listed_in_stock", order.delivery is Delivery.VAULT),
        *_complained(complaint, facts),
        _log("reason", complaint.reason.value if complaint.reason else "", _fact_of(facts, "dispute.opened")),
        _log("form_complete", value=True, source=_fact_of(facts, "dispute.opened")),  # the form takes no other
        _log("sold_before", value=False),  # a fingerprint is unique over the platform
        _log("lure_messages", record.file.messages.shop_lures),  # the shop was warned and sent them all the same
        *_answered(complaint, facts),
        *_asked(complaint, facts),
        *_promised(terms),
    ]
    region = _region(terms.region)
    if region:
        said.append(_log("listed_region", region))
    return said


def _of_past(past: Past) -> list[Statement]:
    """What earlier rulings, the deposit and the pool say."""
    said = [
        _log("shop_silences", past.silences),
        _log("shop_meter", past.meter),
        _log("used_code_verdict_at_ms", past.used_code_at_ms),
        _log("lure_verdicts", past.lures),
    ]
    if past.seen_at_ms is not None:
        said.append(_log("merchant_seen_at_ms", past.seen_at_ms))
    if past.deposit_fen is not None:
        said.append(_log("deposit_fen", past.deposit_fen))
    if past.pool_uses is not None:
        said.append(_log("pool_uses", past.pool_uses))
    return said


async def _of_reporters(house: House, record: OrderRecord, standard: Standard, now_ms: int) -> list[Statement]:
    """A lure outside the site, once enough buyers report it. Before that nothing is said: others may yet report it."""
    if record.file.complaint.reason is not Reason.OFF_PLATFORM:
        return []
    count = await house.questions.standards.lure_reporters(record.shop_id, now_ms)
    if count < standard.thresholds["independent_reporters"].value:
        return []
    return [Statement(fact="lure_reporters", value=count, rank="E6")]


def _of_outages(
    record: OrderRecord, known: Sequence[KnownOutage], issuers: Sequence[IssuerRecord], now_ms: int
) -> list[Statement]:
    """Row R12: the outage that lasts, and for how long those that are over stopped the complaint's clocks."""
    complaint = record.file.complaint
    since_ms = complaint.again_at_ms or complaint.opened_at_ms
    left_ms = STANDS_MAX_MS - stood_ms(record.file.order.stops)
    stood = stopped_for_ms(known, since_ms, now_ms, left_ms)
    said = [_log("clocks_stopped_ms", stood)] if stood else []
    makers = {one.issuer_id for one in known}
    lasting = [
        (one.outages.running, one.issuer_id)
        for one in issuers
        if one.issuer_id in makers and one.outages.running and one.outages.running.began_at_ms <= now_ms
    ]
    if not lasting:
        return said
    outage, issuer_id = min(lasting, key=lambda one: one[0].began_at_ms)
    source = f"issuer {issuer_id} outage {outage.outage_no}"
    said.append(_log("outage_started_at_ms", outage.began_at_ms, source))
    if outage.is_shown:
        said.append(_log("outage_shown", value=True, source=source))
    if outage.ratio:
        said.append(_log("outage_ratio", outage.ratio, source))
    return said


def _complained(complaint: Complaint, facts: Sequence[Fact]) -> list[Statement]:
    """When he complained, and whether a corrected code was there then. One that fails as well is no correction: its
    complaint has its own time.
    """
    if complaint.again_at_ms:
        again = _fact_of(facts, "dispute.resend_refused")
        return [_log("complained_at_ms", complaint.again_at_ms, again), _log("corrected_at_ms", 0, again)]
    said = [_log("complained_at_ms", complaint.opened_at_ms, _fact_of(facts, "dispute.opened"))]
    if complaint.resent_at_ms:
        said.append(_log("corrected_at_ms", complaint.resent_at_ms, _fact_of(facts, "dispute.resent")))
    return said


def _asked(complaint: Complaint, facts: Sequence[Fact]) -> list[Statement]:
    if not complaint.asked_at_ms or complaint.reopened_at_ms:  # re-opened: the question is answered by new evidence
        return []
    return [
        _log("asked_buyer_at_ms", complaint.asked_at_ms, _fact_of(facts, "dispute.asked")),
        _log("buyer_answered_at_ms", complaint.replied_at_ms, _fact_of(facts, "dispute.replied")),
    ]


def _answered(complaint: Complaint, facts: Sequence[Fact]) -> list[Statement]:
    since = next((fact.version for fact in facts if fact.kind == "dispute.resend_refused"), 0)
    for fact in facts:
        if fact.version > since and fact.kind in ANSWERS and fact.public.get("by", "shop") == "shop":
            return [_log("merchant_answered_at_ms", fact.at_ms, f"v{fact.version}")]
    return [_log("merchant_answered_at_ms", 0)] if complaint.stage is ComplaintStage.OPENED else []


def _promised(terms: Terms) -> list[Statement]:
    """Valid to the end of the day that the listing names; a listing may be silent."""
    if not terms.redeem_by:
        return [_log("promised_until_ms", 0)]
    day = datetime.fromisoformat(terms.redeem_by).replace(tzinfo=UTC) - LISTINGS_COUNT_DAYS_IN + timedelta(days=1)
    return [_log("promised_until_ms", int(day.timestamp()) * 1_000)]


def _of_code(code_id: str, facts: Sequence[Fact], custody: Mapping[str, str], batch: BatchPast) -> list[Statement]:
    """What the log says of one code."""
    said = [
        Statement(fact="batch_failed_buyers", value=batch.failed, rank="E6"),
        Statement(fact="batch_failed_percent", value=batch.failed_percent, rank="E6"),
        Statement(fact="batch_recorded_buyers", value=batch.recorded, rank="E6"),
    ]
    if code_id in custody:
        said.append(_log("custody", custody[code_id]))
    opened = _opening_of(code_id, facts)
    if opened is None:
        return [*said, _log("revealed_at_ms", 0)]
    said.append(_log("revealed_at_ms", opened.at_ms, f"v{opened.version}"))
    region = _region(opened.sealed.get("account_region", ""))
    if region:
        said.append(_log("buyer_region", region, f"v{opened.version}"))
    return said


def _of_issuer(lines: Iterable[AttestationLine], account: str) -> list[Statement]:
    """What issuers said of one code. Whoever is not registered for the product only corroborates."""
    said: list[Statement] = []
    for line in lines:
        rank = "E1" if line.in_scope else CORROBORATES_ONLY
        source = f"attestation {line.number}"
        told: dict[str, Value] = {}
        if line.says == "activated":
            told["is_activated"] = True
            if line.happened_at_ms:
                told["activated_at_ms"] = line.happened_at_ms
            if account and line.account:
                told["account_matches"] = _plain(account) == _plain(line.account)
        elif line.says == "unused":
            told["unused_at_ms"] = line.happened_at_ms or line.said_at_ms
        elif line.says == "revoked":
            told["revoked_at_ms"] = line.happened_at_ms or line.said_at_ms
        elif line.word == "unknown":
            told["unknown_to_issuer"] = True
        said.extend(Statement(fact=fact, value=value, rank=rank, source=source) for fact, value in told.items())
    return _contradicted(_latest_unused(said))


def of_issuers(
    record: OrderRecord, facts: Sequence[Fact], code_id: str, lines: Sequence[AttestationLine]
) -> list[Statement]:
    """What the log and the issuers say of one code, and nobody else: when it was opened, used, revoked."""
    opened = _opening_of(code_id, facts)
    revealed = _log("revealed_at_ms", opened.at_ms if opened else 0, f"v{opened.version}" if opened else "")
    return [
        _log("amount_fen", record.file.order.amount_fen, _fact_of(facts, "order.paid")),
        _log("units_total", record.file.order.quantity, _fact_of(facts, "order.placed")),
        _log("units_affected", 1),
        revealed,
        *_of_issuer(lines, _account_of(code_id, facts)),
    ]


def _captured(lines: Iterable[AttestationLine]) -> list[Statement]:
    """What an issuer's licence API answered the house instead of a state: an error code, captured (E3c)."""
    return [
        Statement(fact="error_means", value="not_valid", rank="E3c", source=f"attestation {line.number}")
        for line in lines
        if line.in_scope and line.word == "unknown"
    ]


def _latest_unused(said: list[Statement]) -> list[Statement]:
    """Unused at one moment does not contradict unused at another: the latest says most. With no activation, unused."""
    moments = [one for one in said if one.fact == "unused_at_ms" and one.rank == "E1"]
    if not moments:
        return said
    latest = max(moments, key=lambda one: int(one.value))
    rest = [one for one in said if one not in moments]
    if any(one.fact == "is_activated" and one.rank == "E1" for one in said):
        return [*rest, latest]
    return [*rest, latest, Statement(fact="is_activated", value=False, rank="E1", source=latest.source)]


def _contradicted(said: list[Statement]) -> list[Statement]:
    """Unused at a moment after an activation: equals disagree about when it was, so nobody is judged by that moment."""
    unused = [one for one in said if one.fact == "unused_at_ms" and one.rank == "E1"]
    activated = [one for one in said if one.fact == "activated_at_ms" and one.rank == "E1"]
    against = [
        Statement(fact="activated_at_ms", value=0, rank="E1", source=later.source)
        for later in unused
        if any(int(later.value) > int(one.value) for one in activated)
    ]
    return [*said, *against]


def _opening_of(code_id: str, facts: Sequence[Fact]) -> Fact | None:
    for fact in facts:
        codes = fact.public.get("codes")
        if fact.kind == "code.revealed" and isinstance(codes, list) and code_id in codes:
            return fact
    return None


def _account_of(code_id: str, facts: Sequence[Fact]) -> str:
    opened = _opening_of(code_id, facts)
    return opened.sealed.get("account_name", "") if opened else ""


def _fact_of(facts: Sequence[Fact], kind: str) -> str:
    return next((f"v{fact.version}" for fact in facts if fact.kind == kind), "")


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _region(text: str) -> str:
    return REGIONS.get(" ".join(unicodedata.normalize("NFKC", text).casefold().split()), "")
