"""The one place where everything is wired."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import uuid_utils
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ASGIApp

from fairkey.adapters.issuers.licence_api import LicenceApiCheck
from fairkey.adapters.mail.folder import FolderMail
from fairkey.adapters.mail.smtp import SmtpMail
from fairkey.adapters.payments.sandbox import SandboxProvider
from fairkey.adapters.postgres.admissions import PostgresAdmissions
from fairkey.adapters.postgres.cases import PostgresCases
from fairkey.adapters.postgres.clockwork import PostgresClockwork
from fairkey.adapters.postgres.desk_marks import PostgresDeskMarks
from fairkey.adapters.postgres.erasing import PostgresErasures
from fairkey.adapters.postgres.joint import PostgresJoint
from fairkey.adapters.postgres.log_desk import PostgresPublicLog
from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.outbox import PostgresOutbox
from fairkey.adapters.postgres.people import postgres_people
from fairkey.adapters.postgres.reads import postgres_questions
from fairkey.adapters.postgres.sessions import Hours
from fairkey.adapters.postgres.shop_numbers import PostgresShopNumbers
from fairkey.adapters.postgres.statement_ids import PostgresStatementIds
from fairkey.adapters.postgres.store import AWAY, ENGINE_SETTINGS, PostgresStore, nothing_to_reset
from fairkey.adapters.vault.importing import ImportDesk
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.opening import Vault
from fairkey.adapters.vault.tracing import Traces
from fairkey.adapters.vault.wrapping import LocalKeyWrapper, new_master_key
from fairkey.api import hot, routes
from fairkey.api.serving import Counter
from fairkey.api.words import Words
from fairkey.app.evidence_places import evidence_files
from fairkey.app.log_places import log_origin, policy_of, tile_store
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, Broken, Command
from fairkey.business.references import read_reference
from fairkey.effects.ports import Mail, PaymentProvider
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.batching import Batcher
from fairkey.engine.house import House
from fairkey.engine.perform import Asked, Outcome, Performer, Rules
from fairkey.gates.front_door import FrontDoor
from fairkey.gates.problems import Problems
from fairkey.gates.route_table import ROUTES
from fairkey.gates.rules import GateRules
from fairkey.settings import Settings
from fairkey.web import frame, refusals, site
from fairkey.web.mails import Letters
from fairkey.worker import Worker

STORE_TRIES = 6
STORE_PAUSE_S = 0.1
UNPAID_PER_ADDRESS_MAX_IN_PLAYGROUNDS = 1_000_000  # everybody comes from 127.0.0.1 there


def wall_clock_ms() -> int:
    """Now, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A UUIDv7 in text form."""
    return str(uuid_utils.uuid7())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A house with everything running behind it. `stop` answers what was asked and takes no more."""

    house: House
    worker: Worker
    pool: asyncpg.Pool
    keys: Keys
    performer: Performer
    stop: Callable[[], Awaitable[None]]


@asynccontextmanager
async def open_house(
    settings: Settings,
    dsn: str,
    *,
    now_ms: Callable[[], int] = wall_clock_ms,
    chance: Callable[[int], bytes] = os.urandom,
    providers: Mapping[str, PaymentProvider] | None = None,
    mail: Mail | None = None,
    waits_for_log: bool = False,
) -> AsyncIterator[Opened]:
    """Wire a house on a migrated database. Tests hand in a clock, chance, providers and a mail carrier of their own.

    `waits_for_log`: money leaves only after the public log shows why; for houses beside which a sequencer runs.
    """
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            asyncpg.create_pool(dsn, min_size=1, max_size=settings.database_connections)
        )
        engine_pool = await stack.enter_async_context(
            asyncpg.create_pool(
                dsn, min_size=1, max_size=2, server_settings=ENGINE_SETTINGS, reset=nothing_to_reset
            )
        )
        keys = await Keys.load(pool, LocalKeyWrapper.from_base64(master_key_of(settings)), now_ms)
        if providers is None:
            providers = {}
            if settings.payment_provider == "sandbox" and settings.sandbox_url:
                sandbox = SandboxProvider(settings.sandbox_url, settings.sandbox_secret.encode(), now_ms=now_ms)
                stack.push_async_callback(sandbox.aclose)
                providers = {sandbox.name: sandbox}
        licences = LicenceApiCheck(over_http=settings.is_playground)
        stack.push_async_callback(licences.aclose)
        carrier = mail or _mail_of(settings)
        approvals = settings.admission_approvals
        cover = {
            "small_trial_fen": settings.small_trial_fen,
            "cover_bp": settings.cover_bp,
            "first_order_fen": settings.first_order_fen,
        }
        rules = Rules(telling=carrier is not None, admission_approvals=approvals, **cover)
        if settings.is_playground:
            rules = Rules(
                telling=carrier is not None,
                unpaid_per_address_max=UNPAID_PER_ADDRESS_MAX_IN_PLAYGROUNDS,
                admission_approvals=approvals,
                **cover,
            )
        cases = PostgresCases(pool, keys, now_ms, settings.state / "cases")
        stack.push_async_callback(cases.stop)
        performer = Performer(PostgresStore(engine_pool, keys), now_ms, chance, rules)
        batcher: Batcher[Asked, Outcome] = Batcher(_patient(performer))
        house = House(
            settings=settings,
            now_ms=now_ms,
            new_id=new_id,
            ask=_asking(batcher),
            keys=keys,
            vault=Vault(pool, keys),
            imports=ImportDesk(pool, keys, now_ms),
            people=postgres_people(
                pool,
                keys,
                now_ms,
                key_kind="test" if settings.is_playground else "live",
                hours=Hours(idle_ms=settings.session_idle_days * DAY_MS, life_ms=settings.session_days * DAY_MS),
            ),
            numbers=PostgresShopNumbers(pool),
            providers=providers,
            mail=carrier,
            questions=postgres_questions(pool, keys, now_ms),
            marks=PostgresDeskMarks(pool),
            statements=PostgresStatementIds(pool, now_ms),
            issuer_check=licences,
            admissions=PostgresAdmissions(pool, keys, now_ms),
            erasures=PostgresErasures(pool, keys, now_ms),
            traces=Traces(pool, keys),
            evidence=evidence_files(settings, pool, keys, now_ms),
            cases=cases,
            joint=PostgresJoint(pool, keys, now_ms, new_id),
            log=PostgresPublicLog(
                pool,
                keys,
                LogKeys(pool, keys, now_ms),
                origin=log_origin(settings),
                store_of=lambda log_no: tile_store(settings, log_no),
                policy_of=lambda own: policy_of(settings, own),
            ),
            is_ready=lambda: _answers(pool),
        )
        letters = Letters(house, carrier, waits_for_log=waits_for_log)
        outbox = PostgresOutbox(pool, waits_for_log=waits_for_log)
        worker = Worker(house, clockwork=PostgresClockwork(pool), outbox=outbox, tell=letters.tell)
        stack.push_async_callback(batcher.stop)
        yield Opened(house=house, worker=worker, pool=pool, keys=keys, performer=performer, stop=batcher.stop)


def make_asgi_app(opened: Opened, *, shortcut: bool = True) -> ASGIApp:
    """The web application of an opened house, its front door around it.

    `shortcut`: the hot calls are answered in front of the router; without it they take the long way, with the same
    answers.
    """
    house = opened.house
    door = FrontDoor(
        rules=_gate_rules(house.settings, opened.keys),
        people=house.people,
        table=ROUTES,
        check_order_secret=house.keys.check_order_secret,
        buyer_account_of=_buyer_account_of(house),
        now_ms=house.now_ms,
        shown=frame.shown_by(house, problems()),
    )
    routed: ASGIApp = make_litestar(house, door)
    return door.wrap(hot.in_front_of(routed, _counter_of(house), door) if shortcut else routed)


def make_litestar(house: House, door: FrontDoor) -> Litestar:
    """The routes; separate, so that tests can look at them."""
    document = _document_for(house)
    return Litestar(
        route_handlers=[*site.handlers(), *routes.handlers(_counter_of(house), document)],
        guards=[door.guard],
        dependencies={"house": Provide(_house_of, sync_to_thread=False)},
        state=State({"house": house, "door": door, "problems": problems(), "api_document": document}),
        exception_handlers=frame.exception_handlers(AWAY),
        openapi_config=None,
        debug=False,
        logging_config=None,  # ours stands; the framework would put its own beside it
    )


def _counter_of(house: House) -> Counter:
    """Where the API is answered."""
    return Counter(house, problems(), AWAY)


def _document_for(house: House) -> Callable[[], bytes]:
    """What programs read about the API; written when first asked for, no start waits for it."""

    @cache
    def written() -> bytes:
        return routes.written_about(ROUTES, problems(), house.settings.origin)

    return written


@cache
def problems() -> Problems:
    """How refusals are told to programs, with the words of the pages."""
    return Problems(Words(refusals.spoken))


def master_key_of(settings: Settings) -> str:
    """The master key; playgrounds make their own once and keep it in the state folder."""
    if settings.master_key:
        return settings.master_key
    file: Path = settings.state / "playground-master-key"
    if not settings.is_playground:
        raise Broken("the settings let production start without a master key")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as made:
        key = new_master_key()
        made.write(key)
    return key


def _asking(batcher: Batcher[Asked, Outcome]) -> Any:  # noqa: ANN401 - a closure that is `house.Ask`
    async def ask(by: Asker, command: Command, *, command_id: str | None = None, body_hash: bytes = b"") -> Answer:
        asked = Asked(command_id=command_id or secrets.token_hex(16), by=by, command=command, body_hash=body_hash)
        outcome = await batcher.ask(asked)
        if isinstance(outcome, Broken):
            raise outcome
        return outcome

    return ask


def _patient(performer: Performer) -> Callable[[Any], Awaitable[list[Outcome | Exception]]]:
    """Perform, and when storage is away for a moment (a restart, a takeover) ask again: ids make that safe."""

    async def perform(batch: list[Asked]) -> list[Outcome | Exception]:
        for attempt in range(STORE_TRIES):
            try:
                return list(await performer.perform(batch))
            except StoreIsAway:
                if attempt == STORE_TRIES - 1:
                    raise
                await asyncio.sleep(STORE_PAUSE_S * 2**attempt)
        raise StoreIsAway

    return perform


async def _answers(pool: asyncpg.Pool) -> bool:
    try:
        return bool(await pool.fetchval("SELECT true", timeout=2))
    except (asyncpg.PostgresError, *AWAY):
        return False


def _mail_of(settings: Settings) -> Mail | None:
    if settings.smtp_url:
        return SmtpMail(settings.smtp_url, settings.mail_from)
    if settings.mode == "demo":
        return FolderMail(settings.state / "mails")
    return None


def _gate_rules(settings: Settings, keys: Keys) -> GateRules:
    provider_origins = (settings.sandbox_url,) if settings.sandbox_url else ()
    return GateRules(
        signing_key=keys.fingerprint("csrf", b"fairkey front door"),
        public_origin=settings.origin,
        over_http=settings.origin.startswith("http://"),
        payment_origins=provider_origins,
        trusted_proxies=settings.trusted_proxies,
        pow_difficulty_bits=settings.pow_difficulty_bits,
        limit_factor=settings.limit_percent / 100,
    )


def _buyer_account_of(house: House) -> Callable[[str], Awaitable[str | None]]:
    async def account_of(reference: str) -> str | None:
        read = read_reference(reference)
        shop_id = await house.numbers.shop_of(read[0]) if read else None
        record = await house.questions.order_book.find(shop_id, read[1]) if read and shop_id else None
        return (record.file.order.account_id or None) if record else None

    return account_of


def _house_of(state: State) -> House:
    house: House = state.house
    return house
