"""What happens by itself: deadlines that have come, effects that wait, things left lying.

Any number of workers may run, inside `serve` or alone; the outbox is claimed row by row, the clock is swept by whoever
holds its lease. A worker that dies leaves nothing that another does not pick up.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS, MINUTE_MS, Broken, Stream
from fairkey.business.deadlines import Due, command_for
from fairkey.effects.outbox import NotYet, Outbox, Waiting
from fairkey.effects.ports import (
    Instruction,
    InstructionKind,
    InstructionNotice,
    MailIsUnreachable,
    MailWasRefused,
    PaymentProvider,
    ProviderIsUnreachable,
    ProviderRefused,
)
from fairkey.effects.queue import (
    ASK_AGAIN,
    CUSTODY_ACCOUNT,
    JUDGE,
    LOOK_AT_WORDS,
    PANEL_STEPS,
    PAY_SHARES,
    QUARANTINE,
    RESUME_CLOCKS,
    TELLING,
    WIND_UP,
)
from fairkey.engine import claiming, evidencing, judging, outaging, paneling, quarantining, trade, winding_up
from fairkey.engine.answers import Conflict, StoreIsAway
from fairkey.engine.batching import Stopping
from fairkey.engine.house import House
from fairkey.read_tables.issuer_book import IssuerRecord

INSTRUCTION_OF: Mapping[str, InstructionKind] = {
    "refund": "refund",
    "refund_unmatched": "refund",
    "release": "release",
    "payout": "payout",
    "restore": "refund",
    "deposit_secure": "release",
    "deposit_return": "refund",
}
ROWS_AT_ONCE_MAX = 100
PUT_OFF_MS = MINUTE_MS
ABANDONED_AFTER_MS = 6 * HOUR_MS
TIDY_EVERY_MS = HOUR_MS

logger = logging.getLogger(__name__)


class Clockwork(Protocol):
    """Deadlines and leases."""

    async def due(self, now_ms: int, rows_max: int) -> list[tuple[Stream, Due]]:
        """Deadlines that have come, earliest first."""

    def lease(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Whether this process holds the lease `name` for the body."""


Tell = Callable[[Waiting], Awaitable[None]]


class Worker:
    """Runs what is due; `run` goes on until cancelled, the single steps serve tests with a virtual clock."""

    def __init__(self, house: House, *, clockwork: Clockwork, outbox: Outbox, tell: Tell) -> None:
        """`tell` writes and sends the mail of a `tell_*` effect."""
        self._house = house
        self._clockwork = clockwork
        self._outbox = outbox
        self._tell = tell
        self._tidied_at_ms = 0
        self._put_off: dict[tuple[Stream, Due], int] = {}  # deadlines that could not be met, and when they come again

    async def run(self, pause_s: float) -> None:
        """Work until cancelled; between two looks that found nothing, `pause_s` seconds pass."""
        while True:
            try:
                worked = await self.step()
            except Exception:  # the loop outlives any failure; what failed comes up again
                logger.exception("the worker's step failed")
                worked = 0
            if not worked:
                await asyncio.sleep(pause_s)

    async def step(self) -> int:
        """One look at everything; how many things were done."""
        return await self.sweep() + await self.do_effects() + await self.tidy()

    async def sweep(self) -> int:
        """Turn deadlines that have come into commands; how many."""
        async with self._clockwork.lease("clock") as held:
            if not held:
                return 0
            now_ms = self._house.now_ms()
            self._put_off = {one: again_ms for one, again_ms in self._put_off.items() if again_ms > now_ms}
            # What fails comes first in every look: it is passed over for a while, or it would keep the rest waiting.
            due = await self._clockwork.due(now_ms, ROWS_AT_ONCE_MAX + len(self._put_off))
            timely = [one for one in due if one not in self._put_off][:ROWS_AT_ONCE_MAX]
            # Read once for all of them. Where nothing is out no clock is looked at, and all are met as they came due.
            any_stop = any(one.what in outaging.STOPPABLE for _, one in timely)
            outages = await outaging.recent(self._house) if any_stop else []
            results = await asyncio.gather(*(self._meet(stream, one, outages) for stream, one in timely))
            return sum(results)

    async def _meet(self, stream: Stream, due: Due, outages: Sequence[IssuerRecord]) -> int:
        if due.what == "expire":
            # A notification may have been lost: before the buyer's time is over, the provider is asked.
            await trade.catch_up_quietly(self._house, stream.shop_id, stream.id)
        if outages and due.what in outaging.STOPPABLE:
            stopped = await self._stopped(stream, outages)
            if stopped is None:
                self._put_off[stream, due] = self._house.now_ms() + PUT_OFF_MS
                return 0
            if stopped:
                return 1
        if due.what == "end_silence":
            moved = await self._judged(stream)
            if moved is None:
                self._put_off[stream, due] = self._house.now_ms() + PUT_OFF_MS
                return 0
            if moved:
                return 1
        command_id = f"clock:{stream.shop_id}:{stream.kind}:{stream.id}:{due.what}:{due.due_at_ms}"
        try:
            answer = await self._house.ask(Asker.CLOCK, command_for(stream, due.what), command_id=command_id)
        except (Broken, Conflict, StoreIsAway, Stopping) as error:
            logger.warning("the deadline %s of a %s could not be met now: %s", due.what, stream.kind, error)
            self._put_off[stream, due] = self._house.now_ms() + PUT_OFF_MS
            return 0
        if answer.refusal:
            logger.info("the deadline %s of a %s had passed already: %s", due.what, stream.kind, answer.refusal)
        return int(not answer.refusal)

    async def _stopped(self, stream: Stream, outages: Sequence[IssuerRecord]) -> bool | None:
        """Whether an outage of the issuer moved the deadline or lets it stand; None: it could not be asked now."""
        try:
            return await outaging.stop_if_out(self._house, stream, outages)
        except (Broken, Conflict, StoreIsAway, Stopping) as error:
            logger.warning("a clock could not be stopped now: %s", error)
            return None

    async def _judged(self, stream: Stream) -> bool | None:
        """The standard speaks before silence does: whether it said anything; None: it could not be asked now."""
        try:
            answer = await judging.judge_order(self._house, stream)
        except (Broken, Conflict, StoreIsAway, Stopping) as error:
            logger.warning("a complaint could not be judged now: %s", error)
            return None
        return bool(answer and not answer.refusal and answer.kinds)

    async def do_effects(self) -> int:
        """Do what waits in the outbox; how many were taken up."""
        claimed = await self._outbox.claim(self._house.now_ms(), ROWS_AT_ONCE_MAX)
        await asyncio.gather(*(self._do(waiting) for waiting in claimed))
        return len(claimed)

    async def _do(self, waiting: Waiting) -> None:
        now_ms = self._house.now_ms
        try:
            if waiting.kind in TELLING:
                await self._tell(waiting)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind == ASK_AGAIN:
                await trade.catch_up(self._house, waiting.stream.shop_id, waiting.stream.id)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind == JUDGE:
                await judging.judge(self._house, waiting.stream)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind == QUARANTINE:
                await quarantining.quarantine(self._house, waiting.stream)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind == LOOK_AT_WORDS:
                await quarantining.look_at_words(self._house, waiting.stream)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind == RESUME_CLOCKS:
                await outaging.resume(self._house, waiting.stream.id, judging.judge_order)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind == WIND_UP:
                await winding_up.wind_up(self._house, waiting.stream.shop_id)
                await claiming.announce(self._house, waiting.stream.shop_id)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind == PAY_SHARES:
                await claiming.pay_shares(self._house, waiting.stream.shop_id)
                await self._outbox.done(waiting, now_ms())
            elif waiting.kind in PANEL_STEPS:
                await paneling.STEPS[waiting.kind](self._house, waiting.stream.id)
                await self._outbox.done(waiting, now_ms())
            else:
                await self._instruct(waiting)
        except NotYet as soon:
            await self._outbox.not_yet(waiting, soon.at_ms)
        except (ProviderRefused, MailWasRefused) as refused:
            await self._record(waiting, succeeded=False, reason=refused.reason)
            await self._outbox.failed(waiting, now_ms(), refused.reason)
        except (ProviderIsUnreachable, MailIsUnreachable, StoreIsAway, Conflict, Stopping) as error:
            await self._outbox.later(waiting, now_ms(), f"{type(error).__name__}: {error}")
        except Exception as error:  # one effect's failure is its own
            logger.exception("an effect of kind %s failed", waiting.kind)
            await self._outbox.later(waiting, now_ms(), type(error).__name__)

    async def _instruct(self, waiting: Waiting) -> None:
        """Tell the provider (or, when it was told before, ask how it went) and record what it says."""
        provider = self._provider_of(waiting)
        instruction: Instruction | None = None
        if waiting.sent:
            instruction = await provider.query_instruction(INSTRUCTION_OF[waiting.kind], waiting.key)
        if instruction is None:
            instruction = await self._give(provider, waiting)
        if instruction.state == "pending":
            await self._outbox.sent(waiting, self._house.now_ms())
            return
        succeeded = instruction.state == "succeeded"
        await self._record(waiting, succeeded=succeeded, reason=instruction.reason)
        if succeeded:
            await self._outbox.done(waiting, self._house.now_ms())
        else:
            await self._outbox.failed(waiting, self._house.now_ms(), instruction.reason)

    def _provider_of(self, waiting: Waiting) -> PaymentProvider:
        name = waiting.payload.get("provider")
        return self._house.providers[str(name)] if name else self._house.provider

    async def _give(self, provider: PaymentProvider, waiting: Waiting) -> Instruction:
        payload = waiting.payload
        amount_fen = payload["amount_fen"]
        assert isinstance(amount_fen, int)
        match waiting.kind:
            case "refund" | "refund_unmatched":
                return await provider.refund(
                    idempotency_key=waiting.key, provider_txn=str(payload["provider_txn"]), amount_fen=amount_fen
                )
            case "release":
                fee_fen = payload["fee_fen"]
                assert isinstance(fee_fen, int)
                return await provider.release(
                    idempotency_key=waiting.key,
                    provider_txn=str(payload["provider_txn"]),
                    shop_account=waiting.stream.shop_id,
                    amount_fen=amount_fen,
                    fee_fen=fee_fen,
                )
            case "restore" | "deposit_return":
                return await provider.refund(
                    idempotency_key=waiting.key,
                    provider_txn=str(payload["provider_txn"]),
                    amount_fen=amount_fen,
                    out_of=CUSTODY_ACCOUNT,
                )
            case "deposit_secure":
                return await provider.release(
                    idempotency_key=waiting.key,
                    provider_txn=str(payload["provider_txn"]),
                    shop_account=CUSTODY_ACCOUNT,
                    amount_fen=amount_fen,
                    fee_fen=0,
                )
            case "payout":
                return await provider.pay_out(
                    idempotency_key=waiting.key, shop_account=waiting.stream.shop_id, amount_fen=amount_fen
                )
            case _:
                raise Broken(f"nobody knows how to do {waiting.kind}")

    async def _record(self, waiting: Waiting, *, succeeded: bool, reason: str) -> None:
        if waiting.kind not in INSTRUCTION_OF:
            return
        notice = InstructionNotice(
            kind=INSTRUCTION_OF[waiting.kind],
            idempotency_key=waiting.key,
            provider_ref="",
            succeeded=succeeded,
            amount_fen=0,
            reason=reason,
        )
        await trade.record_notice(self._house, self._house.provider.name, notice)

    async def tidy(self) -> int:
        """Once an hour, by one process: imports left half-way, sessions and links that have ended, unneeded files."""
        now_ms = self._house.now_ms()
        if now_ms - self._tidied_at_ms < TIDY_EVERY_MS:
            return 0
        self._tidied_at_ms = now_ms
        async with self._clockwork.lease("tidy") as held:
            if not held:
                return 0
            cleaned: Sequence[int] = (
                await self._house.imports.clean_abandoned(ABANDONED_AFTER_MS),
                await self._house.people.sessions.sweep(),
                await self._house.people.accounts.sweep(),
                await evidencing.tidy(self._house),
            )
            return sum(cleaned)
