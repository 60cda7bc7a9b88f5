"""The whole public log of a demo world, byte by byte: no code, no address, nothing that anybody wrote, no salt, no key.

Everything that is sealed anywhere in the database is opened here and looked for in what strangers can fetch.
"""

import asyncio
import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import msgspec
import pytest

from browser_town import Town, served_town
from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.app import Opened
from fairkey.business.basics import Stream
from fairkey.business.crediting import Crediting
from fairkey.proofs.checkpoints import read_checkpoint
from fairkey.proofs.leaf import salt_of
from fairkey.proofs.notes import read_note
from fairkey.proofs.tiles import TiledTree, TileIsMissing
from fairkey.verifying.crediting import CreditFacts
from receipt_world import write_log

pytestmark = pytest.mark.slow

SEALING_KEY_BYTES = 32
TOO_SHORT = 4  # "CN", "5": such a value says nothing about where it comes from
NAMES_A_THING = re.compile(r"[A-Za-z0-9_.:+/=-]*")  # ids, hashes, words of ours, numbers of a provider
SAID_IN_PUBLIC = {
    # Who issues codes and for which products is public on purpose: everybody shall see whose word counts.
    ("issuer.registered", "name"),
    ("issuer.registered", "speaks_for"),
    ("issuer.scope_changed", "speaks_for"),
    ("shop.admitted", "basis"),  # one of two sentences of ours
    ("panel.requested", "category"),  # of the listing, which is public as it is
    ("panel.convened", "pool"),  # who might be drawn: pseudonym, side, categories, so that anybody draws again
}


@dataclass
class Sealed:
    """What must not be public. `words` are whole values: those of a field's list of allowed words are left out."""

    texts: set[str] = field(default_factory=set)
    keys: set[bytes] = field(default_factory=set)

    def forms(self) -> Iterator[tuple[str, bytes]]:
        """Everything as it could stand in bytes."""
        for text in self.texts:
            yield text, text.encode()
            yield text, json.dumps(text)[1:-1].encode()
            yield text, b64encode(text.encode()).rstrip(b"=")
        for key in self.keys:
            for form in (key, key.hex().encode(), b64encode(key).rstrip(b"="), urlsafe_b64encode(key).rstrip(b"=")):
                yield key.hex(), form


async def sealed_in(opened: Opened, connection: asyncpg.Connection) -> Sealed:
    """Every sealed field, its salts, every code with its salt, every address, every key of the log."""
    found = Sealed()
    rows = await connection.fetch("SELECT shop_id, stream_kind, stream_id, version, sealed FROM sealed_fields")
    for row in rows:
        stream = Stream(str(row["shop_id"]), row["stream_kind"], str(row["stream_id"]))
        plain = opened.keys.open("contacts", sealed_aad(stream, row["version"]), row["sealed"])
        key, values = plain[:SEALING_KEY_BYTES], msgspec.json.decode(plain[SEALING_KEY_BYTES:], type=dict[str, str])
        found.keys.add(key)
        found.keys.update(salt_of(key, name) for name in values)
        found.texts.update(values.values())
        if "terms" in values:
            found.texts.update(_texts_in(json.loads(values["terms"])))
    for shop_id in {str(row["shop_id"]) for row in await connection.fetch("SELECT shop_id FROM vault")}:
        codes = await connection.fetch("SELECT code_id FROM vault WHERE shop_id = $1", shop_id)
        ids = [str(row["code_id"]) for row in codes]
        for code in (await opened.house.vault.open_codes(shop_id, ids)).values():
            found.texts.add(code.text)
            found.keys.add(code.salt)
    for row in await connection.fetch("SELECT account_id FROM accounts"):
        found.texts.add(await opened.house.people.accounts.email_of(str(row["account_id"])) or "")
    found.texts.update(row["display_name"] for row in await connection.fetch("SELECT display_name FROM accounts"))
    return found


def _texts_in(value: object) -> Iterator[str]:
    """What a merchant wrote in the terms of a listing."""
    if isinstance(value, dict):
        for name in ("product", "instructions", "after_sale", "edition", "face_value"):
            if isinstance(value.get(name), str):
                yield value[name]


def public_bytes(folder: Path) -> dict[str, bytes]:
    """Every file that is served."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".new" not in path.parts
    }


@pytest.fixture(scope="module")
def town(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A demo world of its own."""

    async def make() -> None:
        connection = await asyncpg.connect(postgres.dsn("postgres"))
        try:
            await connection.execute('CREATE DATABASE "log_town" TEMPLATE "fairkey_template"')
        finally:
            await connection.close()

    made = threading.Thread(target=lambda: asyncio.run(make()))
    made.start()
    made.join()
    with served_town(postgres.dsn("log_town"), tmp_path_factory.mktemp("log_town")) as town:
        yield town


async def _log_and_look(town: Town) -> tuple[Sealed, int]:
    dsn = town.opened.house.settings.database_url
    await write_log(town.opened, dsn)
    connection = await asyncpg.connect(dsn)
    try:
        return await sealed_in(town.opened, connection), await connection.fetchval("SELECT count(*) FROM events")
    finally:
        await connection.close()


def _entries(files: dict[str, bytes]) -> list[bytes]:
    def fetch(path: str) -> bytes:
        try:
            return files[path]
        except KeyError:
            raise TileIsMissing(path) from None

    size = read_checkpoint(read_note(files["checkpoint"]).text).size
    return list(TiledTree(fetch, size).entries(0, size))


def _strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings_in(inner)


def test_nothing_sealed_stands_in_the_public_log(town: Town) -> None:
    sealed, events = town.run(_log_and_look(town))
    folder = town.folder / "log" / "1"
    files = public_bytes(folder)
    size = read_checkpoint(read_note(files["checkpoint"]).text).size
    assert size >= events - 50, "the worker may have gone on meanwhile"
    assert size > 100
    assert len(sealed.texts) > 100
    assert town.world.codes
    assert set(town.world.contacts) & sealed.texts

    entries = _entries(files)
    assert len(entries) == size
    everything = b"\n".join(files.values())
    spoken = b"\n".join(json.dumps(json.loads(entry), ensure_ascii=False).encode() for entry in entries)
    leaked = {
        said for said, form in sealed.forms() if len(form) >= TOO_SHORT and (form in everything or form in spoken)
    }
    kinds = {
        (json.loads(entry)["kind"], said)
        for entry in entries
        for said in list(leaked)[:20]
        if said in json.dumps(json.loads(entry)["public"], ensure_ascii=False)
    }
    assert not leaked, sorted(kinds) or sorted(leaked)[:20]
    assert all(code.encode() not in everything for code in town.world.codes)
    assert all(contact.encode() not in everything for contact in town.world.contacts)


def test_public_fields_have_no_room_for_what_people_write(town: Town) -> None:
    """Whatever somebody forgets to seal shows here: no public text holds a space, an @ or a Chinese character."""
    town.run(_log_and_look(town))
    spoken = [
        (entry["kind"], name, text)
        for entry in map(json.loads, _entries(public_bytes(town.folder / "log" / "1")))
        for name, value in entry["public"].items()
        if (entry["kind"], name) not in SAID_IN_PUBLIC
        for text in _strings_in(value)
    ]
    assert len(spoken) > 100
    assert [one for one in spoken if not NAMES_A_THING.fullmatch(one[2])] == []


def test_the_looking_finds_what_is_there(town: Town) -> None:
    """The test above would be worth nothing if it could not see."""
    sealed, _ = town.run(_log_and_look(town))
    forms = {form for _, form in sealed.forms()}
    code = next(iter(town.world.codes))
    assert code.encode() in forms
    assert next(iter(sealed.keys)).hex().encode() in forms


Kept = dict[str, tuple[Crediting, int, int]]


async def _kept(town: Town) -> Kept:
    """Each shop's meter, free deposit and unsettled value as the house itself has them."""
    questions, now_ms = town.opened.house.questions, town.opened.house.now_ms()
    found = {}
    for shop in await questions.floor.shops():
        exposure = await questions.deposits.exposure(shop.shop_id, now_ms)
        found[shop.shop_id] = (
            await questions.credit.crediting(shop.shop_id),
            (await questions.deposits.deposit(shop.shop_id)).free_fen,
            exposure.open_fen + exposure.window_fen,
        )
    return found


async def _kept_and_logged(town: Town) -> Kept:
    """The same, when all of it is in the log; an order of the town may end at any moment."""
    kept = await _kept(town)
    while True:
        await write_log(town.opened, town.opened.house.settings.database_url)
        again = await _kept(town)
        if again == kept:
            return kept
        kept = again


def test_the_log_alone_gives_the_credit_that_the_house_acts_on(town: Town) -> None:
    shops, now_ms = town.run(_kept_and_logged(town)), town.opened.house.now_ms()
    entries = _entries(public_bytes(town.folder / "log" / "1"))
    told = []
    for some in (entries, entries[::-1]):
        with CreditFacts() as facts:
            facts.add(0, some)
            told.append(dict(facts.accounts(now_ms)))
    assert told[0] == told[1], "the order in the log changes nothing"
    assert sum(account.published == "matches" for account in told[0].values()) >= 2
    for shop_id, account in told[0].items():
        crediting, free_fen, unsettled_fen = shops[shop_id]
        assert account.differences == ()
        assert (account.figures.meter, account.figures.band) == (crediting.meter, crediting.band)
        assert (account.figures.deposit_free_fen, account.figures.unsettled_fen) == (free_fen, unsettled_fen)


def test_a_line_that_no_order_bears_out_is_seen(town: Town) -> None:
    town.run(_kept_and_logged(town))
    entries = _entries(public_bytes(town.folder / "log" / "1"))
    moved = next(entry for entry in entries if json.loads(entry)["kind"] == "credit.changed")
    leaf = json.loads(moved)
    leaf["public"]["meter"] += 1
    with CreditFacts(leaf["shop"]) as facts:
        facts.add(0, [json.dumps(leaf).encode() if entry == moved else entry for entry in entries])
        [(_, account)] = facts.accounts(town.opened.house.now_ms())
    assert account.published == "differs"
    with CreditFacts(leaf["shop"]) as facts:
        facts.add(0, [entry for entry in entries if entry != moved])
        [(_, account)] = facts.accounts(town.opened.house.now_ms())
    assert account.published == "differs"
