"""Issuers speak: signed, once, in order; nothing they get back tells which codes are known."""

import asyncio
import base64
import json
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api_world import World, a_world
from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.rebuild import check
from fairkey.app import open_house
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, HOUR_MS, Command
from fairkey.engine import attesting
from fairkey.engine.answers import Answer, StoreIsAway
from fairkey.engine.attesting import AGE_MAX_MS, AHEAD_MAX_MS, Sent
from fairkey.gates.limits import RATES
from fairkey.proofs.attestations import PREFIX, Written, sign_statement
from issuers_world import PATH, AnIssuer, an_issuer, heard


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


@pytest.fixture
async def issuer(world: World) -> AnIssuer:
    return await an_issuer(world)


async def events(world: World) -> int:
    count: int = await world.opened.pool.fetchval("SELECT count(*) FROM events WHERE stream_kind = 'code'")
    return count


async def test_a_life_in_order_with_what_contradicts_beside_it(world: World, issuer: AnIssuer) -> None:
    code = world.texts[0]
    for says, ago_ms, account in (
        ("unused", 4 * HOUR_MS, ""),
        ("activated", 3 * HOUR_MS, "player one"),
        ("activated", 3 * HOUR_MS, "Ｐlayer One "),
        ("activated", 3 * HOUR_MS, "somebody else"),
        ("unused", HOUR_MS, ""),
        ("revoked", 0, ""),
    ):
        more = {"reason": "chargeback"} if says == "revoked" else {}
        answer = await issuer.say(code, says, ago_ms=ago_ms, account=account, **more)
        assert answer.status_code == 200, answer.text
    lines = await heard(world, code)
    assert [(one.number, one.says, one.conflict, one.conflicts_with) for one in lines] == [
        (1, "unused", "", ()),
        (2, "activated", "", ()),
        (3, "activated", "", ()),
        (4, "activated", "other_account", (2, 3)),
        (5, "unused", "used_before_unused", (2, 3, 4)),
        (6, "revoked", "revoked_after_use", (2, 3, 4)),
    ]
    assert (lines[1].account, lines[5].reason, lines[1].issuer_name) == ("player one", "chargeback", "晨光游戏")
    assert all(one.in_scope and one.how == "signed" for one in lines)


async def test_the_code_is_found_however_it_is_written(world: World, issuer: AnIssuer) -> None:
    wide = "".join(chr(ord(one) + 0xFEE0) if one.isalnum() else one for one in world.texts[0])
    assert (await issuer.say(f" {wide}\u200b")).status_code == 200
    assert len(await heard(world, world.texts[0])) == 1


async def test_unknown_and_known_codes_are_answered_alike(world: World, issuer: AnIssuer) -> None:
    known, unknown = issuer.write(world.texts[0]), issuer.write("NOBODY-HAS-THIS-1")
    answers = [await issuer.send(one) for one in (known, unknown)]
    for answer, written in zip(answers, (known, unknown), strict=True):
        assert answer.status_code == 200
        assert answer.json() == {"received": [json.loads(written.statement)["id"]]}
        assert len(answer.content) == len(answers[0].content)
    again = [await issuer.send(one) for one in (known, unknown)]
    assert [one.json() for one in again] == [one.json() for one in answers]
    other = [issuer.write(code, statement_id=json.loads(w.statement)["id"]) for code, w in
             ((world.texts[1], known), (world.texts[1], unknown))]  # fmt: skip
    assert [problem(await issuer.send(one)) for one in other] == [(409, "statement-id-was-used")] * 2
    assert await events(world) == 1


async def test_forty_times_the_same_at_once_is_one_fact(world: World, issuer: AnIssuer) -> None:
    written = issuer.write(world.texts[0])
    answers = await asyncio.gather(*(issuer.send(written) for _ in range(40)))
    assert {(one.status_code, one.text) for one in answers} == {(200, answers[0].text)}
    assert await events(world) == 1


async def test_forty_different_ones_under_one_id_are_one_fact(world: World, issuer: AnIssuer) -> None:
    statement_id = "x" * 22
    written = [issuer.write(world.texts[n % 20], statement_id=statement_id) for n in range(40)]
    answers = await asyncio.gather(*(issuer.send(one) for one in written))
    assert sorted(one.status_code for one in answers) == [200] + [409] * 39
    assert await events(world) == 1


async def test_a_thousand_in_one_request_and_not_one_more(world: World, issuer: AnIssuer) -> None:
    many = [issuer.write(world.texts[n] if n < 30 else f"UNKNOWN-{n:06d}") for n in range(1_000)]
    assert (await issuer.send(*many)).status_code == 200
    assert await events(world) == 30
    assert problem(await issuer.send(*many, issuer.write("X-1"))) == (422, "field-is-invalid")


async def test_one_bad_statement_and_nothing_is_recorded(world: World, issuer: AnIssuer) -> None:
    good = issuer.write(world.texts[0])
    stranger = issuer.write(world.texts[1], key=Ed25519PrivateKey.generate())
    answer = await issuer.send(good, stranger)
    assert problem(answer) == (401, "issuer-signature-is-wrong")
    assert answer.json()["details"]["place"] == 2
    twice = issuer.write(world.texts[2], statement_id=json.loads(good.statement)["id"])
    assert problem(await issuer.send(good, twice)) == (409, "statement-id-was-used")
    assert await events(world) == 0
    assert (await issuer.send(good)).status_code == 200


async def test_the_same_statement_twice_in_one_request(world: World, issuer: AnIssuer) -> None:
    written = issuer.write(world.texts[0])
    assert (await issuer.send(written, written)).status_code == 200
    assert await events(world) == 1


async def test_strangers_and_unknown_issuers_look_alike(world: World, issuer: AnIssuer) -> None:
    nobody = AnIssuer(world, "00000000-0000-4000-8000-000000000000", issuer.key)
    first, second = await nobody.say(world.texts[0]), await issuer.say(world.texts[0], key=Ed25519PrivateKey.generate())
    assert problem(first) == problem(second) == (401, "issuer-signature-is-wrong")
    assert first.content == second.content


async def test_in_another_issuers_name(world: World, issuer: AnIssuer) -> None:
    other = await an_issuer(world, "QQ")
    mixed = [issuer.write(world.texts[0]), other.write(world.texts[1])]
    assert problem(await issuer.send(*mixed)) == (401, "issuer-signature-is-wrong")
    forged = AnIssuer(world, issuer.issuer_id, other.key)
    assert problem(await forged.say(world.texts[0])) == (401, "issuer-signature-is-wrong")


async def test_of_another_issuers_product_it_is_recorded_and_said_so(world: World) -> None:
    other = await an_issuer(world, "QQ")
    assert (await other.say(world.texts[0])).status_code == 200
    assert [one.in_scope for one in await heard(world, world.texts[0])] == [False]


async def test_a_suspended_issuer(world: World, issuer: AnIssuer) -> None:
    written = issuer.write(world.texts[0])
    assert (await issuer.send(written)).status_code == 200
    await issuer.suspend()
    assert problem(await issuer.say(world.texts[1])) == (403, "issuer-may-not-attest")
    assert problem(await issuer.send(written)) == (403, "issuer-may-not-attest")
    assert len(await heard(world, world.texts[0])) == 1


async def test_after_a_rotation(world: World, issuer: AnIssuer) -> None:
    before = issuer.write(world.texts[0])
    under_way = issuer.write(world.texts[1])
    assert (await issuer.send(before)).status_code == 200
    old = await issuer.rotate()
    assert (await issuer.send(under_way)).status_code == 200
    assert (await issuer.say(world.texts[2])).status_code == 200
    world.clock.ms += DAY_MS
    late = issuer.write(world.texts[3], key=old)
    assert problem(await issuer.send(late)) == (403, "issuer-may-not-attest")
    assert (await issuer.send(before)).status_code == 200  # a repeat has its answer for ever
    assert await events(world) == 3


async def test_a_key_in_wrong_hands(world: World, issuer: AnIssuer) -> None:
    old = await issuer.rotate(at_once=True)
    assert problem(await issuer.say(world.texts[0], key=old)) == (403, "issuer-may-not-attest")


@pytest.mark.parametrize(
    ("said_ago_ms", "status"),
    [(AGE_MAX_MS, 200), (AGE_MAX_MS + 1, 422), (-AHEAD_MAX_MS, 200), (-AHEAD_MAX_MS - 1, 422)],
)
async def test_the_time_in_which_a_statement_is_taken(
    world: World, issuer: AnIssuer, said_ago_ms: int, status: int
) -> None:
    said_at_ms = world.clock() - said_ago_ms
    answer = await issuer.say(world.texts[0], said_at_ms=said_at_ms, happened_at_ms=said_at_ms)
    assert answer.status_code == status
    if status == 422:
        assert problem(answer)[1] == "statement-is-out-of-time"


async def test_a_repeat_is_answered_however_late(world: World, issuer: AnIssuer) -> None:
    written = issuer.write(world.texts[0])
    first = await issuer.send(written)
    world.clock.ms += 100 * DAY_MS
    assert (await issuer.send(written)).json() == first.json()
    await world.opened.pool.execute("DELETE FROM answers")  # old answers go; the fact knows its statement
    assert (await issuer.send(written)).json() == first.json()
    assert await events(world) == 1


async def test_killed_between_the_claim_and_the_fact(
    world: World, issuer: AnIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [issuer.write(code) for code in world.texts[:3]]

    async def die(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(attesting, "_record", die)
        assert (await issuer.send(*written)).status_code == 503
    assert await events(world) == 0
    world.clock.ms += AGE_MAX_MS + DAY_MS  # however late he comes again: the claim was in time
    assert (await issuer.send(*written)).status_code == 200
    assert await events(world) == 3


async def test_storage_goes_away_half_way(world: World, issuer: AnIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    written = [issuer.write(code) for code in world.texts[:3]]
    house = world.opened.house
    really_ask, asked = house.ask, count(1)

    async def ask(by: Asker, command: Command, *, command_id: str | None = None, body_hash: bytes = b"") -> Answer:
        if next(asked) == 2:
            raise StoreIsAway
        return await really_ask(by, command, command_id=command_id, body_hash=body_hash)

    with monkeypatch.context() as broken:
        broken.setattr(house, "ask", ask)
        assert (await issuer.send(*written)).status_code == 503
    assert (await issuer.send(*written)).status_code == 200
    assert await events(world) == 3


async def test_two_processes_one_fact(world: World, issuer: AnIssuer, database_url: str) -> None:
    statement_id = "y" * 22
    written = [issuer.write(world.texts[n % 2], statement_id=statement_id) for n in range(2)]
    async with open_house(world.opened.house.settings, database_url, now_ms=world.clock, providers={}) as other:
        sent = [Sent(*one) for one in written]
        houses = (world.opened.house, other.house)
        tries = [attesting.take_statements(houses[n // 2 % 2], [sent[n % 2]]) for n in range(40)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
    taken = [n for n, answer in enumerate(answers) if isinstance(answer, list)]
    assert len({n % 2 for n in taken}) == 1  # all repeats of the text that came first
    assert len(taken) == 20
    assert all(isinstance(one, list | attesting.StatementIdWasUsed) for one in answers)
    assert await events(world) == 1


async def test_everything_kept_follows_from_the_facts(world: World, issuer: AnIssuer) -> None:
    for says in ("unused", "activated", "revoked"):
        await issuer.say(world.texts[0], says, ago_ms=0)
        world.clock.ms += HOUR_MS
    await issuer.rotate()
    await issuer.suspend()
    assert await check(world.opened.pool, world.opened.keys) == []
    assert await audit(world.opened.pool, world.clock()) == []


def tampered(written: Written, **changes: object) -> Written:
    members = {**json.loads(written.statement), **changes}
    return written._replace(statement=json.dumps(members))


async def test_every_changed_byte_is_found(world: World, issuer: AnIssuer) -> None:
    written = issuer.write(world.texts[0])
    for changed in (
        tampered(written, says="revoked"),
        tampered(written, happened_at_ms=1),
        written._replace(statement=written.statement + " "),
        written._replace(signature=base64.b64encode(bytes(64)).decode()),
        written._replace(signature=written.signature[:-4]),
        written._replace(signature="not base64!"),
        written._replace(signature=""),
    ):
        assert problem(await issuer.send(changed)) == (401, "issuer-signature-is-wrong")
    assert await events(world) == 0


async def test_disclosures_that_do_not_fit(world: World, issuer: AnIssuer) -> None:
    written, other = issuer.write(world.texts[0], account="player"), issuer.write(world.texts[1])
    deep = base64.urlsafe_b64encode(b"[" * 3_000).decode().rstrip("=")
    for changes in (
        {"code": other.code},
        {"code": ""},
        {"code": deep},
        {"account": ""},
        {"account": written.code},
        {"code": written.account},
    ):
        assert problem(await issuer.send(written, **changes)) == (422, "statement-is-unreadable"), changes
    assert problem(await issuer.send(other, account=written.account)) == (422, "statement-is-unreadable")


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 4_000,
        '{"a":' * 400 + "1" + "}" * 400,
        '{"type":"fairkey.code.v1"}',
        '{"type":"fairkey.code.v2"}',
        '{"type":["fairkey.code.v1"]}',
        "x" * 4_096,
        "\u202e" * 100,
    ],
)
async def test_statements_that_are_none(world: World, issuer: AnIssuer, statement: str) -> None:
    signature = base64.b64encode(issuer.key.sign(PREFIX + statement.encode())).decode()
    answer = await issuer.send(Written(statement, signature, "", ""))
    assert problem(answer) == (422, "statement-is-unreadable")


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ('"says":"activated"', '"says":"unused","says":"activated"'),
        ('"says":"activated"', '"says":"аctivated"'),
        ('"says":"activated"', '"says":"ACTIVATED"'),
        ('"happened_at_ms":', '"happened_at_ms":NaN,"x":'),
        ('"happened_at_ms":1', '"happened_at_ms":1.5e'),
        ('"happened_at_ms":1', '"happened_at_ms":true,"y":1'),
        ('"happened_at_ms":1', '"happened_at_ms":-1'),
        ('"happened_at_ms":1', '"happened_at_ms":9999999999999999999991'),
        ('"id":"', '"id":"short'),
        ('"id":"', '"id":"ü'),
        ('"type":"', '"more":1,"type":"'),
        ('"type":"', '"account":"x","type":"'),
    ],
)
async def test_hostile_members(world: World, issuer: AnIssuer, find: str, put: str) -> None:
    written = issuer.write(world.texts[0], statement_id="i" * 60)
    statement = written.statement.replace(find, put)
    assert statement != written.statement
    signature = base64.b64encode(issuer.key.sign(PREFIX + statement.encode())).decode()
    answer = await issuer.send(written._replace(statement=statement, signature=signature))
    assert problem(answer) == (422, "statement-is-unreadable"), answer.text
    assert await events(world) == 0


async def test_bodies_that_are_none(world: World) -> None:
    bodies: list[tuple[bytes, int]] = [
        (b"", 400),
        (b"{}", 422),
        (b'{"attestations":[]}', 422),
        (b'{"attestations":[{}]}', 422),
        (b"[" * 100_000, 422),
        (b'{"attestations":[NaN]}', 400),
        (b"\xff\xfe", 400),
        (b"x" * (4 * 1024 * 1024 + 1), 413),
    ]
    for body, status in bodies:
        assert (await world.post(PATH, body)).status_code == status, body[:30]


async def test_whoever_sends_too_often_waits(database_url: str, state_dir: Path) -> None:
    async with a_world(database_url, state_dir, codes=1, FAIRKEY_LIMIT_PERCENT="100") as world:
        burst = RATES["attest"].burst
        answers = [await world.post(PATH, {"attestations": []}) for _ in range(burst + 1)]
        assert [one.status_code for one in answers] == [422] * burst + [429]
        assert answers[-1].headers["retry-after"]


async def test_no_code_and_no_account_lies_anywhere_in_clear(
    world: World, issuer: AnIssuer, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    code, account = world.texts[0], "a-rare-account-name"
    written = issuer.write(code, account=account, statement_id=code.ljust(30, "x"))
    assert (await issuer.send(written)).status_code == 200
    db = await asyncpg.connect(database_url)
    try:
        for (table,) in await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            for row in await db.fetch(f'SELECT t::text AS text FROM "{table}" t'):
                text = row["text"]
                for secret in (code, account, written.statement[:60]):
                    assert secret not in text, table
                    assert secret.encode().hex() not in text, table
    finally:
        await db.close()
    assert code not in caplog.text
    assert account not in caplog.text


async def test_what_was_sealed_proves_itself_again(world: World, issuer: AnIssuer) -> None:
    """From the public leaf and the sealed fields alone: the statement, its signature, the code it speaks of."""
    written = issuer.write(world.texts[0], account="player")
    await issuer.send(written)
    (line,) = await heard(world, world.texts[0])
    house = world.opened.house
    book: Any = house.questions.issuers
    row = await world.opened.pool.fetchrow(
        "SELECT version, sealed FROM sealed_fields WHERE stream_kind = 'code' AND stream_id = $1", line.code_id
    )
    assert row is not None
    from fairkey.business.basics import Stream

    sealed = book._open(Stream(world.shop_id, "code", line.code_id), row["version"], row["sealed"])
    assert (sealed["statement"], sealed["signature"]) == (written.statement, written.signature)
    assert sign_statement(issuer.key, sealed["statement"]) == sealed["signature"]
    salt = base64.urlsafe_b64decode(sealed["code_salt"] + "==")
    from fairkey.proofs.commitments import commitment

    assert commitment(salt, "code", world.texts[0])[1] == written.code
