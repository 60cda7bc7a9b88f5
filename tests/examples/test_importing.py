"""Depositing codes: from a file, typed by hand, and what becomes of them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from fairkey.adapters.vault import importing
from fairkey.adapters.vault.pressing import disclosure_of, is_committed
from fairkey.business.code_lines import Reason
from fairkey.engine.vault_port import (
    ImportBrokeOff,
    ImportIsClosed,
    ImportIsNoText,
    ImportIsTooLarge,
    ImportIsUnderWay,
    ImportProgress,
    TooManyImports,
    TypedCodesAreRefused,
    VaultIsCorrupt,
)
from fairkey.proofs.commitments import commitment
from fairkey.proofs.merkle import leaf_hash, merkle_root
from vault_world import LISTING, OTHER_SHOP, SHOP, VaultWorld, file_of, pieces, vault_world


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[VaultWorld]:
    async with vault_world(database_url) as world:
        yield world


async def opened_texts(world: VaultWorld, batch_id: str, shop_id: str = SHOP) -> list[str]:
    found = await world.pool.fetch(
        "SELECT code_id FROM vault WHERE shop_id = $1 AND batch_id = $2 ORDER BY position", shop_id, batch_id
    )
    ids = [str(row["code_id"]) for row in found]
    opened = await world.vault.open_codes(shop_id, ids)
    return [opened[code_id].text for code_id in ids]


async def test_a_file_lies_in_the_vault_in_its_order_under_one_root(world: VaultWorld) -> None:
    texts = [f"AAAA-{number:06}" for number in range(9_000)]
    staged = await world.stage(file_of(texts))

    assert staged.count == 9_000
    assert await opened_texts(world, staged.import_id) == texts
    commitments = await world.pool.fetch("SELECT commitment FROM vault ORDER BY position")
    assert staged.root == merkle_root(leaf_hash(row["commitment"]) for row in commitments)
    record = await world.desk.find(SHOP, staged.import_id)
    assert record is not None
    assert (record.state, record.root, record.progress) == ("staged", staged.root, staged.progress)
    assert record.progress == ImportProgress(bytes_read=len(file_of(texts)), lines_read=9_000, accepted=9_000)


async def test_an_opened_code_proves_what_was_committed_to(world: VaultWorld) -> None:
    staged = await world.stage(b"tom----secret\n")
    code_id = await world.pool.fetchval("SELECT code_id::text FROM vault WHERE batch_id = $1", staged.import_id)
    opened = (await world.vault.open_codes(SHOP, [code_id]))[code_id]
    assert commitment(opened.salt, code_id, "tom----secret")[0] == opened.commitment


async def test_codes_committed_to_under_the_older_name_still_open_and_no_other_name_does(world: VaultWorld) -> None:
    """Once the disclosure named every code "code"; now it names the code by its id."""
    code_id, text, salt = UUID("01900000-0000-7000-8000-000000000001"), "OLD-1", b"s" * 16
    for name, fits in ((str(code_id), True), ("code", True), ("Code", False), (str(UUID(int=1)), False)):
        digest, disclosure = commitment(salt, name, text)
        assert is_committed(digest, salt, code_id, text) is fits
        assert not is_committed(digest, salt, code_id, "OLD-2")
        if fits:
            assert disclosure_of(digest, salt, code_id, text) == disclosure


async def test_equal_codes_of_two_vaults_would_have_nothing_in_common(world: VaultWorld) -> None:
    """Every code has its own salt and its own nonce, or a commitment could be guessed and a key stream met twice."""
    await world.stage(file_of(f"CODE-{number:07}" for number in range(3_000)))
    rows = await world.pool.fetch("SELECT code_id::text, sealed FROM vault")
    opened = await world.vault.open_codes(SHOP, [row["code_id"] for row in rows])
    assert len({one.salt for one in opened.values()}) == 3_000
    assert len({row["sealed"][5:17] for row in rows}) == 3_000


async def test_every_refused_line_is_in_the_report_and_no_code_is(world: VaultWorld) -> None:
    await world.stage(b"FIRST-DEPOSITED-1\n")
    await world.stage(b"OTHER-SHOPS-CODE-1\n", shop_id=OTHER_SHOP)
    data = file_of(
        [
            "GOOD-CODE-00001",
            "",
            "GOOD-CODE-00002",
            "GOOD-CODE-00001",
            "x" * 3000,
            "BAD\x07CODE-0000001",
            "FIRST-DEPOSITED-1",
            "ＯＴＨＥＲ-SHOPS-CODE-1 ",
        ]
    )
    staged = await world.stage(data)

    assert await world.desk.refusal_report(SHOP, staged.import_id) == [
        (4, Reason.DUPLICATE_IN_FILE, "GO…01", 1),
        (5, Reason.TOO_LONG, "xx…xx", None),
        (6, Reason.CONTROL_CHARACTERS, "BA…01", None),
        (7, Reason.ALREADY_IN_YOUR_VAULT, "FI…-1", None),
        (8, Reason.ALREADY_DEPOSITED, "OT…-1", None),
    ]
    assert staged.progress == ImportProgress(
        bytes_read=len(data),
        lines_read=8,
        empty=1,
        accepted=2,
        refused=5,
        duplicate_in_file=1,
        duplicate_elsewhere=2,
    )
    assert await world.desk.refusal_report(SHOP, staged.import_id, after_line_no=6, rows_max=1) == [
        (7, Reason.ALREADY_IN_YOUR_VAULT, "FI…-1", None)
    ]


async def test_a_file_in_which_nothing_is_new_fails_with_its_report(world: VaultWorld) -> None:
    await world.stage(b"AAAA-1111\nBBBB-2222\n")
    again = await world.stage(b"BBBB-2222\nAAAA-1111\n")
    record = await world.desk.find(SHOP, again.import_id)
    assert record is not None
    assert (again.count, record.state, record.error, record.root) == (0, "failed", "no_codes", None)
    assert len(await world.desk.refusal_report(SHOP, again.import_id)) == 2


async def test_a_table_is_told_how_it_was_read(world: VaultWorld) -> None:
    staged = await world.stage("卡号,卡密,备注\nC1,P1,x\nC2,P2,y\n".encode("gb18030"))
    assert await opened_texts(world, staged.import_id) == ["C1----P1", "C2----P2"]
    record = await world.desk.find(SHOP, staged.import_id)
    assert record is not None
    assert (record.encoding, record.delimiter) == ("gb18030", ",")
    assert (record.columns_taken, record.columns_ignored) == (("卡号", "卡密"), ("备注",))


async def test_progress_is_seen_from_outside_while_the_file_still_arrives(world: VaultWorld) -> None:
    seen: list[int] = []
    told: list[ImportProgress] = []
    import_id = "00000000-0000-7000-8000-0000000000aa"

    async def slowly() -> AsyncIterator[bytes]:
        for part in range(6):
            yield file_of(f"CODE-{part}-{number:07}" for number in range(10_000)) + b"\n"
            record = await world.desk.find(SHOP, import_id)
            assert record is not None
            assert record.state == "receiving"
            seen.append(record.progress.accepted)

    staged = await world.desk.stage(
        shop_id=SHOP, import_id=import_id, listing_id=LISTING, chunks=slowly(), on_progress=told.append
    )
    assert staged.count == 60_000
    assert seen == sorted(seen)
    assert 0 < seen[-1] < 60_000
    assert [progress.accepted for progress in told] == sorted(progress.accepted for progress in told)
    assert told[-1].accepted == 60_000


async def test_the_event_loop_stays_alive_during_an_import(world: VaultWorld) -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count_turns())
    await world.stage(file_of(f"CODE-{number:07}" for number in range(20_000)))
    counting.cancel()
    assert turns > 200


async def test_a_file_beyond_the_limits_is_refused_whole_and_leaves_nothing(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "IMPORT_LINES_MAX", 15_000)
    with pytest.raises(ImportIsTooLarge) as refusal:
        await world.stage(file_of(f"CODE-{number:07}" for number in range(15_001)))
    assert refusal.value.details == {"what": "lines", "limit": 15_000}
    monkeypatch.setattr(importing, "IMPORT_BYTES_MAX", 200_000)
    with pytest.raises(ImportIsTooLarge) as refusal:
        await world.stage(file_of(f"LONGER-CODE-{number:017}" for number in range(15_000)))
    assert refusal.value.details == {"what": "bytes", "limit": 200_000}
    assert await world.counts() == (0, 0)
    assert {record.state for record in await world.desk.recent(SHOP)} == {"failed"}


async def test_an_upload_that_breaks_off_leaves_nothing_and_may_be_given_again(world: VaultWorld) -> None:
    texts = [f"CODE-{number:07}" for number in range(30_000)]

    async def breaking() -> AsyncIterator[bytes]:
        yield file_of(texts)
        raise ConnectionResetError

    import_id = "00000000-0000-7000-8000-0000000000ab"
    with pytest.raises(ImportBrokeOff):
        await world.stage(breaking(), import_id=import_id)
    assert await world.counts() == (0, 0)
    record = await world.desk.find(SHOP, import_id)
    assert record is not None
    assert (record.state, record.error) == ("failed", "ImportBrokeOff")

    staged = await world.stage(file_of(texts), import_id=import_id)
    assert staged.count == 30_000
    with pytest.raises(ImportIsClosed):
        await world.stage(b"MORE-CODES\n", import_id=import_id)


async def test_a_cancelled_upload_leaves_nothing(world: VaultWorld) -> None:
    arrived = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield file_of(f"CODE-{number:07}" for number in range(30_000))
        arrived.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(world.stage(endless()))
    await arrived.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await world.counts() == (0, 0)


async def test_the_same_import_runs_once_and_a_shop_runs_few(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()
    started = [asyncio.Event() for _ in range(2)]

    async def waiting(number: int) -> AsyncIterator[bytes]:
        yield f"CODE-{number}-000001\n".encode()
        started[number].set()
        await go_on.wait()

    monkeypatch.setattr(importing, "IMPORTS_AT_ONCE_MAX", 2)
    ids = [f"00000000-0000-7000-8000-00000000000{number}" for number in (1, 2, 3)]
    uploads = [asyncio.create_task(world.stage(waiting(number), import_id=ids[number])) for number in range(2)]
    await asyncio.gather(*(event.wait() for event in started))
    with pytest.raises(ImportIsUnderWay):
        await world.stage(b"X\n", import_id=ids[0])
    with pytest.raises(TooManyImports):
        await world.stage(b"X\n", import_id=ids[2])
    assert (await world.stage(b"X-OTHER-SHOP\n", shop_id=OTHER_SHOP)).count == 1
    go_on.set()
    assert [staged.count for staged in await asyncio.gather(*uploads)] == [1, 1]


async def test_typed_codes_go_in_together_or_not_at_all(world: VaultWorld) -> None:
    batch = "00000000-0000-7000-8000-0000000000b0"
    first = await world.desk.put_typed(SHOP, batch, [" TYPED-CODE-1 ", "TYPED-CODE-2"])
    before = await world.counts()
    with pytest.raises(TypedCodesAreRefused) as refusal:
        await world.desk.put_typed(SHOP, batch, ["FRESH-CODE-0001", "TYPED-CODE-2"])
    assert refusal.value.details["lines"] == [(2, Reason.ALREADY_IN_YOUR_VAULT, "TY…-2", None)]
    for texts, reason in (
        (["SAME-CODE-0001", "SAME-CODE-0001 "], Reason.DUPLICATE_IN_FILE),
        (["GOOD-CODE-0001", "  "], Reason.EMPTY),
        (["TWO\nLINES"], Reason.CONTROL_CHARACTERS),
    ):
        with pytest.raises(TypedCodesAreRefused) as refusal:
            await world.desk.put_typed(SHOP, batch, texts)
        lines = refusal.value.details["lines"]
        assert isinstance(lines, list)
        assert [line.reason for line in lines] == [reason]
    assert await world.counts() == before

    second = await world.desk.put_typed(SHOP, batch, ["TYPED-CODE-3"])
    assert await opened_texts(world, batch) == ["TYPED-CODE-1", "TYPED-CODE-2", "TYPED-CODE-3"]
    stored = await world.pool.fetch("SELECT code_id::text, commitment, custody FROM vault ORDER BY position")
    assert [(row["code_id"], row["commitment"].hex()) for row in stored] == first + second
    assert {row["custody"] for row in stored} == {2}
    assert await world.desk.recent(SHOP) == []


async def test_typed_codes_that_were_never_delivered_may_be_typed_again(world: VaultWorld) -> None:
    batch = "00000000-0000-7000-8000-0000000000b0"
    await world.desk.put_typed(SHOP, batch, ["TYPED-CODE-1"])
    assert await world.desk.drop_unregistered(SHOP, batch) == 1
    assert await world.desk.drop_unregistered(SHOP, batch) == 0
    assert await world.desk.drop_unregistered(SHOP, "00000000-0000-7000-8000-0000000000b1") == 0
    assert len(await world.desk.put_typed(OTHER_SHOP, batch, ["TYPED-CODE-1"])) == 1


async def test_dropping_ones_own_typed_codes_leaves_those_of_a_colleague(world: VaultWorld) -> None:
    batch = "00000000-0000-7000-8000-0000000000b0"
    mine = await world.desk.put_typed(SHOP, batch, ["TYPED-CODE-1"])
    await world.desk.put_typed(SHOP, batch, ["TYPED-CODE-2"])
    assert await world.desk.drop_unregistered(SHOP, batch, [code_id for code_id, _ in mine]) == 1
    assert await opened_texts(world, batch) == ["TYPED-CODE-2"]
    assert await world.pool.fetchval("SELECT state FROM imports") == "staged"  # the clean-up still looks after it


async def test_what_is_registered_is_never_dropped(world: VaultWorld) -> None:
    staged = await world.stage(b"AAAA-1111\nBBBB-2222\n")
    await world.register(staged.import_id)
    assert await world.desk.drop_unregistered(SHOP, staged.import_id) == 0
    world.clock.at_ms += 10_000_000
    assert await world.desk.clean_abandoned(1_000) == 0
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await world.pool.execute("DELETE FROM vault")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await world.pool.execute("UPDATE vault SET commitment = fingerprint")
    assert await world.counts() == (2, 2)


async def test_callers_of_one_turn_are_answered_by_one_query(world: VaultWorld) -> None:
    mine = await world.stage(b"AAAA-1111\nBBBB-2222\n")
    theirs = await world.stage(b"CCCC-3333\n", shop_id=OTHER_SHOP)
    ids = {
        row["batch_id"]: str(row["code_id"])
        for row in await world.pool.fetch("SELECT batch_id::text, code_id FROM vault ORDER BY position DESC")
    }
    queries: list[str] = []
    async with asyncpg.create_pool(
        world.pool._connect_args[0], min_size=1, max_size=4, setup=lambda c: _note_queries(c, queries)
    ) as pool:
        vault = type(world.vault)(pool, world.keys)
        answers = await asyncio.gather(
            vault.open_codes(SHOP, [ids[mine.import_id]]),
            vault.open_codes(OTHER_SHOP, [ids[theirs.import_id]]),
            vault.open_codes(SHOP, [ids[theirs.import_id]]),
            vault.open_codes(SHOP, []),
            return_exceptions=True,
        )
    assert len([query for query in queries if "FROM unnest" in query]) == 1
    first, second, third, fourth = answers
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first[ids[mine.import_id]].text == "AAAA-1111"
    assert second[ids[theirs.import_id]].text == "CCCC-3333"
    assert isinstance(third, VaultIsCorrupt)  # a code of another shop is not in this shop's vault
    assert fourth == {}


async def _note_queries(connection: asyncpg.pool.PoolConnectionProxy, queries: list[str]) -> None:
    connection.add_query_logger(lambda logged: queries.append(logged.query))


@pytest.mark.parametrize("damage", ["moved", "flipped", "swapped", "unknown_key"])
async def test_a_changed_row_is_noticed(world: VaultWorld, damage: str) -> None:
    await world.stage(b"AAAA-1111\nBBBB-2222\n")
    rows = await world.pool.fetch("SELECT code_id, sealed, commitment FROM vault ORDER BY position")
    first, second = rows
    await world.pool.execute("ALTER TABLE vault DISABLE TRIGGER vault_keeps_its_codes")
    match damage:
        case "moved":
            value = second["sealed"]
        case "flipped":
            value = first["sealed"][:-1] + bytes([first["sealed"][-1] ^ 1])
        case "unknown_key":
            value = first["sealed"][:1] + b"\x00\x00\x27\x10" + first["sealed"][5:]
        case _:
            # Sealed by somebody who has the keys, so that only the commitment can tell.
            value = world.keys.seal("codes", first["code_id"].bytes, b"\x00" * 16 + b"USED-CODE")
    await world.pool.execute("UPDATE vault SET sealed = $2 WHERE code_id = $1", first["code_id"], value)

    with pytest.raises(VaultIsCorrupt) as corrupt:
        await world.vault.open_codes(SHOP, [str(first["code_id"])])
    assert corrupt.value.code_id == str(first["code_id"])
    assert "AAAA" not in str(corrupt.value)
    assert len(await world.vault.open_codes(SHOP, [str(second["code_id"])])) == 1


async def test_a_shop_exports_what_it_has_not_sold(world: VaultWorld) -> None:
    texts = [f"CODE-{number:07}" for number in range(2_500)]
    staged = await world.stage(file_of(texts))
    later = await world.stage(b"LATER-CODE-1\n")
    assert [one async for one in world.vault.export_unsold(SHOP, listing_id=LISTING)] == []
    await world.register(staged.import_id)
    await world.register(later.import_id)
    await world.pool.execute(
        """
        UPDATE codes SET is_free = false, stage = 'withdrawn'
        WHERE code_id IN (SELECT code_id FROM vault WHERE position = 7)
        """
    )
    del texts[7]
    exported = [one async for one in world.vault.export_unsold(SHOP, listing_id=LISTING)]
    assert [one.text for one in exported] == [*texts, "LATER-CODE-1"]
    only = [one async for one in world.vault.export_unsold(SHOP, listing_id=LISTING, batch_id=later.import_id)]
    assert [(one.text, one.position, one.batch_id) for one in only] == [("LATER-CODE-1", 0, later.import_id)]
    assert [one async for one in world.vault.export_unsold(OTHER_SHOP, listing_id=LISTING)] == []


async def test_recent_imports_newest_first(world: VaultWorld) -> None:
    ids = []
    for number in range(3):
        ids.append((await world.stage(f"CODE-000{number}\n".encode())).import_id)
        world.clock.at_ms += 1_000
    assert [record.import_id for record in await world.desk.recent(SHOP, imports_max=2)] == ids[:0:-1]
    assert await world.desk.recent(SHOP, listing_id=OTHER_SHOP) == []
    assert await world.desk.find(OTHER_SHOP, ids[0]) is None


async def test_single_bytes_arriving_are_enough(world: VaultWorld) -> None:
    staged = await world.stage(pieces("一号----密码\n二号----密码".encode(), piece=1))
    assert await opened_texts(world, staged.import_id) == ["一号----密码", "二号----密码"]


WRITTEN = "SWQDJ-7R3ZT-NAXY6"
OTHERWISE = ("swqdj-7r3zt-naxy6", "SWQDJ7R3ZTNAXY6", "swqdj 7r3zt naxy6")


async def reasons(world: VaultWorld, import_id: str) -> list[str]:
    rows = await world.pool.fetch("SELECT reason FROM import_refusals WHERE import_id = $1 ORDER BY line_no", import_id)
    return [row["reason"] for row in rows]


async def test_one_code_in_another_writing_is_the_same_code(world: VaultWorld) -> None:
    in_file = await world.stage(file_of((WRITTEN, *OTHERWISE)))
    assert (in_file.count, await reasons(world, in_file.import_id)) == (1, ["duplicate_in_file"] * 3)
    assert await opened_texts(world, in_file.import_id) == [WRITTEN], "it is kept as it was given"
    for shop_id, reason in ((SHOP, Reason.ALREADY_IN_YOUR_VAULT), (OTHER_SHOP, Reason.ALREADY_DEPOSITED)):
        again = await world.stage(file_of(("FRESH-CODE-" + shop_id[-6:], *OTHERWISE[:1])), shop_id=shop_id)
        assert (again.count, await reasons(world, again.import_id)) == (1, [reason])


async def test_of_two_writings_at_once_one_is_taken(world: VaultWorld) -> None:
    both = await asyncio.gather(
        world.stage(file_of((WRITTEN,))), world.stage(file_of((OTHERWISE[0],)), shop_id=OTHER_SHOP)
    )
    assert sorted(one.count for one in both) == [0, 1]


async def test_a_code_that_was_marked_by_its_very_writing_stays_unique(world: VaultWorld) -> None:
    """As codes were before writings were compared."""
    staged = await world.stage(file_of((OTHERWISE[0],)))
    async with world.pool.acquire() as connection:
        exact = world.keys.exact_fingerprint(OTHERWISE[0])
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE fingerprints SET fingerprint = $1", exact)
        await connection.execute("UPDATE vault SET fingerprint = $1", exact)
        await connection.execute("SET session_replication_role = origin")
    assert staged.count == 1
    again = await world.stage(file_of((OTHERWISE[0], "FRESH-CODE-0001")), shop_id=OTHER_SHOP)
    assert (again.count, await reasons(world, again.import_id)) == (1, ["already_deposited"])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 40, "picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(range(256)), "picture"),
        (b"PK\x03\x04\x14\0\x06\0xl/workbook.xml" + bytes(range(256)), "workbook"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "document"),
        (bytes(range(256)) * 3, "bytes"),
    ],
)
async def test_what_is_no_text_is_refused_whole(data: bytes, what: str, world: VaultWorld) -> None:
    with pytest.raises(ImportIsNoText) as refusal:
        await world.stage(data)
    assert refusal.value.details == {"what": what}
    assert await world.counts() == (0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"MZ-CODE-0001\nBM-CODE-0002\n", b"%PDF-CODE-0001\n", b"RIFF-AAAA-0001\nGIF8-BBBB-0001\n",
        "卡密一号-0001\n卡密二号-0002\n".encode("gb18030"), "卡密一号-0001\n".encode("utf-16"),
        "卡密一号-0001\n".encode("utf-16-le"), "MZ卡密一号-0001\n".encode(), b"AAAA-0001\x1a",
        b"\x00AAAA-0001\n" + b"B" * 90,
    ],
)  # fmt: skip
async def test_text_that_looks_odd_is_text(data: bytes, world: VaultWorld) -> None:
    assert (await world.stage(data)).count >= 1
