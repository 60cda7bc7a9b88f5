"""The people of a market: shops, buyers, an issuer, arbitrators. They act by chance, each by its own shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from fairkey.business.askers import Asker
from fairkey.business.attestations import AttestCode, RecordIssuerAnswer
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, Command, Stream
from fairkey.business.codes import RevealCodes
from fairkey.business.complaints import AppealRuling, ContestComplaint, OpenComplaint
from fairkey.business.dispute_events import Reason, Side
from fairkey.business.dispute_state import ComplaintStage
from fairkey.business.escrow import RecordPayment
from fairkey.business.evidence import AddEvidence, DoubtEvidence, Party, Piece, StartRecording, StopRecording
from fairkey.business.orders import ConfirmOrder, PlaceOrder
from fairkey.engine.judging import judge_order

from .ledgers import Dispute, Tally
from .market import CODES_AT_ONCE, Code, Market
from .scenario import BP, Scenario

LOOK_AGAIN_MS: Final = 6 * HOUR_MS
CONTEST: Final = "We bought this code from its issuer; it was new."
RECORDS_FIRST_MS: Final = MINUTE_MS  # a recording begins before the code is opened
NONCE: Final = "23456789"


@dataclass(slots=True)
class Shop:
    """A shop and how it behaves. `make_code` gives what it puts into the vault next and what that cost."""

    shop_id: str
    listing_id: str
    is_honest: bool
    make_code: Callable[[int], tuple[Code, int]]
    custody: str = "C1"
    redeems_after_reveal_bp: int = 0
    contests_bp: int = 9_000
    issuer_lies: bool = False
    made: int = 0
    alive: bool = True


@dataclass(slots=True)
class Buyer:
    """A buyer. `cheats`: redeems the code and complains all the same; `is_shops`: the shop's own account."""

    name: str
    cheats: bool = False
    griefs: bool = False
    is_shops: bool = False
    account: str = field(default="")

    def __post_init__(self) -> None:
        self.account = self.account or f"{self.name}-account"

    @property
    def key(self) -> str:
        """The pseudonym under which shops know him."""
        return sha256(self.name.encode()).hexdigest()[:32]


class People:
    """Everybody's doings in one market."""

    def __init__(self, market: Market, scenario: Scenario, tally: Tally) -> None:
        self.market = market
        self.scenario = scenario
        self.tally = tally
        self.false_words: set[str] = set()  # codes about which a colluding issuer lies in the shop's favour
        self.issuer_is_out_until_ms = 0

    def _happens(self, share_bp: int) -> bool:
        return self.market.chance.randrange(BP) < share_bp

    def _within(self, least_ms: int, most_ms: int) -> int:
        return self.market.chance.randint(least_ms, most_ms)

    # Shops.

    async def stock(self, shop: Shop, count: int = CODES_AT_ONCE) -> None:
        """Put codes into the vault."""
        codes = []
        for _ in range(count):
            code, cost_fen = shop.make_code(shop.made)
            shop.made += 1
            code.cost_fen = cost_fen
            self.tally.cost_fen += cost_fen
            codes.append(code)
        await self.market.put_in(shop.shop_id, shop.listing_id, codes, shop.custody)

    # Buying.

    async def buy(self, shop: Shop, buyer: Buyer) -> None:
        """One order, from placing to whatever becomes of it."""
        market = self.market
        price_fen = self.scenario.price_fen
        if market.store.tables.kept.stock[shop.shop_id, shop.listing_id] < 1:
            await self.stock(shop)
        order_id = market.new_id()
        answer = await market.ask(
            Asker.BUYER,
            PlaceOrder(
                shop_id=shop.shop_id,
                order_id=order_id,
                listing_id=shop.listing_id,
                revision=1,
                quantity=1,
                contact=f"{buyer.name}@example.com",
                buyer=buyer.key,
                buyer_key=buyer.key,
                account_id=buyer.account if not buyer.is_shops else "",
            ),
        )
        if answer.refusal:
            self.tally.refused[answer.refusal] = self.tally.refused.get(answer.refusal, 0) + 1
            return
        self.tally.orders += 1
        await market.ask(
            Asker.PROVIDER,
            RecordPayment(
                shop_id=shop.shop_id,
                order_id=order_id,
                provider="played",
                provider_txn=order_id,
                amount_fen=price_fen,
                paid_at_ms=market.now_ms,
            ),
        )
        if buyer.cheats or buyer.griefs or buyer.is_shops:
            self.tally.cheat_buyers_fen -= price_fen
        else:
            self.tally.turnover_fen += price_fen
        market.later(self._within(MINUTE_MS, 4 * HOUR_MS), lambda: self._reveal(shop, buyer, order_id))

    async def _reveal(self, shop: Shop, buyer: Buyer, order_id: str) -> None:
        """He opens the code; some record it, beginning before."""
        cheats = buyer.cheats or buyer.griefs or buyer.is_shops
        records = self._happens(self.scenario.stages_bp) if buyer.cheats else self._happens(self.scenario.records_bp)
        if records and (buyer.cheats or not cheats):
            await self._ask(Asker.BUYER, StartRecording(shop_id=shop.shop_id, order_id=order_id, nonce=NONCE))
            self.market.later(RECORDS_FIRST_MS, lambda: self._open(shop, buyer, order_id, is_recorded=True))
        else:
            await self._open(shop, buyer, order_id, is_recorded=False)

    async def _open(self, shop: Shop, buyer: Buyer, order_id: str, *, is_recorded: bool) -> None:
        market = self.market
        account = buyer.account if self._happens(self.scenario.names_account_bp) else ""
        if buyer.cheats:
            account = f"{buyer.name}-other"  # he names one account and redeems with another
        await self._ask(Asker.BUYER, RevealCodes(shop_id=shop.shop_id, order_id=order_id, account_name=account))
        if shop.redeems_after_reveal_bp and self._happens(shop.redeems_after_reveal_bp):
            code = self._code_of(shop, order_id)
            code.used_at_ms, code.used_by = market.now_ms + MINUTE_MS, "the shop"
            self.tally.shop_fen += self.scenario.resale_fen
        wait_ms = self._within(2 * MINUTE_MS, 28 * MINUTE_MS)
        market.later(wait_ms, lambda: self._redeem(shop, buyer, order_id, is_recorded=is_recorded))

    async def _redeem(self, shop: Shop, buyer: Buyer, order_id: str, *, is_recorded: bool) -> None:
        code = self._code_of(shop, order_id)
        works = code.is_real and not code.used_at_ms
        if works and not buyer.griefs:
            code.used_at_ms, code.used_by = self.market.now_ms, buyer.account
        if buyer.cheats and works:
            self.tally.cheat_buyers_fen += self.scenario.resale_fen
        if is_recorded:
            await self._ask(Asker.BUYER, StopRecording(shop_id=shop.shop_id, order_id=order_id))
        reason = Reason.ALREADY_USED if code.is_real else Reason.NOT_VALID
        if buyer.is_shops or (works and not buyer.cheats and not buyer.griefs):
            if buyer.is_shops or self._happens(self.scenario.confirms_bp):
                await self._ask(Asker.BUYER, ConfirmOrder(shop_id=shop.shop_id, order_id=order_id))
            return
        if not (buyer.cheats or buyer.griefs):
            self.tally.honest_loss_fen += self.scenario.price_fen
            if not self._happens(self.scenario.complains_bp):
                return
        truth = "shop" if works else "buyer"
        recorded_at_ms = self.market.now_ms if is_recorded else 0
        self.market.later(
            self._within(MINUTE_MS, 60 * MINUTE_MS),
            lambda: self._complain(shop, buyer, order_id, reason, truth, recorded_at_ms),
        )

    # Disputes.

    async def _complain(
        self, shop: Shop, buyer: Buyer, order_id: str, reason: Reason, truth: str, recorded_at_ms: int
    ) -> None:
        market = self.market
        answer = await market.ask(
            Asker.BUYER,
            OpenComplaint(shop_id=shop.shop_id, order_id=order_id, reason=reason, text="The screen says: used."),
        )
        if answer.refusal:
            return
        self.tally.disputes[order_id] = Dispute(
            order_id=order_id, opened_at_ms=market.now_ms, truth=truth, honest_shop=shop.is_honest
        )
        if recorded_at_ms:
            await self._give_recording(shop, order_id, reason, recorded_at_ms)
            self.tally.disputes[order_id].is_shown = not buyer.cheats  # a staged one shows what did not happen
        if shop.issuer_lies:
            self.false_words.add(order_id)
        if self._happens(self.scenario.attested_bp):
            wait_ms = self._within(MINUTE_MS // 2, self.scenario.attested_within_min * MINUTE_MS)
            wait_ms = max(wait_ms, self.issuer_is_out_until_ms - market.now_ms)
            market.later(wait_ms, lambda: self._attest(shop, order_id))
        if shop.alive and self._happens(shop.contests_bp):
            market.later(self._within(HOUR_MS, 40 * HOUR_MS), lambda: self._contest(shop, order_id))
        market.later(LOOK_AGAIN_MS, lambda: self._look(shop, buyer, order_id))

    async def _give_recording(self, shop: Shop, order_id: str, reason: Reason, moment_ms: int) -> None:
        number = self.market.new_id()
        digest = sha256(number.encode()).hexdigest()
        recording = AddEvidence(
            shop_id=shop.shop_id,
            order_id=order_id,
            evidence_id=number,
            by=Party.BUYER,
            piece=Piece.RECORDING,
            sha256=digest,
            media_type="video/mp4",
            size_bytes=1,
            name="recording.mp4",
            address=digest,
            file_key=digest,
            recording_no=1,
            shows=reason.value,
            moment_ms=moment_ms,
        )
        await self._ask(Asker.BUYER, recording)

    async def _contest(self, shop: Shop, order_id: str) -> None:
        file = self.market.order(shop.shop_id, order_id)
        if file.evidence.items and not shop.is_honest and self._happens(self.scenario.doubts_bp):
            text, evidence_id = "This was cut.", file.evidence.items[0].evidence_id
            doubt = DoubtEvidence(
                shop_id=shop.shop_id, order_id=order_id, evidence_id=evidence_id, by=Party.SHOP, text=text
            )
            await self._ask(Asker.MERCHANT, doubt)
        if file.complaint.stage is ComplaintStage.OPENED:
            command = ContestComplaint(shop_id=shop.shop_id, order_id=order_id, text=CONTEST)
            await self._ask(Asker.MERCHANT, command)

    async def _attest(self, shop: Shop, order_id: str) -> None:
        """The issuer says what became of the code."""
        market = self.market
        code_id = market.order(shop.shop_id, order_id).codes.held[0].code_id
        code = market.codes[code_id]
        if code.is_real:
            await self._ask(Asker.ISSUER, self._word_about(shop, order_id, code_id, code))
        else:
            answer = RecordIssuerAnswer(
                shop_id=shop.shop_id,
                code_id=code_id,
                listing_id=shop.listing_id,
                issuer_id=market.issuer_id,
                says="unclear",
                word="unknown",
                happened_at_ms=market.now_ms,
                said_at_ms=market.now_ms,
                statement_key=market.new_id(),
                answer="{}",
            )
            await self._ask(Asker.OPERATOR, answer)
        if self._is_told(shop, order_id, code):
            self.tally.disputes[order_id].is_shown = True
        await judge_order(market.house, Stream(shop.shop_id, "order", order_id))

    def _is_told(self, shop: Shop, order_id: str, code: Code) -> bool:
        """Does the issuer's word say who is right: no such code, unused, or used before it was opened?

        That it was used afterwards by somebody else proves nothing either way.
        """
        if order_id in self.false_words:
            return False
        opened_ms = self.market.order(shop.shop_id, order_id).codes.first_opened_at_ms
        return not code.is_real or not code.used_at_ms or code.used_at_ms < opened_ms

    def _word_about(self, shop: Shop, order_id: str, code_id: str, code: Code) -> AttestCode:
        """The truth; or, where issuer and shop work hand in hand, that the code was used after it was opened.

        Which account the buyer named stays sealed from both, so that a false word cannot name it.
        """
        market = self.market
        used_at_ms, account = code.used_at_ms, code.used_by
        if order_id in self.false_words:
            opened_ms = market.order(shop.shop_id, order_id).codes.first_opened_at_ms
            used_at_ms, account = opened_ms + MINUTE_MS, "somebody-else"
        return AttestCode(
            shop_id=shop.shop_id,
            code_id=code_id,
            listing_id=shop.listing_id,
            issuer_id=market.issuer_id,
            key_no=1,
            says="activated" if used_at_ms else "unused",
            happened_at_ms=min(used_at_ms or market.now_ms, market.now_ms),
            said_at_ms=market.now_ms,
            statement="{}",
            signature="",
            statement_key=market.new_id(),
            code_salt="",
            account=account if used_at_ms else "",
            account_key=account if used_at_ms else "",
        )

    async def _look(self, shop: Shop, buyer: Buyer, order_id: str) -> None:
        """Both sides look what became of it, again and again until it is over."""
        market = self.market
        file = market.order(shop.shop_id, order_id)
        dispute, complaint = self.tally.disputes[order_id], file.complaint
        if complaint.ruling is not None and not dispute.ruled_at_ms:
            dispute.ruled_at_ms, dispute.row = complaint.ruling.at_ms, complaint.ruling.row
        if complaint.stage is ComplaintStage.CLOSED:
            dispute.outcome = complaint.outcome.value if complaint.outcome else ""
            dispute.back_fen = dispute.taken_fen = complaint.refund_fen
            if not (buyer.cheats or buyer.griefs or buyer.is_shops):
                self.tally.honest_loss_fen -= min(complaint.refund_fen, self.scenario.price_fen)
            else:
                self.tally.cheat_buyers_fen += complaint.refund_fen
            return
        if complaint.stage is ComplaintStage.PANEL:
            dispute.by_human = True
        if complaint.stage is ComplaintStage.RULED and complaint.ruling is not None:
            await self._perhaps_appeal(shop, order_id, dispute)
        market.later(LOOK_AGAIN_MS, lambda: self._look(shop, buyer, order_id))

    async def _perhaps_appeal(self, shop: Shop, order_id: str, dispute: Dispute) -> None:
        ruling = self.market.order(shop.shop_id, order_id).complaint.ruling
        assert ruling is not None
        for_buyer = ruling.refund_fen + ruling.pool_fen > 0
        loser = Side.SHOP if for_buyer else Side.BUYER
        loser_is_right = (dispute.truth == "buyer") is not for_buyer
        share_bp = self.scenario.appeals_bp if loser_is_right else self.scenario.cheats_appeal_bp
        # Looked at four times a day: the share is of the whole time for an appeal.
        if self._happens(share_bp // 4):
            asker = Asker.MERCHANT if loser is Side.SHOP else Asker.BUYER
            text = "This is not what happened."
            await self._ask(asker, AppealRuling(shop_id=shop.shop_id, order_id=order_id, by=loser, text=text))

    def _code_of(self, shop: Shop, order_id: str) -> Code:
        return self.market.codes[self.market.order(shop.shop_id, order_id).codes.held[0].code_id]

    async def _ask(self, by: Asker, command: Command) -> None:
        """Ask; that it came too late is part of life."""
        await self.market.ask(by, command)


SETTLE_MS: Final = 30 * DAY_MS
