"""Accounts, sessions, staff, keys and the audit trail on a real PostgreSQL, one promise per test."""

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from fairkey.adapters.passwords import Passwords
from fairkey.adapters.postgres import brakes
from fairkey.adapters.postgres.sessions import OPERATOR, ORDINARY, user_agent_hint
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, Broken
from fairkey.engine.people import (
    SYSTEM,
    AccountIsClosed,
    Actor,
    ActorKind,
    DisplayNameIsInvalid,
    EmailIsInvalid,
    ErrandKind,
    LastOwnerMustStay,
    LinkIsSpent,
    LogInIsBraked,
    LogInIsWrong,
    NotStaffHere,
    PasswordIsWeak,
    Role,
    ScopeIsUnknown,
    TooManyKeys,
)
from people_town import EMAIL, HERE, PASSWORD, SHOP, Town, a_town


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with a_town(database_url) as town:
        yield town


# --- registration and log-in --------------------------------------------------------------------------------


async def test_who_registers_can_log_in_whatever_the_case_of_the_address(town: Town) -> None:
    account = await town.resident()
    assert not account.email_verified
    assert await town.log_in(email="  li.wei@EXAMPLE.com ") == account
    assert await town.people.accounts.email_of(account.account_id) == "li.wei@example.com"


async def test_a_taken_address_is_told_only_to_its_mailbox(town: Town) -> None:
    await town.resident()
    again = await town.people.accounts.register(email=EMAIL, password="another good password")
    assert again.account is None
    assert again.errand.kind is ErrandKind.ALREADY_REGISTERED
    assert again.errand.to == "li.wei@example.com"
    with pytest.raises(LogInIsWrong):
        await town.log_in("another good password")


@pytest.mark.parametrize(
    "email", ["", "a@b", "a b@example.com", "a@example.com\r\nBcc: x@y.zz", "@example.com", "a@@b.cc", "a@b..cc"]
)
async def test_an_address_one_cannot_write_to_is_refused(town: Town, email: str) -> None:
    with pytest.raises(EmailIsInvalid):
        await town.people.accounts.register(email=email, password=PASSWORD)


async def test_a_name_shown_to_others_is_no_address_and_is_not_made_from_one(town: Town) -> None:
    with pytest.raises(DisplayNameIsInvalid):
        await town.people.accounts.register(email=EMAIL, password=PASSWORD, display_name="me@example.com")
    assert "li" not in (await town.resident()).display_name.removeprefix("user-")


async def test_unknown_address_and_wrong_password_get_the_same_answer(town: Town) -> None:
    await town.resident()
    for email, password in ((EMAIL, "wrong password"), ("nobody@example.com", PASSWORD), ("not an address", PASSWORD)):
        with pytest.raises(LogInIsWrong) as refused:
            await town.log_in(password, email)
        assert refused.value.details == {}


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
async def test_five_wrong_passwords_bring_a_doubling_pause_known_address_or_not(town: Town, email: str) -> None:
    await town.resident()
    for _ in range(5):
        with pytest.raises(LogInIsWrong):
            await town.log_in("wrong password", email)
    with pytest.raises(LogInIsBraked) as refused:
        await town.log_in(PASSWORD, email)  # also the right one has to wait
    assert refused.value.details == {"wait_s": 30}
    town.clock.now_ms += 30_000
    with pytest.raises(LogInIsWrong):
        await town.log_in("wrong password", email)
    with pytest.raises(LogInIsBraked) as refused:
        await town.log_in(PASSWORD, email)
    assert refused.value.details == {"wait_s": 60}


async def test_the_right_password_after_the_pause_forgets_the_wrong_ones(town: Town) -> None:
    await town.resident()
    for _ in range(5):
        with pytest.raises(LogInIsWrong):
            await town.log_in("wrong password")
    town.clock.now_ms += 30_000
    await town.log_in()
    for _ in range(5):
        with pytest.raises(LogInIsWrong):
            await town.log_in("wrong password")


async def test_guesses_in_parallel_get_no_further_than_guesses_in_a_row(town: Town) -> None:
    await town.resident()
    answers = await asyncio.gather(*(town.log_in(f"guess number {n}") for n in range(20)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["LogInIsBraked"] * 15 + ["LogInIsWrong"] * 5


async def test_one_network_guessing_over_many_addresses_is_braked(town: Town) -> None:
    await town.resident()
    for n in range(brakes.PER_NETWORK.failures_free):
        with pytest.raises(LogInIsWrong):
            await town.log_in(email=f"user{n}@example.com", address=f"2001:db8::{n:x}")
    with pytest.raises(LogInIsBraked):
        await town.log_in(address="2001:db8::ffff")
    await town.log_in(address=HERE)


async def test_the_longest_pause_is_a_quarter_of_an_hour_and_calm_forgets_everything(town: Town) -> None:
    await town.resident()
    for _ in range(20):
        town.clock.now_ms += 15 * MINUTE_MS
        with pytest.raises(LogInIsWrong):
            await town.log_in("wrong password")
    with pytest.raises(LogInIsBraked) as refused:
        await town.log_in()
    assert refused.value.details == {"wait_s": 15 * 60}
    town.clock.now_ms += DAY_MS + 1
    for _ in range(5):
        with pytest.raises(LogInIsWrong):
            await town.log_in("wrong password")
    assert await town.people.accounts.sweep() == 0
    town.clock.now_ms += DAY_MS + 1
    assert await town.people.accounts.sweep() > 0
    assert await town.pool.fetchval("SELECT count(*) FROM log_in_brakes") == 0


async def test_a_hash_with_older_parameters_is_renewed_at_log_in(town: Town) -> None:
    account = await town.resident()
    older = await Passwords(memory_kib=32, rounds=1).make(PASSWORD)
    await town.pool.execute("UPDATE accounts SET password_hash = $1", older)
    assert await town.log_in() == account
    renewed = await town.pool.fetchval("SELECT password_hash FROM accounts")
    assert "m=64," in renewed
    await town.log_in()
    assert await town.pool.fetchval("SELECT password_hash FROM accounts") == renewed


# --- links from mails ------------------------------------------------------------------------------------


async def test_a_verification_link_works_once_and_three_days(town: Town) -> None:
    registration = await town.people.accounts.register(email=EMAIL, password=PASSWORD)
    assert (await town.people.accounts.verify_email(registration.errand.token)).email_verified
    for token in (registration.errand.token, "made-up"):
        with pytest.raises(LinkIsSpent):
            await town.people.accounts.verify_email(token)
    late = await town.people.accounts.register(email="late@example.com", password=PASSWORD)
    town.clock.now_ms += 3 * DAY_MS
    with pytest.raises(LinkIsSpent):
        await town.people.accounts.verify_email(late.errand.token)


async def test_a_reset_link_sets_the_password_ends_all_sessions_and_lifts_the_pause(town: Town) -> None:
    account = await town.resident()
    token, _ = await town.people.sessions.open(account.account_id)
    for _ in range(5):
        with pytest.raises(LogInIsWrong):
            await town.log_in("wrong password")
    errand = await town.people.accounts.ask_reset(EMAIL)
    assert errand is not None
    with pytest.raises(PasswordIsWeak):
        await town.people.accounts.reset_password(errand.token, "password123")  # costs the link nothing
    assert (await town.people.accounts.reset_password(errand.token, "an entirely new one")).email_verified
    assert await town.people.sessions.find(token) is None
    await town.log_in("an entirely new one")
    with pytest.raises(LinkIsSpent):
        await town.people.accounts.reset_password(errand.token, "and yet another one")


async def test_links_of_one_kind_do_not_work_as_another_and_older_ones_end_with_the_reset(town: Town) -> None:
    registration = await town.people.accounts.register(email=EMAIL, password=PASSWORD)
    with pytest.raises(LinkIsSpent):
        await town.people.accounts.reset_password(registration.errand.token, "an entirely new one")
    first = await town.people.accounts.ask_reset(EMAIL)
    second = await town.people.accounts.ask_reset(EMAIL)
    assert first is not None
    assert second is not None
    await town.people.accounts.reset_password(second.token, "an entirely new one")
    with pytest.raises(LinkIsSpent):
        await town.people.accounts.reset_password(first.token, "not any more at all")


async def test_nobody_can_fill_a_mailbox_with_links(town: Town) -> None:
    await town.resident()
    errands = [await town.people.accounts.ask_reset(EMAIL) for _ in range(5)]
    assert [errand is not None for errand in errands] == [True, True, True, False, False]
    assert await town.people.accounts.ask_reset("nobody@example.com") is None
    town.clock.now_ms += HOUR_MS
    assert await town.people.accounts.ask_reset(EMAIL) is not None


async def test_changing_the_password_needs_the_old_one_and_logs_other_browsers_out(town: Town) -> None:
    account = await town.resident()
    here, _ = await town.people.sessions.open(account.account_id)
    there, _ = await town.people.sessions.open(account.account_id)
    change = town.people.accounts.change_password
    with pytest.raises(LogInIsWrong):
        await change(account.account_id, old="not it at all", new="an entirely new one", address=HERE, keep_token=here)
    await change(account.account_id, old=PASSWORD, new="an entirely new one", address=HERE, keep_token=here)
    assert await town.people.sessions.find(here) is not None
    assert await town.people.sessions.find(there) is None


async def test_a_closed_account_is_erased_and_its_address_free_again(town: Town) -> None:
    account = await town.resident()
    token, _ = await town.people.sessions.open(account.account_id)
    await town.people.accounts.close(account.account_id, password=PASSWORD, address=HERE)
    assert await town.people.sessions.find(token) is None
    assert await town.people.accounts.find(account.account_id) is None
    assert await town.people.accounts.email_of(account.account_id) is None
    with pytest.raises(AccountIsClosed):
        await town.people.sessions.open(account.account_id)
    assert (await town.resident()).account_id != account.account_id


# --- sessions --------------------------------------------------------------------------------------------


async def test_a_session_knows_its_account_and_roles_and_its_token_is_not_in_the_table(town: Town) -> None:
    account = await town.resident()
    await town.people.staff.add(SHOP, account.account_id, Role.OWNER)
    token, opened = await town.people.sessions.open(account.account_id, user_agent="Mozilla Firefox/130 (Android 15)")
    assert opened.account == account
    assert opened.shop_roles == {SHOP: Role.OWNER}
    assert opened.user_agent_hint == "Firefox, Android"
    assert await town.people.sessions.find(token) == opened
    for other in ("", token[:-1], token[:-1] + "!", "x" * 43):
        assert await town.people.sessions.find(other) is None


async def test_logging_in_ends_the_browsers_earlier_session(town: Town) -> None:
    account = await town.resident()
    before, _ = await town.people.sessions.open(None)
    after, _ = await town.people.sessions.open(account.account_id, replaces=before)
    assert after != before
    assert await town.people.sessions.find(before) is None


async def test_a_session_slides_while_it_is_used_up_to_its_absolute_end(town: Town) -> None:
    account = await town.resident()
    idle, _ = await town.people.sessions.open(account.account_id)
    used, _ = await town.people.sessions.open(account.account_id)
    for _ in range(9):
        town.clock.now_ms += 10 * DAY_MS - 1
        assert await town.people.sessions.find(used) is not None
    assert await town.people.sessions.find(idle) is None
    town.clock.now_ms += 9
    assert await town.people.sessions.find(used) is None
    assert ORDINARY.life_ms == 90 * DAY_MS
    assert await town.people.sessions.sweep() == 2


async def test_operators_have_shorter_hours(town: Town) -> None:
    operator = await town.resident(is_operator=True)
    token, _ = await town.people.sessions.open(operator.account_id)
    town.clock.now_ms += OPERATOR.idle_ms
    assert await town.people.sessions.find(token) is None


async def test_becoming_an_operator_ends_the_longer_sessions_of_before(town: Town) -> None:
    account = await town.resident()
    token, _ = await town.people.sessions.open(account.account_id)
    await town.people.accounts.make_operator(account.account_id)
    assert await town.people.sessions.find(token) is None


async def test_one_can_see_ones_browsers_and_log_them_out_one_or_all(town: Town) -> None:
    account = await town.resident()
    stranger = await town.resident("other@example.com")
    tokens = [(await town.people.sessions.open(account.account_id))[0] for _ in range(4)]
    browsers = await town.people.sessions.of_account(account.account_id)
    assert len(browsers) == 4
    assert not await town.people.sessions.close_one(stranger.account_id, browsers[0].ref)
    assert await town.people.sessions.close_one(account.account_id, browsers[0].ref)
    await town.people.sessions.close(tokens[0])
    left = [token for token in tokens if await town.people.sessions.find(token)]
    assert await town.people.sessions.close_all(account.account_id, keep_token=left[0]) == len(left) - 1
    assert await town.people.sessions.find(left[0]) is not None
    assert await town.people.sessions.close_all(account.account_id) == 1


async def test_a_session_keeps_small_data_and_not_large(town: Town) -> None:
    token, _ = await town.people.sessions.open(None)
    await town.people.sessions.keep_data(token, {"acting_shop": SHOP})
    found = await town.people.sessions.find(token)
    assert found is not None
    assert found.data == {"acting_shop": SHOP}
    with pytest.raises(Broken):
        await town.people.sessions.keep_data(token, {"x": "y" * 5_000})


def test_browsers_are_known_by_a_hint_only() -> None:
    wechat = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 MicroMessenger/8.0.49"
    assert user_agent_hint(wechat) == "WeChat, iPhone"
    assert user_agent_hint("") == ""


# --- staff -----------------------------------------------------------------------------------------------


async def test_a_shop_keeps_an_owner(town: Town) -> None:
    owner, second = await town.resident(), await town.resident("second@example.com")
    staff = town.people.staff
    await staff.add(SHOP, owner.account_id, Role.OWNER)
    await staff.add(SHOP, owner.account_id, Role.OWNER)
    await staff.add(SHOP, second.account_id, Role.STAFF)
    with pytest.raises(LastOwnerMustStay):
        await staff.remove(SHOP, owner.account_id)
    with pytest.raises(LastOwnerMustStay):
        await staff.add(SHOP, owner.account_id, Role.STAFF)
    with pytest.raises(LastOwnerMustStay):
        await town.people.accounts.close(owner.account_id, password=PASSWORD, address=HERE)
    await staff.add(SHOP, second.account_id, Role.OWNER)
    await staff.remove(SHOP, owner.account_id)
    assert [(one.account_id, one.role) for one in await staff.of_shop(SHOP)] == [(second.account_id, Role.OWNER)]
    with pytest.raises(NotStaffHere):
        await staff.remove(SHOP, owner.account_id)


async def test_two_owners_cannot_both_leave_at_once(town: Town) -> None:
    first, second = [await town.resident(f"owner{n}@example.com") for n in range(2)]
    for one in (first, second):
        await town.people.staff.add(SHOP, one.account_id, Role.OWNER)
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with town.pool.acquire() as connection:
        leaving = connection.transaction()
        await leaving.start()
        await connection.execute("UPDATE shop_staff SET removed_at = now() WHERE account_id = $1", first.account_id)
        other = asyncio.create_task(town.people.staff.remove(SHOP, second.account_id))
        while not other.done() and not await town.pool.fetchval(waits):
            await asyncio.sleep(0)
        await leaving.commit()
    with pytest.raises(LastOwnerMustStay):
        await other


async def test_a_role_taken_away_is_gone_from_open_sessions(town: Town) -> None:
    owner, helper = await town.resident(), await town.resident("helper@example.com")
    await town.people.staff.add(SHOP, owner.account_id, Role.OWNER)
    await town.people.staff.add(SHOP, helper.account_id, Role.STAFF)
    token, session = await town.people.sessions.open(helper.account_id)
    assert session.shop_roles == {SHOP: Role.STAFF}
    await town.people.staff.remove(SHOP, helper.account_id)
    found = await town.people.sessions.find(token)
    assert found is not None
    assert found.shop_roles == {}


# --- keys and audit trail --------------------------------------------------------------------------------


async def test_a_key_is_shown_once_and_found_until_it_is_revoked(town: Town) -> None:
    keys = town.people.api_keys
    text, key = await keys.create(SHOP, name="stock sync", scopes=frozenset({"codes:write", "orders:read"}))
    assert text.startswith("fk_live_")
    found = await keys.find(text)
    assert found == key
    (listed,) = await keys.of_shop(SHOP)
    assert listed.last_used_at_ms == town.clock.now_ms
    assert not await keys.revoke("01890000-0000-7000-8000-000000000002", key.key_id)
    assert await keys.revoke(SHOP, key.key_id)
    assert await keys.find(text) is None
    assert await keys.find("fk_live_" + "x" * 43) is None
    assert await keys.find("anything") is None


async def test_keys_have_known_scopes_and_a_shop_not_endlessly_many(town: Town) -> None:
    keys = town.people.api_keys
    with pytest.raises(ScopeIsUnknown) as refused:
        await keys.create(SHOP, name="x", scopes=frozenset({"everything"}))
    assert refused.value.details == {"scope": "everything"}
    for _ in range(20):
        await keys.create(SHOP, name="x", scopes=frozenset())
    with pytest.raises(TooManyKeys):
        await keys.create(SHOP, name="x", scopes=frozenset())


async def test_the_audit_trail_is_written_once_and_read_from_the_newest(town: Town) -> None:
    owner = Actor(
        kind=ActorKind.ACCOUNT,
        account_id="01890000-0000-7000-8000-00000000000a",
        shop_roles={SHOP: Role.OWNER},
        address=HERE,
    )
    for number in range(3):
        await town.people.audit.write(owner, "key.created", target=f"shop:{SHOP}/keys", detail={"number": number})
    await town.people.audit.write(SYSTEM, "keys.rotated")
    newest, *older = await town.people.audit.read()
    assert (newest.actor, newest.role, newest.ip_hint) == ("system", "system", "")
    assert [entry.detail for entry in older] == [{"number": 2}, {"number": 1}, {"number": 0}]
    assert (older[0].role, older[0].ip_hint) == ("owner", "203.0.113.0/24")
    (page,) = await town.people.audit.read(before_entry_id=older[1].entry_id, entries_max=1)
    assert page == older[2]
    for statement in ("UPDATE audit_trail SET action = 'x'", "DELETE FROM audit_trail", "TRUNCATE audit_trail"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await town.pool.execute(statement)


@pytest.mark.parametrize(
    "detail", [{"to": "li@example.com"}, {"keys": ["fk_live_abc"]}, {"a": {"b": "li@example.com"}}]
)
async def test_the_audit_trail_takes_no_addresses_and_no_keys(town: Town, detail: dict[str, object]) -> None:
    with pytest.raises(Broken):
        await town.people.audit.write(SYSTEM, "letter.sent", detail=detail)


# --- leaks -----------------------------------------------------------------------------------------------


async def test_no_address_password_or_token_stands_in_any_table(town: Town) -> None:
    secrets = [PASSWORD, "li.wei", "example.com"]
    registration = await town.people.accounts.register(email=EMAIL, password=PASSWORD)
    assert registration.account is not None
    account_id = registration.account.account_id
    secrets.append(registration.errand.token)
    reset = await town.people.accounts.ask_reset(EMAIL)
    assert reset is not None
    secrets.append(reset.token)
    with pytest.raises(LogInIsWrong):
        await town.log_in("a wrong password that might be right elsewhere")
    secrets += ["might be right", HERE]
    token, _ = await town.people.sessions.open(account_id, user_agent="Mozilla Firefox/130.0.77")
    secrets += [token, "130.0.77"]
    key, _ = await town.people.api_keys.create(SHOP, name="sync", scopes=frozenset({"orders:read"}))
    secrets.append(key.removeprefix("fk_live_"))
    await town.people.audit.write(Actor(kind=ActorKind.ACCOUNT, account_id=account_id, address=HERE), "key.created")

    tables = [row[0] for row in await town.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    dump = ""
    for table in tables:
        rows = await town.pool.fetch(f'SELECT row_to_json(t) FROM "{table}" t')
        dump += "".join(row[0] for row in rows)
    assert account_id in dump
    for secret in secrets:
        assert secret not in dump
        assert secret.encode().hex() not in dump
        assert json.dumps(secret) not in dump
