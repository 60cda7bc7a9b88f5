"""The provider as a whole: money, faults and notifications in one transaction each."""

import asyncio
import contextlib
import json
from collections.abc import Mapping

from sandbox_provider.book import CURRENCY, Book, CollectionTerms, Course, Instruction, Payment, Refused
from sandbox_provider.clock import Clock
from sandbox_provider.faults import Faults, Operation
from sandbox_provider.notices import Notices, Sender
from sandbox_provider.state import State

LONGEST_NAP_S = 30.0


class Provider:
    """Everything the API, the control API and the cashier do."""

    def __init__(
        self,
        state: State,
        *,
        secret: bytes,
        seed: int,
        notify_url: str,
        first_pause_ms: int = 1_000,
        clock: Clock | None = None,
    ) -> None:
        """`notify_url` is told about instructions whose payment named no other."""
        self.state = state
        self.secret = secret
        self.clock = clock or Clock(int(state.fact("clock_offset_ms") or 0))
        self.notify_url = state.fact("notify_url") or notify_url
        self.book = Book(state)
        self.faults = Faults(state, seed)
        self.notices = Notices(state, self.faults, self.clock, first_pause_ms)
        self.sender = Sender(self.notices, secret)

    # What the customer asks for.

    def collect(self, terms: CollectionTerms) -> bool:
        """Open a collection; False if it was open."""
        return self.book.open_collection(terms, self.clock.now_ms())

    def refund(self, idempotency_key: str, provider_txn: str, amount_fen: int, out_of: str = "") -> Instruction:
        """Take a refund."""
        body: dict[str, str | int] = {"provider_txn": provider_txn, "amount_fen": amount_fen}
        if out_of:
            body["out_of"] = out_of
        with self.state.transaction():
            if known := self.book.known("refund", idempotency_key, body):
                return known
            names, notify_url = self._names(idempotency_key, provider_txn)
            course = self._course("refund", names, notify_url)
            now_ms = self.clock.now_ms()
            taken = self.book.refund(idempotency_key, provider_txn, amount_fen, now_ms, course, out_of)
            return self._told(taken, names)

    def release(
        self, idempotency_key: str, provider_txn: str, shop_account: str, amount_fen: int, fee_fen: int
    ) -> Instruction:
        """Take a split."""
        body: dict[str, str | int] = {
            "provider_txn": provider_txn,
            "shop_account": shop_account,
            "amount_fen": amount_fen,
            "fee_fen": fee_fen,
        }
        with self.state.transaction():
            if known := self.book.known("release", idempotency_key, body):
                return known
            names, notify_url = self._names(idempotency_key, provider_txn, shop_account)
            course = self._course("release", names, notify_url)
            taken = self.book.release(
                idempotency_key,
                provider_txn,
                shop_account,
                amount_fen,
                fee_fen,
                self.clock.now_ms(),
                course,
            )
            return self._told(taken, names)

    def pay_out(self, idempotency_key: str, shop_account: str, amount_fen: int) -> Instruction:
        """Take a payout."""
        body: dict[str, str | int] = {"shop_account": shop_account, "amount_fen": amount_fen}
        with self.state.transaction():
            if known := self.book.known("payout", idempotency_key, body):
                return known
            names = (idempotency_key, shop_account)
            course = self._course("payout", names, self.notify_url)
            taken = self.book.pay_out(idempotency_key, shop_account, amount_fen, self.clock.now_ms(), course)
            return self._told(taken, names)

    # What buyers do.

    def pay(self, reference: str, amount_fen: int | None = None, currency: str = CURRENCY) -> list[Payment]:
        """A buyer pays what is asked, or another amount; faults may make it less, more, or twice."""
        with self.state.transaction():
            terms = self.book.collection(reference)
            if amount_fen is None:
                if terms is None:
                    raise Refused(
                        404, "reference_is_unknown", "no collection has this reference; say an amount to pay anyway"
                    )
                amount_fen = terms.amount_fen
                if short := self.faults.draw("pay_short", "payment", reference):
                    amount_fen -= short.rule.by_fen
                if over := self.faults.draw("pay_over", "payment", reference):
                    amount_fen += over.rule.by_fen
                amount_fen = max(amount_fen, 1)
            times = 2 if self.faults.draw("pay_twice", "payment", reference) else 1
            return [self._arrived(reference, amount_fen, currency, terms) for _ in range(times)]

    def _arrived(self, reference: str, amount_fen: int, currency: str, terms: CollectionTerms | None) -> Payment:
        payment = self.book.take_payment(reference, amount_fen, currency, self.clock.now_ms())
        told: dict[str, object] = {
            "event": "payment",
            "provider_txn": payment.provider_txn,
            "reference": reference,
            "amount_fen": amount_fen,
            "currency": currency,
            "paid_at_ms": payment.paid_at_ms,
        }
        if changed := self.faults.draw("change_amount", "payment", reference):
            told["amount_fen"] = max(amount_fen + changed.rule.by_fen, 1)
        if changed := self.faults.draw("change_currency", "payment", reference):
            told["currency"] = changed.rule.currency
        notify_url = terms.notify_url if terms else self.notify_url
        self.notices.queue("payment", (reference, payment.provider_txn), notify_url, _body(told))
        return payment

    # What goes on by itself.

    async def run(self) -> None:
        """Settle instructions and send notifications when they are due, until cancelled."""
        try:
            while True:
                self.notices.changed.clear()
                self.settle_due()
                await self.sender.send_due()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.notices.changed.wait(), self._nap_s())
        finally:
            await self.sender.close()

    def settle_due(self, *, everything: bool = False) -> int:
        """Finish pending instructions whose time has come, or all of them; how many."""
        if everything:
            self.state.db.execute("UPDATE instructions SET settles_at_ms = 0 WHERE state = 'pending'")
        due = self.book.due_instructions(self.clock.machine_ms())
        for kind, idempotency_key in due:
            with self.state.transaction():
                settled = self.book.settle(kind, idempotency_key, self.clock.now_ms())
                body = json.loads(settled.body)
                names = [idempotency_key]
                if payment := self.book.payment(str(body.get("provider_txn"))):
                    names.append(payment.reference)
                if "shop_account" in body:
                    names.append(str(body["shop_account"]))
                self._told(settled, tuple(names))
        return len(due)

    async def drain(self, *, hurry: bool, timeout_s: float) -> int:
        """Wait until nothing is left to tell; with `hurry` nothing waits for its time. How many are left."""
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + timeout_s
        while True:
            if hurry:
                self.settle_due(everything=True)
                self.notices.hurry()
            left = self.notices.waiting()
            if not left or loop.time() >= ends_at_s:
                return left
            await asyncio.sleep(0.003)

    def move_clock(self, offset_ms: int) -> None:
        """Live `offset_ms` away from the machine's time, over restarts too."""
        self.clock.offset_ms = offset_ms
        self.state.remember("clock_offset_ms", str(offset_ms))

    def notify_at(self, notify_url: str) -> None:
        """Tell what has no other address to this one, over restarts too."""
        self.notify_url = notify_url
        self.state.remember("notify_url", notify_url)

    # Inner parts.

    def _nap_s(self) -> float:
        now_ms = self.clock.machine_ms()
        row = self.state.db.execute("SELECT min(settles_at_ms) FROM instructions WHERE state = 'pending'").fetchone()
        dues = [due for due in (self.notices.next_due_ms(), row[0]) if due is not None]
        if not dues:
            return LONGEST_NAP_S
        # Something due but under way (or waiting for another) wakes the loop by itself when it changes.
        return min(max((min(dues) - now_ms) / 1000, 0.05), LONGEST_NAP_S)

    def _names(self, idempotency_key: str, provider_txn: str, *more: str) -> tuple[tuple[str, ...], str]:
        """What faults may call this instruction by, and where its end is told."""
        payment = self.book.payment(provider_txn)
        if payment is None:
            return (idempotency_key, *more), self.notify_url
        terms = self.book.collection(payment.reference)
        return (idempotency_key, payment.reference, *more), terms.notify_url if terms else self.notify_url

    def _course(self, operation: Operation, names: tuple[str, ...], notify_url: str) -> Course:
        """Whether faults want it to go another way than at once and well."""
        now_ms = self.clock.machine_ms()
        if strike := self.faults.draw("fail", operation, *names):
            wait_ms = strike.delay_ms(0)
            return Course(
                notify_url=notify_url, settles_at_ms=now_ms + wait_ms, waits=wait_ms > 0, will_fail=strike.rule.reason
            )
        if strike := self.faults.draw("stay_pending", operation, *names):
            if strike.rule.delay_ms is None:
                return Course(notify_url=notify_url, waits=True)
            return Course(notify_url=notify_url, settles_at_ms=now_ms + strike.delay_ms(0), waits=True)
        return Course(notify_url=notify_url)

    def _told(self, instruction: Instruction, names: tuple[str, ...]) -> Instruction:
        """Tell the end of an instruction, if it is at its end."""
        if instruction.state != "pending":
            told: dict[str, object] = {
                "event": "instruction",
                "kind": instruction.kind,
                "idempotency_key": instruction.idempotency_key,
                "provider_ref": instruction.provider_ref,
                "succeeded": instruction.state == "succeeded",
                "amount_fen": instruction.amount_fen,
                "reason": instruction.reason,
            }
            operation = OPERATIONS[instruction.kind]
            if changed := self.faults.draw("change_amount", operation, *names):
                told["amount_fen"] = max(instruction.amount_fen + changed.rule.by_fen, 0)
            self.notices.queue(operation, names, instruction.notify_url, _body(told))
        return instruction


OPERATIONS: Mapping[str, Operation] = {"refund": "refund", "release": "release", "payout": "payout"}


def _body(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
