"""Asking witnesses that are dead, slow, ahead or lying: none is believed, and none holds the others up."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from api_world import settings_for
from fairkey.adapters.log.witnesses import PAUSE_FIRST_S, TRIES, HttpWitnesses
from fairkey.app.log_places import witnesses_named
from fairkey.demo.stage import bound_socket
from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.merkle import leaf_hash, merkle_root
from fairkey.proofs.notes import COSIGNATURE, Note, cosign_note, signature_line, signer_key, with_signatures
from fairkey.proofs.policies import WitnessKey
from fairkey.settings import SettingsRefused

HOST = "127.0.0.1"
LOG = signer_key("shop.example/log", b"L" * 32)
ASH = signer_key("ash.example", b"A" * 32, COSIGNATURE)
OAK = signer_key("oak.example", b"O" * 32, COSIGNATURE)
AT_S = 1_790_000_000
SIZE = 3
NOTE = sign_checkpoint(Checkpoint(LOG.verifier.name, SIZE, merkle_root([leaf_hash(b"x")] * SIZE)), LOG)
LINE = signature_line(cosign_note(NOTE.text, ASH, AT_S))

Answering = Callable[[asyncio.StreamWriter], None]


def answer(status: str, text: bytes, *headers: str) -> Answering:
    """An HTTP answer, byte by byte as a server of anybody's could send it."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(text)}", "connection: close", *headers, "", ""]
    return lambda writer: writer.write("\r\n".join(lines).encode() + text)


def size_is(size: object) -> Answering:
    return answer("409 Conflict", f"{size}\n".encode(), "content-type: text/x.tlog.size")


def silence(writer: asyncio.StreamWriter) -> None:
    """Nothing, for ever."""


def endless(writer: asyncio.StreamWriter) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    writer.write(head + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 40)


@dataclass(slots=True)
class Server:
    """Gives each request the next of its answers, the last one for ever; remembers what was asked."""

    answers: list[Answering]
    asked: list[bytes] = field(default_factory=list)
    url: str = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
            self.asked.append(head.split(b"\r\n")[0] + b"\n" + body)
            answering = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            answering(writer)
            if answering is silence:
                await reader.read()  # until the other side gives up
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def serving(*answers: Answering) -> AsyncIterator[Server]:
    server = Server(list(answers))
    with bound_socket(HOST, 0) as at:
        server.url = f"http://{HOST}:{at.getsockname()[1]}"
        async with await asyncio.start_server(server, sock=at):
            yield server


@dataclass(slots=True)
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


async def prove(size_before: int) -> Sequence[bytes]:
    return [bytes([size_before]) * 32]


def ash(url: str) -> WitnessKey:
    return WitnessKey("ash", ASH.verifier, url)


def witness(http: httpx.AsyncClient, url: str, clock: Clock | None = None, within_s: float = 20) -> HttpWitnesses:
    return HttpWitnesses(LOG.verifier, [ash(url)], http, within_s=within_s, clock_s=clock or Clock())


def refusing_url() -> str:
    """Where nobody listens."""
    with bound_socket(HOST, 0) as at:
        return f"http://{HOST}:{at.getsockname()[1]}"


LIES = {
    "another's key": (answer("200 OK", signature_line(cosign_note(NOTE.text, OAK, AT_S))), "with another key"),
    "another text": (answer("200 OK", signature_line(cosign_note(b"a\n1\nb\n", ASH, AT_S))), "does not fit"),
    "a later moment": (
        answer("200 OK", signature_line(cosign_note(NOTE.text, ASH, AT_S)._replace(payload=bytes(72)))),
        "does not fit",
    ),
    "garbage": (answer("200 OK", b"\xff\x00 hello"), "no cosignature"),
    "nothing": (answer("200 OK", b""), "no cosignature"),
    "a redirect": (answer("307 Temporary Redirect", b"", "location: http://127.0.0.1:1/"), r"refused \(307\)"),
    "a fork": (answer("422 Unprocessable", b"two histories\x1b[2J\nmore"), r"refused \(422\): two histories\[2J$"),
    "too long": (endless, "does not answer: ReadError"),
    "no HTTP": (lambda writer: writer.write(b"SSH-2.0-x\r\n\r\n"), "does not answer: RemoteProtocolError"),
    "no end": (lambda writer: writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"), "does not answer"),
    "a size that is none": (size_is("many"), r"refused \(409\): many"),
    "a size as text": (answer("409 Conflict", b"1\n", "content-type: text/plain"), r"refused \(409\)"),
    "ahead": (size_is(10), "has seen 10 entries, more than the 3 of this log"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_no_cosignature_and_is_told(http: httpx.AsyncClient, lie: str) -> None:
    answering, said = LIES[lie]
    async with serving(answering) as server:
        asked = witness(http, server.url)
        assert list(await asked.cosign(NOTE, prove)) == []
        assert list(asked.answers) == ["ash"]
        assert re.search(said, asked.answers["ash"])


async def test_who_is_behind_is_given_the_proof_from_where_he_is(http: httpx.AsyncClient) -> None:
    async with serving(size_is(2), answer("200 OK", LINE)) as server:
        asked = witness(http, server.url)
        assert [signature_line(one) for one in await asked.cosign(NOTE, prove)] == [LINE]
        assert [request.split(b"\n")[1] for request in server.asked] == [b"old 0", b"old 2"]
        assert server.asked[1].endswith(b"\nAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n\n" + NOTE.encode())
        assert asked.answers == {"ash": "cosigned 3 entries"}


async def test_another_size_each_time_ends(http: httpx.AsyncClient) -> None:
    async with serving(size_is(1), size_is(2), size_is(1), size_is(2), size_is(1)) as server:
        asked = witness(http, server.url)
        assert list(await asked.cosign(NOTE, prove)) == []
        assert len(server.asked) == TRIES
        assert asked.answers == {"ash": "gave another size each time it was asked"}


async def test_a_size_it_said_once_is_not_held_against_it(http: httpx.AsyncClient) -> None:
    async with serving(size_is(10), answer("200 OK", LINE)) as server:
        asked = witness(http, server.url)
        assert list(await asked.cosign(NOTE, prove)) == []
        assert [signature_line(one) for one in await asked.cosign(NOTE, prove)] == [LINE]


async def test_lines_beside_the_witness_s_own_are_left_out(http: httpx.AsyncClient) -> None:
    other = signature_line(cosign_note(NOTE.text, OAK, AT_S))
    async with serving(answer("200 OK", other + LINE)) as server:
        assert [signature_line(one) for one in await witness(http, server.url).cosign(NOTE, prove)] == [LINE]


async def test_a_dead_or_silent_one_holds_nobody_up_and_is_given_a_rest(http: httpx.AsyncClient) -> None:
    clock = Clock()
    async with serving(answer("200 OK", LINE)) as good, serving(silence) as silent:
        others = [
            WitnessKey(name, signer_key(f"{name}.example", bytes([seed]) * 32, COSIGNATURE).verifier, url)
            for seed, (name, url) in enumerate([("dead", refusing_url()), ("silent", silent.url), ("nowhere", "")])
        ]
        asked = HttpWitnesses(LOG.verifier, [*others, ash(good.url)], http, within_s=0.3, clock_s=clock)
        for _ in range(2):
            assert [one.name for one in await asked.cosign(NOTE, prove)] == ["ash.example"]
        assert len(silent.asked) == 1, "it rests"
        assert asked.answers == {
            "dead": "does not answer: ConnectError",
            "silent": "does not answer: TimeoutError",
            "nowhere": "has no address in the policy",
            "ash": "cosigned 3 entries",
        }
        clock.now_s += PAUSE_FIRST_S
        await asked.cosign(NOTE, prove)
        assert len(silent.asked) == 2
        clock.now_s += PAUSE_FIRST_S
        await asked.cosign(NOTE, prove)
        assert len(silent.asked) == 2, "the rest grows"
        silent.answers[:] = [answer("403 Forbidden", b"no")]
        clock.now_s += PAUSE_FIRST_S
        await asked.cosign(NOTE, prove)
        await asked.cosign(NOTE, prove)
        assert len(silent.asked) == 4, "who answers is asked each time"


def shown(note: Note, *keys: object) -> bytes:
    return with_signatures(note, [cosign_note(note.text, key, AT_S) for key in keys if key in (ASH, OAK)]).encode()


OTHER_LOG = sign_checkpoint(Checkpoint("rival.example/log", 3, bytes(32)), signer_key("rival.example/log", b"R" * 32))
LATEST = {
    "nothing yet": (answer("404 Not Found", b""), b"", "has cosigned nothing yet"),
    "one of ours": (answer("200 OK", shown(NOTE, ASH)), shown(NOTE, ASH), "cosigned 3 entries"),
    "not cosigned": (answer("200 OK", NOTE.encode()), None, "that it has not cosigned"),
    "cosigned by another": (answer("200 OK", shown(NOTE, OAK)), None, "that it has not cosigned"),
    "another log": (answer("200 OK", shown(OTHER_LOG, ASH)), None, "no checkpoint of this log"),
    "garbage": (answer("200 OK", b"\xff"), None, "no checkpoint of this log"),
    "broken": (answer("500 Oops", b"oh"), None, r"refused \(500\): oh"),
    "too long": (endless, None, "does not answer"),
}


@pytest.mark.parametrize("case", LATEST)
async def test_what_a_witness_saw_last_is_believed_only_under_both_keys(http: httpx.AsyncClient, case: str) -> None:
    answering, found, said = LATEST[case]
    async with serving(answering) as server:
        asked = witness(http, server.url)
        assert await asked.latest() == ({} if found is None else {"ash": found})
        assert re.search(said, asked.answers["ash"])


async def test_a_dead_one_is_not_known_to_have_seen_nothing(http: httpx.AsyncClient) -> None:
    asked = witness(http, refusing_url())
    assert await asked.latest() == {}
    assert asked.answers == {"ash": "does not answer: ConnectError"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be read: No such file"),
        ("witness ash nonsense\nquorum ash\n", "is no policy file"),
        (f"witness ash {ASH.verifier}\nquorum ash\n", "ash of .* has no address to be asked at"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_in_words(tmp_path: Path, text: str | None, sentence: str) -> None:
    file = tmp_path / "policy"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    settings = settings_for("postgresql://nowhere/", tmp_path, FAIRKEY_WITNESSES=str(file))
    with pytest.raises(SettingsRefused, match=sentence):
        witnesses_named(settings)
