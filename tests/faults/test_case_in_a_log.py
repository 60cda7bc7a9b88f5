"""A sealed list in the public log of a whole house: promise, receipt, pack; away, late, twice, dying, and liars."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api_world import World, a_world
from case_world import BEGAN_MS, a_case, given
from fairkey.casework.checking import BAD, GOOD, LEFT, check_case
from fairkey.casework.folder import CaseFolder
from fairkey.casework.pack.checking import check_pack
from fairkey.casework.pack.making import make_pack
from fairkey.casework.receipts import (
    Log,
    Logged,
    LogIsAway,
    ask_log,
    log_lists,
    promise_path,
    receipt_path,
    remember,
    remembered,
)
from fairkey.casework.stamping import Authority, TsaIsAway, ask_authority, close_list, list_folders
from fairkey.cli.case import case
from fairkey.demo.stage import bound_socket, listening
from fairkey.proofs.notes import signer_key
from fairkey.proofs.policies import NONE, LogKey, Policy
from receipt_world import policy, write_log
from tsa_world import served

pytestmark = pytest.mark.pg

LOG = Log("shop", "http://shop.example")


@dataclass
class Asking:
    """A case's way to a house in this process; what was asked, and what is answered instead, by method."""

    world: World
    dsn: str
    loop: asyncio.AbstractEventLoop
    instead: dict[str, Callable[[int, bytes], tuple[int, bytes]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    waits: int = 0
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def ask(self, method: str, address: str, body: bytes | None) -> tuple[int, bytes]:
        """As `ask_log`."""
        path = address.removeprefix(LOG.url)
        self.asked.append(f"{method} {path.rpartition('/')[2]}")

        async def send() -> tuple[int, bytes]:
            if body is not None:
                answer = await self.world.post(path, json.loads(body))
            else:
                answer = await self.world.get(path)
            return answer.status_code, answer.content

        came = asyncio.run_coroutine_threadsafe(send(), self.loop).result(20)
        return self.instead[method](*came) if method in self.instead else came

    def wait(self, _: float) -> None:
        """Meanwhile the log is written."""
        self.waits += 1
        asyncio.run_coroutine_threadsafe(self._write(), self.loop).result(20)

    async def _write(self) -> None:
        async with self.writing:
            await write_log(self.world.opened, self.dsn)

    async def log(
        self, folder: CaseFolder, trusted: Policy, wait: Callable[[float], object] | None = None
    ) -> list[Logged]:
        """Ask for what is missing."""
        return await asyncio.to_thread(
            log_lists, folder, [LOG], trusted, at_ms=BEGAN_MS + 9000, ask=self.ask, wait=wait or self.wait
        )


@pytest.fixture
async def asking(database_url: str, tmp_path: Path) -> AsyncIterator[Asking]:
    async with a_world(database_url, tmp_path / "house") as world:
        yield Asking(world, database_url, asyncio.get_running_loop())


@pytest.fixture
def folder(tmp_path: Path) -> CaseFolder:
    folder = a_case(tmp_path / "case")
    given(folder, "a.txt", b"hello")
    close_list(folder, at_ms=BEGAN_MS + 2000)
    return folder


async def typed(*words: str | Path) -> Result:
    """`fairkey case …`, while the house goes on."""
    machine = CliRunner(env={"FAIRKEY_LANG": "zh", "FAIRKEY_POLICY": "/nowhere/policy", "FAIRKEY_TSA_URLS": ""})
    return await asyncio.to_thread(machine.invoke, case, [str(one) for one in words])


async def test_a_list_is_promised_then_proven_and_goes_along_in_a_pack(
    asking: Asking, folder: CaseFolder, tmp_path: Path
) -> None:
    trusted = await policy(asking.world.opened)
    (done,) = await asking.log(folder, trusted)
    assert done.entry is not None, done.refused
    assert done.entry.origin == trusted.logs[0].key.name
    assert asking.asked == ["POST seals", "GET receipt", "GET receipt"]
    assert asking.waits == 1
    assert folder.read().files[0].seal.receipt_entry == done.entry.number
    assert await asking.log(folder, trusted) == [], "what is there is not asked for again"
    states = {one.step: one.state for one in check_case(folder, policy=trusted)}
    assert states["place"] == GOOD
    assert {one.step: one.state for one in check_case(folder)}["place"] == LEFT

    made = make_pack(folder, tmp_path / "pack")
    for path in (made.folder, made.zip):
        found = {one.step: one for one in check_pack(path, policy=trusted)}
        assert found["place"].state == GOOD, found["place"]
        assert f"entry {done.entry.number} of the log {done.entry.origin}" in found["place"].sentence
        assert {one.step: one.state for one in check_pack(path)}["place"] == LEFT
    kept = made.folder / "seals" / "0001" / "shop.fairkey-receipt"
    kept.write_bytes(kept.read_bytes().replace(b"index ", b"index 1", 1))
    assert {one.step: one.state for one in check_pack(made.folder, policy=trusted)}["place"] == BAD


async def test_another_log_is_not_believed(asking: Asking, folder: CaseFolder) -> None:
    mine = await policy(asking.world.opened)
    stranger = signer_key(mine.logs[0].key.name, bytes(32)).verifier
    (done,) = await asking.log(folder, Policy((LogKey(stranger, ""),), (), (), NONE))
    assert done.entry is None
    assert "promise that does not hold" in done.refused
    assert list(folder.seals.rglob("*.fairkey-*")) == []
    (again,) = await asking.log(folder, mine)
    assert again.entry is not None


async def test_what_was_promised_and_never_proven_waits_and_is_had_later(asking: Asking, folder: CaseFolder) -> None:
    trusted = await policy(asking.world.opened)
    (early,) = await asking.log(folder, trusted, wait=lambda _: None)
    assert early.entry is None
    assert early.refused == "has promised it, and its receipt is not there yet"
    place = list_folders(folder)[0]
    assert promise_path(place, LOG.name).exists()
    assert not receipt_path(place, LOG.name).exists()
    await write_log(asking.world.opened, asking.dsn)
    asking.asked.clear()
    (late,) = await asking.log(folder, trusted)
    assert late.entry is not None
    assert asking.asked == ["GET receipt"], "the promise is kept"


async def test_a_log_that_was_begun_anew_is_asked_anew(asking: Asking, folder: CaseFolder) -> None:
    trusted = await policy(asking.world.opened)
    await asking.log(folder, trusted, wait=lambda _: None)
    kept = promise_path(list_folders(folder)[0], LOG.name)
    before = kept.read_bytes().replace(b"\n", b"\n ", 1)
    kept.write_bytes(before)
    (done,) = await asking.log(folder, trusted)
    assert done.entry is not None, done.refused
    promises = sorted(kept.parent.glob("*.fairkey-promise"))
    assert [one.read_bytes() == before for one in promises].count(True) == 1
    assert len(promises) == 2


async def test_whatever_dies_the_list_is_told_of_once(asking: Asking, folder: CaseFolder) -> None:
    def died(_: int, __: bytes) -> tuple[int, bytes]:
        raise LogIsAway("cannot be reached (it died)")

    trusted = await policy(asking.world.opened)
    before = (folder.journal.read_bytes(), folder.document.read_bytes())
    for dies_at in ("POST", "GET"):
        asking.instead = {dies_at: died}
        (done,) = await asking.log(folder, trusted)
        assert done.refused == "cannot be reached (it died)"
    asking.instead = {}
    assert (await asking.log(folder, trusted))[0].entry is not None
    folder.journal.write_bytes(before[0])  # dies after the receipt was kept, before it was noted
    folder.document.write_bytes(before[1])
    assert await asking.log(folder, trusted) == []
    assert folder.read().files[0].seal.receipt_entry >= 0
    count = await asking.world.opened.pool.fetchval("SELECT count(*) FROM events WHERE kind = 'evidence.sealed'")
    assert count == 1


async def test_two_at_once_have_the_same_entry(asking: Asking, folder: CaseFolder) -> None:
    trusted = await policy(asking.world.opened)
    await asyncio.gather(asking.log(folder, trusted), asking.log(folder, trusted))
    assert folder.read().files[0].seal.receipt_entry >= 0
    assert {one.state for one in check_case(folder, policy=trusted)} <= {GOOD, LEFT}


LIES: dict[str, tuple[str, Callable[[int, bytes], tuple[int, bytes]], str]] = {
    "nothing": ("POST", lambda _, __: (201, b""), "sends no promise"),
    "no JSON": ("POST", lambda _, __: (201, b"[" * 50_000), "sends no promise"),
    "no promise": ("POST", lambda _, __: (201, b'{"sha256": "00", "promise": 7}'), "answers about another hash"),
    "refused": ("POST", lambda _, __: (429, b""), "answers HTTP 429"),
    "gone": ("GET", lambda _, __: (404, b""), "answers HTTP 404"),
    "no receipt": ("GET", lambda _, __: (200, b"{}"), "does not hold"),
    "a receipt of the past": ("GET", lambda _, __: (200, b"x" * 1000), "does not hold"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_what_a_log_says_wrongly_is_not_kept(lie: str, asking: Asking, folder: CaseFolder) -> None:
    method, answer, sentence = LIES[lie]
    asking.instead = {method: answer}
    (done,) = await asking.log(folder, await policy(asking.world.opened))
    assert done.entry is None
    assert sentence in done.refused
    assert list(folder.seals.rglob("*.fairkey-receipt")) == []


async def test_the_receipt_of_another_list_is_refused(asking: Asking, folder: CaseFolder, tmp_path: Path) -> None:
    trusted = await policy(asking.world.opened)
    other = a_case(tmp_path / "other")
    given(other, "b.txt", b"other")
    close_list(other, at_ms=BEGAN_MS + 3000)
    assert (await asking.log(other, trusted))[0].entry is not None
    stranger = receipt_path(list_folders(other)[0], LOG.name).read_bytes()
    asking.instead = {"GET": lambda _, __: (200, stranger)}
    (done,) = await asking.log(folder, trusted)
    assert done.refused == "sends the receipt of something else"
    receipt_path(list_folders(folder)[0], LOG.name).write_bytes(stranger)
    assert [one.step for one in check_case(folder, policy=trusted) if one.state == BAD] == ["place"]


def test_a_case_remembers_its_logs(folder: CaseFolder) -> None:
    assert remembered(folder) == ([], None)
    key = signer_key("shop.example/log", bytes(32)).verifier
    trusted = Policy((LogKey(key, ""),), (), (), NONE)
    remember(folder, [LOG], trusted)
    remember(folder, [Log("two", "https://two.example")], trusted)
    logs, read = remembered(folder)
    assert sorted(logs) == [LOG, Log("two", "https://two.example")]
    assert read is not None
    assert [one.key for one in read.logs] == [key]
    for name in ("logs.json", "policy"):
        (folder.seals / name).write_bytes(b"[[[")
        assert remembered(folder) == ([], None)


def test_over_http_answers_are_bounded_and_stay_where_they_are() -> None:
    with served(lambda _: (200, b"x" * 300_000)) as url, pytest.raises(LogIsAway, match="too long"):
        ask_log("POST", url, b"{}")
    with served(lambda _: (503, b"")) as url:
        assert ask_log("POST", url, b"{}") == (503, b"")
    with served(lambda _: (302, b"")) as url:
        assert ask_log("POST", url, b"{}")[0] == 302
    for address in ("file:///etc/hostname", "http://127.0.0.1:1/"):
        with pytest.raises(LogIsAway):
            ask_log("GET", address, None)


@pytest.mark.parametrize(
    "reply",
    [
        b"\x1b[2Jno status\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
    ids=["no_status", "bad_chunk", "endless_header"],
)
def test_what_is_not_http_is_said_to_be_so(reply: bytes) -> None:
    for ask in (lambda url: ask_log("POST", url, b"{}"), lambda url: ask_authority(Authority("one", url), b"")):
        with (
            answering(reply) as url,
            pytest.raises((LogIsAway, TsaIsAway), match="answers something that is no HTTP"),
        ):
            ask(url)


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """A server on loopback that answers one connection with these bytes, whatever it is asked. Its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                with suppress(OSError):
                    connection.sendall(reply)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


async def test_from_the_command_line(
    database_url: str, tmp_path: Path, folder: CaseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`seal` asks, `verify` checks offline, `pack` asks again for what waits; without a policy nothing is asked."""
    monkeypatch.setattr("fairkey.casework.receipts.PAUSE_S", 0)
    async with a_world(database_url, tmp_path / "house") as world:
        trusted = tmp_path / "policy"
        trusted.write_text(str(await policy(world.opened)), encoding="utf-8")
        with bound_socket("127.0.0.1", 0) as at:
            address = f"http://127.0.0.1:{at.getsockname()[1]}"
            async with listening(world.app, at):
                refused = await typed("seal", folder.path, "--log", address)
                assert refused.exit_code == 2
                assert "--policy" in refused.output
                words = ("seal", folder.path, "--log", f"shop={address}", "--policy", trusted, "--json")
                early = await typed(*words)
                assert early.exit_code == 3, early.output
                assert json.loads(early.stdout)["entries"][0]["refused"].startswith("has promised it")
                await write_log(world.opened, database_url)
                packed = await typed("pack", folder.path, "-o", tmp_path / "pack", "--json")
                assert packed.exit_code == 0, packed.output
        assert folder.read().files[0].seal.receipt_entry >= 0
        told = await typed("verify", folder.path, "--policy", trusted)
        assert told.exit_code == 0, told.output
        assert "的第" in told.output
        away = await typed("seal", folder.path, "--json")
        assert json.loads(away.stdout)["entries"] == [], "nothing waits"
        given(folder, "b.txt", b"more")
        waits = await typed("seal", folder.path, "--json")
        assert "cannot be reached" in json.loads(waits.stdout)["entries"][0]["refused"]
        assert waits.exit_code == 3
