"""Telling the customer what happened: signed, repeated with growing pauses until it answers `success`."""

import asyncio
import functools
import logging
import sqlite3

import httpx

from sandbox_provider.clock import Clock
from sandbox_provider.faults import Faults, Operation
from sandbox_provider.signing import sign_notice
from sandbox_provider.state import State

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 15
LONGEST_PAUSE_MS = 60_000
AT_ONCE = 16
"""Notifications under way at the same time."""
GATHER_MS = 2_000
"""How long a reordering waits for company when its rule does not say."""


class Notices:
    """The rows: what is to be told, when, and how it went."""

    def __init__(self, state: State, faults: Faults, clock: Clock, first_pause_ms: int) -> None:
        """Keep them in this state file; after a failed attempt wait `first_pause_ms`, then twice that, and so on."""
        self.state = state
        self.faults = faults
        self.clock = clock
        self.first_pause_ms = first_pause_ms
        self.changed = asyncio.Event()

    def queue(self, operation: Operation, names: tuple[str, ...], notify_url: str, body: bytes) -> None:
        """Tell this soon, or as the faults in force want it. Part of the transaction that did the thing."""
        now_ms = self.clock.machine_ms()
        marks: list[str] = []
        due_at_ms = now_ms
        state = "waiting" if notify_url else "nowhere"
        if self.faults.draw("lose", operation, *names):
            state = "lost"
            marks.append("lose")
        if delay := self.faults.draw("delay", operation, *names):
            due_at_ms += delay.delay_ms(1_000)
            marks.append("delay")
        forged = 0
        if forge := self.faults.draw("forge", operation, *names):
            forged = forge.rule.attempts
            marks.append("forge")
        dues = [due_at_ms]
        if repeat := self.faults.draw("repeat", operation, *names):
            dues += [due_at_ms + repeat.delay_ms(0) for _ in range(repeat.rule.copies)]
            marks.append("repeat")
        reorder = self.faults.draw("reorder", operation, *names) if state == "waiting" else None
        if reorder:
            marks.append("reorder")
            dues = [due + reorder.delay_ms(GATHER_MS) for due in dues]
        with self.state.transaction() as db:
            for due in dues:
                db.execute(
                    "INSERT INTO notices (kind, about, notify_url, body, faults, forged, state, due_at_ms, held_by,"
                    " queued_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        operation,
                        names[0],
                        notify_url,
                        body,
                        ",".join(marks),
                        forged,
                        state,
                        due,
                        reorder.number if reorder else None,
                        now_ms,
                    ),
                )
            if reorder:
                held = [
                    row[0]
                    for row in db.execute(
                        "SELECT id FROM notices WHERE held_by = ? AND state = 'waiting' AND attempts = 0 ORDER BY id",
                        (reorder.number,),
                    )
                ]
                if len(held) >= reorder.rule.window:
                    self._let_go(held, reorder.dice.sample(held, len(held)), now_ms)
        self.changed.set()

    def _let_go(self, held: list[int], shuffled: list[int], now_ms: int) -> None:
        """Send the gathered ones one after the other in another order than they came."""
        order = shuffled if shuffled != held else held[::-1]
        before: int | None = None
        for notice in order:
            self.state.db.execute(
                "UPDATE notices SET due_at_ms = ?, held_by = NULL, after_id = ? WHERE id = ?", (now_ms, before, notice)
            )
            before = notice

    def due(self, machine_ms: int, limit: int) -> list[sqlite3.Row]:
        """What is to be sent now; one that was put after another waits for that one's first attempt."""
        return list(
            self.state.db.execute(
                "SELECT id, notify_url, body, forged, attempts FROM notices AS notice"
                " WHERE state = 'waiting' AND due_at_ms <= ? AND (after_id IS NULL OR EXISTS ("
                "  SELECT 1 FROM notices AS earlier WHERE earlier.id = notice.after_id AND earlier.attempts > 0))"
                " ORDER BY due_at_ms, id LIMIT ?",
                (machine_ms, limit),
            )
        )

    def next_due_ms(self) -> int | None:
        """When the next one is due."""
        row = self.state.db.execute("SELECT min(due_at_ms) FROM notices WHERE state = 'waiting'").fetchone()
        return None if row[0] is None else int(row[0])

    def waiting(self) -> int:
        """How many are not at their end."""
        return int(self.state.db.execute("SELECT count(*) FROM notices WHERE state = 'waiting'").fetchone()[0])

    def hurry(self) -> None:
        """Make everything that waits due now."""
        self.state.db.execute(
            "UPDATE notices SET due_at_ms = ? WHERE state = 'waiting' AND due_at_ms > ?", (self.clock.machine_ms(),) * 2
        )
        self.changed.set()

    def send_again(self, notice_id: int) -> bool:
        """Put one back in line whatever became of it (a lost one, one given up, one already delivered)."""
        with self.state.transaction() as db:
            done = db.execute(
                "UPDATE notices SET state = 'waiting', due_at_ms = ?, after_id = NULL, forged = 0"
                " WHERE id = ? AND notify_url <> ''",
                (self.clock.machine_ms(), notice_id),
            ).rowcount
        self.changed.set()
        return done > 0

    def tried(self, notice: sqlite3.Row, at_ms: int, *, forged: bool, status: int | None, answer: str) -> None:
        """Write down one attempt and what follows from it."""
        attempt = notice["attempts"] + 1
        machine_ms = self.clock.machine_ms()
        if status == httpx.codes.OK and answer.strip() == "success":
            state, due = "delivered", machine_ms
        elif attempt >= MOST_ATTEMPTS:
            state, due = "given_up", machine_ms
        else:
            pause_ms = min(self.first_pause_ms * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
            state, due = "waiting", machine_ms + pause_ms
        with self.state.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (notice["id"], attempt, at_ms, forged, status, answer[:200], machine_ms - at_ms),
            )
            db.execute(
                "UPDATE notices SET state = ?, due_at_ms = ?, attempts = ?, held_by = NULL WHERE id = ?",
                (state, due, attempt, notice["id"]),
            )
        self.changed.set()

    def recent(self, limit: int, about: str | None = None) -> list[dict[str, object]]:
        """The newest ones with their attempts, for people and programs."""
        rows = self.state.db.execute(
            "SELECT id, kind, about, notify_url, body, faults, state, attempts AS tries, due_at_ms, queued_at_ms"
            " FROM notices WHERE ? IS NULL OR about = ? ORDER BY id DESC LIMIT ?",
            (about, about, limit),
        ).fetchall()
        return [
            {
                **dict(row),
                "body": bytes(row["body"]).decode(),
                "attempts": [
                    dict(tried)
                    for tried in self.state.db.execute(
                        "SELECT attempt, at_ms, forged, status, answer, duration_ms FROM attempts"
                        " WHERE notice_id = ? ORDER BY attempt",
                        (row["id"],),
                    )
                ],
            }
            for row in rows
        ]


class Sender:
    """Sends what is due, up to `AT_ONCE` at a time, until it is cancelled."""

    def __init__(self, notices: Notices, secret: bytes, *, patience_s: float = 10.0) -> None:
        """`patience_s` bounds one attempt."""
        self.notices = notices
        self.secret = secret
        self.wrong_secret = b"forged:" + secret[::-1]
        self.client = httpx.AsyncClient(
            timeout=patience_s,
            limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
            trust_env=False,
            follow_redirects=False,
        )
        self.under_way: dict[int, asyncio.Task[None]] = {}

    async def send_due(self) -> None:
        """Start all that is due and not under way."""
        free = AT_ONCE - len(self.under_way)
        if free <= 0:
            return
        for notice in self.notices.due(self.notices.clock.machine_ms(), AT_ONCE):
            if notice["id"] not in self.under_way and free > 0:
                free -= 1
                task = asyncio.create_task(self._send(notice))
                self.under_way[notice["id"]] = task
                task.add_done_callback(functools.partial(self._over, notice["id"]))

    def _over(self, notice_id: int, _: asyncio.Task[None]) -> None:
        self.under_way.pop(notice_id, None)

    async def _send(self, notice: sqlite3.Row) -> None:
        at_ms = self.notices.clock.machine_ms()
        body = bytes(notice["body"])
        forged = notice["attempts"] < notice["forged"]
        signature = sign_notice(self.wrong_secret if forged else self.secret, self.notices.clock.now_ms(), body)
        try:
            answer = await self.client.post(
                notice["notify_url"],
                content=body,
                headers={"content-type": "application/json", "sandbox-signature": signature},
            )
            status, text = answer.status_code, answer.text
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            status, text = None, f"{type(error).__name__}: {error}"
        self.notices.tried(notice, at_ms, forged=forged, status=status, answer=text)
        log.info("notice %s attempt %s: %s %.60s", notice["id"], notice["attempts"] + 1, status, text)

    async def close(self) -> None:
        """Stop; what was under way is sent again at the next start."""
        for task in list(self.under_way.values()):
            task.cancel()
        await asyncio.gather(*self.under_way.values(), return_exceptions=True)
        await self.client.aclose()
