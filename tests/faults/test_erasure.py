"""One person's data goes, on request or when its time is over; the facts, their proofs and everybody else's stay."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from erasure_world import ALICE, BOB, Past, a_past
from fairkey.adapters.postgres.rebuild import repair
from fairkey.adapters.vault.auditing import audit_vault
from fairkey.adapters.vault.resealing import reseal_everything
from fairkey.app import make_asgi_app
from fairkey.business.askers import Asker
from fairkey.business.attestations import AttestCode
from fairkey.business.basics import DAY_MS, PLATFORM, Stream
from fairkey.business.erasures import Basis
from fairkey.business.issuers import RegisterIssuer
from fairkey.business.references import reference_of
from fairkey.engine.erasing import (
    Counts,
    Erased,
    Plan,
    Target,
    Why,
    erase_again,
    erase_expired,
    erase_person,
    finish,
    may_be_erased_at_ms,
)
from fairkey.proofs.commitments import check_disclosure, commitment
from fairkey.proofs.leaf import salt_of
from fairkey.proofs.merkle import MerkleRoot, leaf_hash
from fairkey.proofs.receipts import read_leaf
from faults_world import must_be_clean

WORDS_OF_ALICE = ("Alice in Wonderland", "level 80 mage", "already used, call 13900001111", "lovely shop, alice")
PASSWORD = "correct-horse-battery-5"


@pytest.fixture
async def past(database_url: str, tmp_path: Path) -> AsyncIterator[Past]:
    """Alice: an account, an order that went well, one refunded after a complaint, one never paid. Bob: one order."""
    async with a_past(database_url, tmp_path / "state") as past:
        registered = await past.house.people.accounts.register(
            email=ALICE, password=PASSWORD, display_name=WORDS_OF_ALICE[0]
        )
        assert registered.account is not None
        await past.buy("good", ALICE, WORDS_OF_ALICE[1], registered.account.account_id)
        await past.complete("good")
        await past.review("good", WORDS_OF_ALICE[3])
        await past.buy("refunded", ALICE.upper(), "")
        await past.complain("refunded", WORDS_OF_ALICE[2])
        await past.accept("refunded")
        await past.place("unpaid", ALICE)
        await past.buy("bobs", BOB, "Bob the builder")
        await past.complete("bobs")
        for _ in range(2):  # the unpaid order expires, and later the provider is asked about it for the last time
            past.clock.ms += DAY_MS * 2
            await past.settle()
        yield past


def secrets_of_alice(past: Past) -> set[str]:
    """Her words, her codes, her address, and the keys by which the house would know her again."""
    return {
        *WORDS_OF_ALICE,
        ALICE,
        past.texts["good"],
        past.texts["refunded"],
        past.house.keys.buyer_key(ALICE).hex(),
    }


async def found_of_alice(past: Past) -> set[str]:
    everything = (await past.everything_sealed()).lower()
    return {one for one in secrets_of_alice(past) if one.lower() in everything}


async def must_hold(past: Past) -> None:
    """Audit and rebuild are clean, codes of batches still have their roots."""
    await must_be_clean(past.opened.pool, past.clock(), past.opened.keys)
    assert [one async for one in audit_vault(past.opened.pool, past.opened.keys, open_all=True)] == []


async def root_of_all(past: Past) -> bytes:
    tree = MerkleRoot()
    for row in await past.facts():
        assert isinstance(row[3], bytes)
        assert leaf_hash(row[3]) == row[4]
        tree.add(leaf_hash(row[3]))
    return tree.root()


async def test_after_the_time_all_of_one_person_goes_and_nothing_else(past: Past) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    await past.settle()
    assert await found_of_alice(past) == secrets_of_alice(past)
    before, root = await past.facts(), await root_of_all(past)
    counts, restricted = await erase_person(past.house, await past.person())
    assert (counts, restricted) == (Counts(histories=3, sealed_rows=7, codes=2, accounts=1), 0)
    assert await found_of_alice(past) == set()
    everything = await past.everything_sealed()
    assert BOB in everything
    assert "Bob the builder" in everything
    assert past.texts["bobs"] in everything
    assert await past.facts() == before
    assert await root_of_all(past) == root
    assert await past.erasures_told() == [
        {"basis": "request", "histories": 3, "sealed_rows": 7, "codes": 2, "accounts": 1}
    ]
    await must_hold(past)
    assert await past.house.erasures.person_of(email=ALICE) is None
    assert await past.house.people.accounts.find_by_email(ALICE) is None
    row = await past.opened.pool.fetchrow("SELECT state, plan FROM erasures")
    assert (row["state"], row["plan"]) == ("told", None)


async def test_proofs_given_out_before_still_verify_and_no_new_ones_can_be_made(past: Past) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    stream = Stream(past.shop_id, "order", past.orders["good"])
    book, pool = past.house.questions.order_book, past.opened.pool
    placed = (await book.facts(past.shop_id, stream.id, with_sealed=True))[0]
    sealed = await pool.fetchval(
        "SELECT sealed FROM sealed_fields WHERE stream_id = $1 AND version = 1", past.orders["good"]
    )
    aad = f"{stream.shop_id}:order:{stream.id}:1".encode()
    salt = salt_of(past.opened.keys.open("contacts", aad, sealed)[:32], "contact")
    _, disclosure = commitment(salt, "contact", placed.sealed["contact"])
    await erase_person(past.house, await past.person())
    entry = await pool.fetchval("SELECT body FROM events WHERE stream_id = $1 AND version = 1", past.orders["good"])
    digest = bytes.fromhex(read_leaf(entry).sealed["contact"])
    assert check_disclosure(disclosure, digest).value == ALICE  # whoever has it in his receipt keeps it
    assert all(fact.sealed == {} for fact in await book.facts(past.shop_id, stream.id, with_sealed=True))
    assert await book.contact_of(past.shop_id, stream.id) is None
    held = await pool.fetchval("SELECT code_id FROM codes WHERE order_id = $1", past.orders["good"])
    opened = (await past.house.vault.open_codes(past.shop_id, [str(held)]))[str(held)]
    assert (opened.text, opened.salt) == ("", b"")


async def test_inside_the_time_it_is_kept_to_the_millisecond(past: Past) -> None:
    good = {one.stream.id: one for one in (await past.person()).histories}[past.orders["good"]]
    assert good.why is Why.RETENTION
    ended = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=good.changed_at_ms)
    assert good.may_at_ms == round(ended.replace(year=ended.year + 3).timestamp() * 1000)
    past.clock.ms = good.may_at_ms - 1000
    assert past.orders["good"] in {one.stream.id for one in (await past.person()).kept}
    past.clock.ms = good.may_at_ms - 1
    assert past.orders["good"] in {one.stream.id for one in (await past.person()).kept}
    await erase_person(past.house, await past.person())
    assert past.texts["good"] in await past.everything_sealed()
    past.clock.ms = good.may_at_ms
    assert past.orders["good"] in {one.stream.id for one in (await past.person()).erasable}
    await erase_person(past.house, await past.person())
    assert past.texts["good"] not in await past.everything_sealed()


async def test_what_was_never_paid_is_no_record_of_a_transaction(past: Past) -> None:
    person = await past.person()
    assert [one.stream.id for one in person.erasable] == [past.orders["unpaid"]]
    assert {one.why for one in person.kept} == {Why.RETENTION}
    assert person.account_may_go
    counts, _ = await erase_person(past.house, person)
    assert counts == Counts(histories=1, sealed_rows=1, codes=0, accounts=1)
    assert await past.house.people.accounts.find_by_email(ALICE) is None
    assert await past.house.erasures.person_of(email=ALICE) is not None
    await must_hold(past)


async def test_open_orders_and_complaints_stay_and_so_does_the_account(past: Past) -> None:
    await past.buy("open", ALICE, "")
    await past.buy("quarrel", ALICE, "")
    await past.complain("quarrel", "again")
    past.clock.ms += 1000
    person = await past.person()
    why = {one.stream.id: (one.why, one.may_at_ms) for one in person.kept}
    assert why[past.orders["open"]] == why[past.orders["quarrel"]] == (Why.OPEN, 0)
    assert not person.account_may_go
    counts, restricted = await erase_person(past.house, person, restrict=True)
    assert (counts.histories, counts.accounts, restricted) == (1, 0, 2)
    assert await past.house.questions.order_book.contact_of(past.shop_id, past.orders["open"])


async def test_money_on_its_way_keeps_an_ended_order(past: Past) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    await past.opened.pool.execute(
        "UPDATE effects SET state = 'failed' WHERE kind = 'release' AND stream_id = $1", past.orders["good"]
    )
    why = {one.stream.id: one.why for one in (await past.person()).kept}
    assert why == {past.orders["good"]: Why.MONEY}
    await erase_expired(past.house)
    assert past.texts["good"] in await past.everything_sealed()


async def test_restricted_means_out_of_sight_and_no_mails(past: Past) -> None:
    book = past.house.questions.order_book
    assert await book.contact_of(past.shop_id, past.orders["good"]) == ALICE
    _, restricted = await erase_person(past.house, await past.person(), restrict=True)
    assert restricted == 2
    for name in ("good", "refunded"):
        assert await book.contact_of(past.shop_id, past.orders[name]) is None
        facts = await book.facts(past.shop_id, past.orders[name], with_sealed=True)
        assert all(fact.sealed == {} for fact in facts)
    assert await book.contact_of(past.shop_id, past.orders["bobs"]) == BOB
    _, again = await erase_person(past.house, await past.person(), restrict=True)
    assert again == 0
    past.mail.sent.clear()
    await past.opened.pool.execute("UPDATE effects SET state = 'waiting', next_at = now() WHERE kind = 'tell_buyer'")
    await past.opened.pool.execute("UPDATE effects SET next_at = 'epoch' WHERE kind = 'tell_buyer'")
    await past.settle()
    assert set(past.mail.sent) == {BOB}
    await must_hold(past)


async def test_the_sweep_takes_everybodys_old_records_but_leaves_reviews(past: Past) -> None:
    assert await erase_expired(past.house) == Counts()
    past.clock.ms += 4 * 366 * DAY_MS
    before = await past.facts()
    counts = await erase_expired(past.house, at_once=3)
    assert counts == Counts(histories=4, sealed_rows=8, codes=3, accounts=0)
    everything = (await past.everything_sealed()).lower()
    gone = {ALICE, BOB, *WORDS_OF_ALICE[1:3], *past.texts.values()}
    # An account is not a record of a transaction: it lives as long as its owner wants it.
    assert {one for one in gone if one.lower() in everything} == {ALICE}
    assert WORDS_OF_ALICE[3].lower() in everything
    assert await past.facts() == before
    assert [told["basis"] for told in await past.erasures_told()] == ["retention", "retention"]
    await must_hold(past)
    assert await erase_expired(past.house) == Counts()


async def test_what_issuers_said_about_his_codes_goes_with_the_order(past: Past) -> None:
    issuer_id = past.house.new_id()
    register = RegisterIssuer(
        shop_id=PLATFORM,
        issuer_id=issuer_id,
        name="Morning Games",
        public_key="ab" * 32,
        speaks_for=("Steam",),
        contact="issuer@example.com",
    )
    await past.ask(Asker.OPERATOR, register)
    code_id = await past.opened.pool.fetchval("SELECT code_id FROM codes WHERE order_id = $1", past.orders["good"])
    attest = AttestCode(
        shop_id=past.shop_id,
        code_id=str(code_id),
        listing_id=past.listing_id,
        issuer_id=issuer_id,
        key_no=1,
        says="activated",
        happened_at_ms=past.clock() - 2,
        said_at_ms=past.clock() - 1,
        statement='{"says":"activated"}',
        signature="c2ln",
        statement_key="the statement's key",
        code_salt="c2FsdA",
        account="alices_account",
        account_salt="c2FsdDI",
        account_key="key of alices account",
    )
    await past.ask(Asker.ISSUER, attest)
    past.clock.ms += 4 * 366 * DAY_MS
    before, words = await past.facts(), ("alices_account", "key of alices account", "the statement's key")
    everything = await past.everything_sealed()
    assert [word for word in words if word not in everything] == []
    counts, _ = await erase_person(past.house, await past.person())
    assert counts.sealed_rows == 8
    everything = await past.everything_sealed()
    assert [word for word in words if word in everything] == []
    assert await past.facts() == before
    await must_hold(past)


async def test_dead_at_any_step_the_next_run_finishes(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerIsGone(Exception):
        pass

    past.clock.ms += 4 * 366 * DAY_MS
    store = past.house.erasures

    async def dies(*_: object, **__: object) -> None:
        raise PowerIsGone

    for owner, name in ((store, "shred"), (past.house, "ask"), (store, "told")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, dies)
            with pytest.raises(PowerIsGone):
                await (erase_person(past.house, await past.person()) if name == "shred" else finish(past.house))
    assert await finish(past.house) == 1
    assert await finish(past.house) == 0
    assert await found_of_alice(past) == set()
    assert len(await past.erasures_told()) == 1
    await must_hold(past)


async def test_a_sweep_that_died_is_finished_by_the_next(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    past.clock.ms += 4 * 366 * DAY_MS

    async def dies(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(past.house.erasures, "told", dies)
        with pytest.raises(RuntimeError):
            await erase_expired(past.house)
    assert await erase_expired(past.house) == Counts()
    assert await past.house.erasures.unfinished() == []
    assert len(await past.erasures_told()) == 1


async def test_dead_between_two_statements_of_the_shredding_nothing_has_gone(past: Past) -> None:
    """Each statement in its turn fails; the transaction takes the others back."""
    past.clock.ms += 4 * 366 * DAY_MS
    pool, person = past.opened.pool, await past.person()
    targets = tuple(Target(*one.stream, one.changed_at_ms) for one in person.erasable)
    await past.house.erasures.plan(past.house.new_id(), Basis.REQUEST, Plan(targets, person.account_id))
    await pool.execute(
        "CREATE FUNCTION no_power() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no power'; END $$"
    )
    for table in ("sealed_fields", "vault", "streams", "effects", "erased_streams", "accounts", "erasures"):
        await pool.execute(
            f"CREATE TRIGGER zz BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION no_power()"
        )
        with pytest.raises(asyncpg.RaiseError, match="no power"):
            await finish(past.house)
        await pool.execute(f"DROP TRIGGER zz ON {table}")
        assert await found_of_alice(past) == secrets_of_alice(past), table
    assert await finish(past.house) == 1
    assert await found_of_alice(past) == set()
    await must_hold(past)


async def test_whatever_moved_on_after_the_plan_stays(past: Past) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    person = await past.person()
    await past.opened.pool.execute(
        "UPDATE streams SET changed_at = changed_at + interval '1 millisecond' WHERE id = $1", past.orders["good"]
    )
    counts, _ = await erase_person(past.house, person)
    assert counts.histories == 2
    assert past.texts["good"] in await past.everything_sealed()


async def test_nobody_stays_logged_in(past: Past) -> None:
    pool = past.opened.pool
    account_id = (await past.person()).account_id
    await pool.execute(
        """
        INSERT INTO sessions (token_hash, account_id, created_at, last_seen_at, expires_at, user_agent_hint, data)
        VALUES (sha256('token'), $1, now(), now(), now(), '', '{}')
        """,
        account_id,
    )
    await pool.execute(
        """
        INSERT INTO account_links (token_hash, account_id, purpose, created_at, expires_at)
        VALUES (sha256('link'), $1, 'reset', now(), now())
        """,
        account_id,
    )
    await erase_person(past.house, await past.person())
    for table in ("sessions", "account_links"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table} WHERE account_id = $1", account_id) == 0


async def test_an_order_that_moved_on_after_the_plan_stays(past: Past) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    person = await past.person()
    past.clock.ms += 1
    await past.pay("unpaid")  # years late, and taken up again, as the codes are there
    counts, _ = await erase_person(past.house, person)
    assert counts.histories == 2
    late = {one.stream.id: one.why for one in (await past.person()).histories}
    assert late == {past.orders["unpaid"]: Why.OPEN}
    await must_hold(past)


def test_three_calendar_years_as_they_are_counted_in_china() -> None:
    def ms(text: str) -> int:
        return round(datetime.fromisoformat(text).timestamp() * 1000)

    assert may_be_erased_at_ms(ms("2026-03-15T12:00:00.123+08:00")) == ms("2029-03-15T12:00:00.123+08:00")
    assert may_be_erased_at_ms(ms("2028-02-29T00:00:00+08:00")) == ms("2031-03-01T00:00:00+08:00")
    # In Shanghai it is the 29th already.
    assert may_be_erased_at_ms(ms("2028-02-28T20:00:00+00:00")) == ms("2031-03-01T04:00:00+08:00")


async def test_what_a_backup_brings_back_is_erased_again(past: Past) -> None:
    pool = past.opened.pool
    past.clock.ms += 4 * 366 * DAY_MS
    kept = {
        table: [tuple(row) for row in await pool.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4")]
        for table in ("sealed_fields", "accounts")
    }
    streams = await pool.fetch("SELECT id, state, buyer_key FROM streams WHERE kind = 'order'")
    await erase_person(past.house, await past.person())
    erased = await past.house.erasures.erased()
    assert {one.basis for one in erased} == {Basis.REQUEST}
    assert sorted(one.stream.kind for one in erased) == ["account", "order", "order", "order"]
    # What a backup from before would hold again.
    await pool.execute("TRUNCATE sealed_fields")
    await pool.copy_records_to_table("sealed_fields", records=kept["sealed_fields"])
    for account in kept["accounts"]:
        await pool.execute("DELETE FROM accounts WHERE account_id = $1", account[0])
    await pool.copy_records_to_table("accounts", records=kept["accounts"])
    back = "UPDATE streams SET state = $2, buyer_key = $3 WHERE id = $1"
    await pool.executemany(back, [tuple(row) for row in streams])
    await pool.execute("DELETE FROM erased_streams")
    assert ALICE in await past.everything_sealed()
    unknown = Erased(Stream(past.shop_id, "order", past.house.new_id()), Basis.RETENTION)
    counts = await erase_again(past.house, [*erased, unknown], past.clock())
    assert (counts.histories, counts.sealed_rows, counts.accounts) == (3, 7, 1)
    assert await found_of_alice(past) == set()
    await must_hold(past)


async def test_the_buyers_page_says_that_the_code_was_erased(past: Past) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    await erase_expired(past.house)
    reference = reference_of(101, past.orders["good"])
    secret = past.house.keys.order_secret(past.orders["good"])
    transport = httpx.ASGITransport(app=make_asgi_app(past.opened), raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", follow_redirects=True) as browser:
        page = await browser.get(f"/o/{reference}?s={secret}", headers={"Accept-Language": "zh-CN"})
        assert page.status_code == 200
        assert "法定保存期已满，卡密内容已删除。" in page.text
        assert past.texts["good"] not in page.text
        assert (await browser.get(f"/o/{reference}/codes.txt")).status_code == 200


async def test_newer_keys_and_rebuilt_tables_bring_nothing_back(past: Past) -> None:
    past.clock.ms += 4 * 366 * DAY_MS
    await erase_person(past.house, await past.person())
    keys, pool = past.opened.keys, past.opened.pool
    for purpose in ("codes", "contacts"):
        await keys.rotate(purpose)
    past.clock.ms += DAY_MS
    await reseal_everything(pool, keys, past.clock)
    assert await repair(pool, keys) == []
    assert await found_of_alice(past) == set()
    await must_hold(past)
