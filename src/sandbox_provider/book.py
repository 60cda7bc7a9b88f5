"""The money: what was collected, where it is held, and what instructions did with it.

Accounts: `outside/buyers` and `outside/banks` (the world, may be negative) · `held/<txn>` (collected, not yet split) ·
`shop/<account>` (a merchant's sub-account) · `platform` · `transit/<kind>/<key>` (an instruction under way). Money
leaves an account the moment an instruction is taken and comes back if it fails, so no two instructions can count on the
same fen.
"""

import datetime
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox_provider.state import State

CURRENCY = "CNY"
PLATFORM = "platform"
BUYERS = "outside/buyers"
BANKS = "outside/banks"


class Refused(Exception):
    """The provider's no: a stable code and a sentence. Leaves no trace, so the same key may ask again later."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionTerms:
    """What a collection was opened with."""

    reference: str
    amount_fen: int
    currency: str
    subject: str
    expires_at_ms: int
    return_url: str
    notify_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One arrival of money."""

    provider_txn: str
    reference: str
    amount_fen: int
    currency: str
    paid_at_ms: int
    refunded_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction and how it stands."""

    kind: str
    idempotency_key: str
    provider_ref: str
    body: str
    amount_fen: int
    notify_url: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How an instruction is to go (at once and well, later, or to a failure) and where its end is told."""

    notify_url: str
    settles_at_ms: int | None = None
    waits: bool = False
    will_fail: str = ""


PAYMENT_COLUMNS = "provider_txn, reference, amount_fen, currency, paid_at_ms, refunded_fen"
INSTRUCTION_COLUMNS = "kind, idempotency_key, provider_ref, body, amount_fen, notify_url, state, reason"


class Book:
    """All operations on money. Each is one transaction of `State` (or part of the caller's)."""

    def __init__(self, state: State) -> None:
        """Keep the book in this state file."""
        self.state = state

    # Collecting.

    def open_collection(self, terms: CollectionTerms, now_ms: int) -> bool:
        """Open it; False if it was open already with the same terms. Other terms are refused.

        Only the way back may change: somebody may begin in a program and go on in a browser.
        """
        with self.state.transaction() as db:
            known = self.collection(terms.reference)
            if known is not None and replace(known, return_url=terms.return_url) == terms:
                db.execute(
                    "UPDATE collections SET return_url = ? WHERE reference = ?", (terms.return_url, terms.reference)
                )
                return False
            if known is not None:
                raise Refused(409, "reference_is_taken", "this reference was opened with other terms")
            db.execute(
                "INSERT INTO collections VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    terms.reference,
                    terms.amount_fen,
                    terms.currency,
                    terms.subject,
                    terms.expires_at_ms,
                    terms.return_url,
                    terms.notify_url,
                    now_ms,
                ),
            )
        return True

    def collection(self, reference: str) -> CollectionTerms | None:
        """The terms of one collection."""
        row = self.state.db.execute(
            "SELECT reference, amount_fen, currency, subject, expires_at_ms, return_url, notify_url"
            " FROM collections WHERE reference = ?",
            (reference,),
        ).fetchone()
        return None if row is None else CollectionTerms(**dict(row))

    def recent_collections(self, limit: int) -> list[CollectionTerms]:
        """The newest ones first."""
        rows = self.state.db.execute(
            "SELECT reference, amount_fen, currency, subject, expires_at_ms, return_url, notify_url"
            " FROM collections ORDER BY opened_at_ms DESC, reference LIMIT ?",
            (limit,),
        )
        return [CollectionTerms(**dict(row)) for row in rows]

    def take_payment(self, reference: str, amount_fen: int, currency: str, now_ms: int) -> Payment:
        """Money arrives and is held. Any reference is good: people do pay what nobody asked them for."""
        with self.state.transaction() as db:
            number = db.execute("SELECT coalesce(max(number), 0) + 1 FROM payments").fetchone()[0]
            day = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).strftime("%Y%m%d")
            txn = f"{day}{self.state.mark}{number:08d}"
            db.execute(
                "INSERT INTO payments (provider_txn, reference, amount_fen, currency, paid_at_ms)"
                " VALUES (?, ?, ?, ?, ?)",
                (txn, reference, amount_fen, currency, now_ms),
            )
            self._move("payment", txn, BUYERS, f"held/{txn}", currency, amount_fen, now_ms)
        return Payment(
            provider_txn=txn,
            reference=reference,
            amount_fen=amount_fen,
            currency=currency,
            paid_at_ms=now_ms,
            refunded_fen=0,
        )

    def payment(self, provider_txn: str) -> Payment | None:
        """One payment."""
        row = self.state.db.execute(
            f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE provider_txn = ?",  # noqa: S608 a constant
            (provider_txn,),
        ).fetchone()
        return None if row is None else Payment(**dict(row))

    def payments_of(self, reference: str) -> list[Payment]:
        """All that arrived for a reference, oldest first."""
        rows = self.state.db.execute(
            f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE reference = ? ORDER BY number",  # noqa: S608 a constant
            (reference,),
        )
        return [Payment(**dict(row)) for row in rows]

    # Instructions.

    def instruction(self, kind: str, idempotency_key: str) -> Instruction | None:
        """One instruction by its key."""
        row = self.state.db.execute(
            f"SELECT {INSTRUCTION_COLUMNS} FROM instructions"  # noqa: S608 a constant
            " WHERE kind = ? AND idempotency_key = ?",
            (kind, idempotency_key),
        ).fetchone()
        return None if row is None else Instruction(**dict(row))

    def known(self, kind: str, idempotency_key: str, body: Mapping[str, str | int]) -> Instruction | None:
        """The instruction already taken under this key; refused if it said something else."""
        known = self.instruction(kind, idempotency_key)
        if known is not None and known.body != _canonical(body):
            raise Refused(409, "idempotency_key_is_taken", "this key was used with another body")
        return known

    def refund(
        self, idempotency_key: str, provider_txn: str, amount_fen: int, now_ms: int, course: Course, out_of: str = ""
    ) -> Instruction:
        """Give back out of what is held; what was split already comes from the platform's account, or all of it out of
        the sub-account `out_of`.
        """
        payment = self._payment_or_refuse(provider_txn)
        held_fen = self.balance(f"held/{provider_txn}", payment.currency)
        if amount_fen > payment.amount_fen - payment.refunded_fen:
            raise Refused(422, "more_than_was_paid", "refunds would exceed the payment")
        from_held_fen = 0 if out_of else min(held_fen, amount_fen)
        rest = f"shop/{out_of}" if out_of else PLATFORM
        sources = [(f"held/{provider_txn}", from_held_fen), (rest, amount_fen - from_held_fen)]
        if self.balance(rest, payment.currency) < sources[1][1]:
            if out_of:
                raise Refused(422, "account_is_short", "the account that bears the refund holds less")
            raise Refused(422, "platform_account_is_short", "the money was split and the platform's account is short")
        body: dict[str, str | int] = {"provider_txn": provider_txn, "amount_fen": amount_fen}
        if out_of:
            body["out_of"] = out_of
        with self.state.transaction() as db:
            db.execute(
                "UPDATE payments SET refunded_fen = refunded_fen + ? WHERE provider_txn = ?", (amount_fen, provider_txn)
            )
            return self._take("refund", idempotency_key, body, amount_fen, sources, payment.currency, now_ms, course)

    def release(
        self,
        idempotency_key: str,
        provider_txn: str,
        shop_account: str,
        amount_fen: int,
        fee_fen: int,
        now_ms: int,
        course: Course,
    ) -> Instruction:
        """Split held money: the amount to the shop's sub-account, the fee to the platform."""
        payment = self._payment_or_refuse(provider_txn)
        if payment.currency != CURRENCY:
            raise Refused(422, "currency_cannot_be_split", f"only {CURRENCY} can be split, this is {payment.currency}")
        if amount_fen + fee_fen > self.balance(f"held/{provider_txn}", CURRENCY):
            raise Refused(422, "not_enough_held", "less is held for this payment than would be split")
        if amount_fen + fee_fen == 0:
            raise Refused(422, "nothing_to_split", "amount and fee are both zero")
        body: dict[str, str | int] = {
            "provider_txn": provider_txn,
            "shop_account": shop_account,
            "amount_fen": amount_fen,
            "fee_fen": fee_fen,
        }
        sources = [(f"held/{provider_txn}", amount_fen + fee_fen)]
        return self._take("release", idempotency_key, body, amount_fen, sources, CURRENCY, now_ms, course)

    def pay_out(
        self, idempotency_key: str, shop_account: str, amount_fen: int, now_ms: int, course: Course
    ) -> Instruction:
        """Send money of a sub-account to its owner's bank."""
        if amount_fen > self.balance(f"shop/{shop_account}", CURRENCY):
            raise Refused(422, "not_enough_in_account", "the sub-account holds less")
        body: dict[str, str | int] = {"shop_account": shop_account, "amount_fen": amount_fen}
        sources = [(f"shop/{shop_account}", amount_fen)]
        return self._take("payout", idempotency_key, body, amount_fen, sources, CURRENCY, now_ms, course)

    def due_instructions(self, machine_ms: int) -> list[tuple[str, str]]:
        """(kind, key) of pending ones whose time has come."""
        rows = self.state.db.execute(
            "SELECT kind, idempotency_key FROM instructions"
            " WHERE state = 'pending' AND settles_at_ms <= ? ORDER BY number",
            (machine_ms,),
        )
        return [(row[0], row[1]) for row in rows]

    def settle(self, kind: str, idempotency_key: str, now_ms: int) -> Instruction:
        """Bring a pending instruction to the end it was meant for. A finished one stays as it is."""
        with self.state.transaction() as db:
            row = db.execute(
                "SELECT number, state, will_fail, body FROM instructions WHERE kind = ? AND idempotency_key = ?",
                (kind, idempotency_key),
            ).fetchone()
            if row is not None and row["state"] == "pending":
                body = json.loads(row["body"])
                if row["will_fail"]:
                    self._undo(kind, idempotency_key, body, now_ms)
                else:
                    self._finish(kind, idempotency_key, body, now_ms)
                db.execute(
                    "UPDATE instructions SET state = ?, reason = will_fail, settles_at_ms = NULL WHERE number = ?",
                    ("failed" if row["will_fail"] else "succeeded", row["number"]),
                )
        return self._existing(kind, idempotency_key)

    # Balances.

    def top_up(self, account: str, amount_fen: int, now_ms: int) -> None:
        """Money from a bank into the platform's account or a sub-account (`shop/...`)."""
        if account != PLATFORM and not account.startswith("shop/"):
            raise Refused(422, "account_cannot_be_topped_up", "only `platform` and `shop/...` take money from a bank")
        with self.state.transaction():
            self._move("top_up", account, BANKS, account, CURRENCY, amount_fen, now_ms)

    def balance(self, account: str, currency: str = CURRENCY) -> int:
        """Fen in an account."""
        row = self.state.db.execute(
            "SELECT balance_fen FROM balances WHERE account = ? AND currency = ?", (account, currency)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def balances(self) -> list[sqlite3.Row]:
        """Every account that is not empty."""
        return list(
            self.state.db.execute(
                "SELECT account, currency, balance_fen FROM balances WHERE balance_fen <> 0 ORDER BY account, currency"
            )
        )

    def differences(self) -> list[str]:
        """What is off between the moves and the balances; empty when the book is right."""
        rows = self.state.db.execute(
            """
            WITH sums AS (
                SELECT account, currency, sum(fen) AS fen FROM (
                    SELECT target AS account, currency, amount_fen AS fen FROM moves
                    UNION ALL SELECT source, currency, -amount_fen FROM moves
                ) GROUP BY account, currency
            )
            SELECT account, currency, coalesce(sums.fen, 0) AS moved_fen, coalesce(balance_fen, 0) AS balance_fen
            FROM sums FULL JOIN balances USING (account, currency)
            WHERE coalesce(sums.fen, 0) <> coalesce(balance_fen, 0)
            """
        )
        return [f"{r['account']} {r['currency']}: moved {r['moved_fen']}, balance {r['balance_fen']}" for r in rows]

    # Inner parts.

    def _payment_or_refuse(self, provider_txn: str) -> Payment:
        payment = self.payment(provider_txn)
        if payment is None:
            raise Refused(422, "payment_is_unknown", "no payment has this number")
        return payment

    def _existing(self, kind: str, idempotency_key: str) -> Instruction:
        instruction = self.instruction(kind, idempotency_key)
        if instruction is None:
            raise Refused(404, "instruction_is_unknown", "no instruction has this key")
        return instruction

    def _take(
        self,
        kind: str,
        idempotency_key: str,
        body: Mapping[str, str | int],
        amount_fen: int,
        sources: list[tuple[str, int]],
        currency: str,
        now_ms: int,
        course: Course,
    ) -> Instruction:
        with self.state.transaction() as db:
            number = db.execute("SELECT coalesce(max(number), 0) + 1 FROM instructions").fetchone()[0]
            db.execute(
                "INSERT INTO instructions (kind, idempotency_key, provider_ref, body, amount_fen, notify_url, state,"
                " taken_at_ms, settles_at_ms, will_fail) VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)",
                (
                    kind,
                    idempotency_key,
                    f"{kind}-{self.state.mark}-{number:08d}",
                    _canonical(body),
                    amount_fen,
                    course.notify_url,
                    now_ms,
                    course.settles_at_ms,
                    course.will_fail,
                ),
            )
            for account, fen in sources:
                if fen:
                    self._move(
                        kind, idempotency_key, account, f"transit/{kind}/{idempotency_key}", currency, fen, now_ms
                    )
            if not course.waits:
                return self.settle(kind, idempotency_key, now_ms)
            return self._existing(kind, idempotency_key)

    def _finish(self, kind: str, key: str, body: Mapping[str, str | int], now_ms: int) -> None:
        """Money in transit reaches where it was sent."""
        transit = f"transit/{kind}/{key}"
        if kind == "release":
            shares = [(f"shop/{body['shop_account']}", int(body["amount_fen"])), (PLATFORM, int(body["fee_fen"]))]
            currency = CURRENCY
        elif kind == "refund":
            shares = [(BUYERS, int(body["amount_fen"]))]
            currency = self._payment_or_refuse(str(body["provider_txn"])).currency
        else:
            shares = [(BANKS, int(body["amount_fen"]))]
            currency = CURRENCY
        for account, fen in shares:
            if fen:
                self._move(kind, key, transit, account, currency, fen, now_ms)

    def _undo(self, kind: str, key: str, body: Mapping[str, str | int], now_ms: int) -> None:
        """Money in transit goes back to where it came from, move by move."""
        transit = f"transit/{kind}/{key}"
        taken = self.state.db.execute(
            "SELECT source, currency, amount_fen FROM moves WHERE about = ? AND target = ? ORDER BY number",
            (key, transit),
        ).fetchall()
        for move in taken:
            self._move(f"{kind}_failed", key, transit, move["source"], move["currency"], move["amount_fen"], now_ms)
        if kind == "refund":
            self.state.db.execute(
                "UPDATE payments SET refunded_fen = refunded_fen - ? WHERE provider_txn = ?",
                (int(body["amount_fen"]), str(body["provider_txn"])),
            )

    def _move(
        self, what: str, about: str, source: str, target: str, currency: str, amount_fen: int, at_ms: int
    ) -> None:
        db = self.state.db
        db.execute(
            "INSERT INTO moves (at_ms, what, about, source, target, currency, amount_fen) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (at_ms, what, about, source, target, currency, amount_fen),
        )
        for account, fen in ((source, -amount_fen), (target, amount_fen)):
            # Row first, then the sum: a CHECK looks at the row an upsert would insert; that of a source is negative.
            db.execute("INSERT OR IGNORE INTO balances VALUES (?, ?, 0)", (account, currency))
            db.execute(
                "UPDATE balances SET balance_fen = balance_fen + ? WHERE account = ? AND currency = ?",
                (fen, account, currency),
            )


def _canonical(body: Mapping[str, str | int]) -> str:
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
