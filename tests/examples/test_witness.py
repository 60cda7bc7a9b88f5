"""A witness, asked at its own door (C2SP tlog-witness v1.0.0): what it cosigns, what it refuses, what it remembers."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from fairkey.proofs.merkle import EMPTY_ROOT
from fairkey.proofs.notes import (
    COSIGNATURE,
    ED25519,
    SIGNATURES_MAX,
    Note,
    Signature,
    VerifierKey,
    read_note,
    read_signature_lines,
    read_vkey,
    signer_key,
    verified_signatures,
    with_signatures,
)
from fairkey.witness.judging import REQUEST_BYTES_MAX
from fairkey.witness.keeping import KEY_FILE, SEEN_FILE, CannotKeep, logs_watched
from fairkey.witness.seen import BACKWARDS_MAX_S, SeenLogs
from fairkey.witness.serving import AT_ONCE, Message, WitnessApp
from witness_world import LOG, NAME, NOW_S, ORIGIN, Witness, checkpoint_of, figures_of, leaves, request, typed

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "witness_add_checkpoint.json").read_text("utf-8"))
OTHER = signer_key(ORIGIN, b"O" * 32)


@asynccontextmanager
async def asking(app: WitnessApp, host: str = "192.0.2.1") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=(host, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://witness.example/some/prefix") as http:
        yield http


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "w")


async def answer(witness: Witness, *bodies: bytes) -> httpx.Response:
    """Its answer to the last of these."""
    with witness.opened() as (app, _, _):
        async with asking(app) as http:
            for body in bodies:
                last = await http.post("/add-checkpoint", content=body)
    return last


async def test_the_public_vectors_in_order(witness: Witness) -> None:
    key = VerifierKey(VECTORS["origin"], ED25519, bytes.fromhex(VECTORS["log_ed25519_pub_hex"]))
    witness.logs = {key.name: (key,)}
    witness.name = "example.com/witness"
    wanted = [(case["name"], case["status"]) for case in VECTORS["cases"]]
    found = []
    with witness.opened() as (app, _, _):
        async with asking(app) as http:
            for case in VECTORS["cases"]:
                got = await http.post("/add-checkpoint", content=case["body"].encode())
                found.append((case["name"], got.status_code))
                assert case["body_contains"] in got.text
                assert (got.headers["content-type"] == "text/x.tlog.size") == (case["status"] == 409)
    assert found == wanted
    assert len(wanted) == 11


async def test_what_it_cosigns_verifies_and_is_shown_to_monitors(witness: Witness) -> None:
    with witness.opened() as (app, _, key):
        async with asking(app) as http:
            address = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
            assert (await http.get(address)).status_code == 404
            got = await http.post("/add-checkpoint", content=request(0, 5))
            shown = await http.get(address)
            head = await http.head(address)
    assert (got.status_code, got.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    lines = read_signature_lines(got.content)
    sent = read_note(checkpoint_of(5))
    assert [one.at_s for one in verified_signatures(Note(sent.text, lines), [key.verifier])] == [NOW_S]
    assert shown.content == with_signatures(sent, lines).encode()
    checkpoint, note = open_checkpoint(shown.content, LOG.verifier)
    assert checkpoint.size == 5
    assert verified_signatures(note, [key.verifier])
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(shown.content))


async def test_the_same_checkpoint_again_is_cosigned_again(witness: Witness) -> None:
    assert (await answer(witness, request(0, 5), request(5, 5))).status_code == 200


async def test_an_empty_log_is_cosigned(witness: Witness) -> None:
    assert (await answer(witness, request(0, 0), request(0, 3))).status_code == 200


def flipped(body: bytes) -> bytes:
    """With another signature under it that still reads as one."""
    at = body.rindex(b" ") + 20
    return body[:at] + (b"B" if body[at : at + 1] != b"B" else b"C") + body[at + 1 :]


GROWN = request(2, 5)
REFUSED = {
    "nothing": (b"", 400, "invalid input"),
    "no empty line": (b"old 0", 400, "invalid input"),
    "no old size": (b"new 0\n\n" + checkpoint_of(5), 400, "invalid input"),
    "old size with a zero before it": (b"old 02\n\n" + checkpoint_of(5), 400, "no decimal"),
    "old size with a sign": (b"old +2\n\n" + checkpoint_of(5), 400, "no decimal"),
    "old size with digits of others": ("old ٢\n\n".encode() + checkpoint_of(5), 400, "no decimal"),
    "old size without end": (b"old " + b"9" * 5000 + b"\n\n" + checkpoint_of(5), 400, "no decimal"),
    "64 lines of proof": (b"old 2\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + checkpoint_of(5), 400, "many"),
    "a short hash": (b"old 2\nAAAA\n\n" + checkpoint_of(5), 400, "32 bytes"),
    "no base64": (b"old 2\n!!!\n\n" + checkpoint_of(5), 400, "base64"),
    "no UTF-8": (b"old 2\n\n\xff\n1\nx\n\n", 400, "invalid input"),
    "an extension line": (GROWN.replace(b"\n5\n", b"\n5\nmore\n"), 400, "invalid checkpoint"),
    "101 signatures": (GROWN + GROWN.splitlines(keepends=True)[-1] * SIGNATURES_MAX, 400, "too many signatures"),
    "old larger than the checkpoint": (request(5, 4), 400, "larger"),
    "too long": (b"old 0\n\n" + b"x" * REQUEST_BYTES_MAX, 413, "too long"),
    "another origin": (request(0, 5, key=signer_key("other.example/log", b"L" * 32)), 404, "unknown log"),
    "not signed by its log": (request(2, 5, key=OTHER), 403, "none of the keys"),
    "a broken signature": (flipped(GROWN), 403, "does not fit"),
    "another size under the signature": (GROWN.replace(b"\n5\n", b"\n6\n"), 403, "does not fit"),
    "an old size it never saw": (request(1, 5), 409, "2\n"),
    "probed with nothing": (request(0, 5), 409, "2\n"),
    "a size it has left behind": (request(1, 1), 409, "2\n"),
    "no proof": (b"old 2\n\n" + checkpoint_of(5), 422, "does not show"),
    "a proof too long": (GROWN.replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1), 422, "does not show"),
    "a proof for the same size": (b"old 2\n" + b"A" * 43 + b"=\n\n" + checkpoint_of(2), 422, "does not show"),
    "another history, grown": (request(2, 5, forked_at=1), 422, "does not show"),
    "another history, same size": (request(2, 2, forked_at=1), 422, "two histories"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_changes_nothing(witness: Witness, name: str) -> None:
    body, status, words = REFUSED[name]
    with witness.opened() as (app, seen, _):
        async with asking(app) as http:
            await http.post("/add-checkpoint", content=request(0, 2))
            before = seen.last(ORIGIN)
            got = await http.post("/add-checkpoint", content=body)
            assert (got.status_code, words in got.text) == (status, True), got.text
            assert seen.last(ORIGIN) == before
            assert (await http.post("/add-checkpoint", content=GROWN)).status_code == 200


async def test_from_nothing_a_proof_is_refused_and_so_is_a_root_of_nothing(witness: Witness) -> None:
    with_proof = b"old 0\n" + b"A" * 43 + b"=\n\n" + checkpoint_of(5)
    assert (await answer(witness, with_proof)).status_code == 422
    wrong = sign_checkpoint(Checkpoint(ORIGIN, 0, leaves(1)[0]), LOG).encode()
    assert (await answer(witness, b"old 0\n\n" + wrong)).status_code == 422
    right = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LOG).encode()
    assert (await answer(witness, b"old 0\n\n" + right)).status_code == 200


async def test_other_doors(witness: Witness) -> None:
    with witness.opened() as (app, _, key):
        async with asking(app) as http:
            assert (await http.get("/add-checkpoint")).status_code == 405
            assert (await http.post("/")).status_code == 405
            assert (await http.get("/" + "0" * 64 + "/checkpoint")).status_code == 404
            assert (await http.get("/secret")).status_code == 404
            about = await http.get("http://witness.example/")
    assert str(key.verifier) in about.text
    assert ORIGIN in about.text


async def test_lines_of_others_are_neither_kept_nor_shown(witness: Witness) -> None:
    note = read_note(checkpoint_of(5))
    strangers = [Signature(ORIGIN, b"\0\1\2\3", b"x" * 64), Signature("ad.example", b"\0\1\2\3", b"x" * 64)]
    with witness.opened() as (app, seen, key):
        async with asking(app) as http:
            body = b"old 0\n\n" + with_signatures(note, strangers).encode()
            assert (await http.post("/add-checkpoint", content=body)).status_code == 200
        last = seen.last(ORIGIN)
    assert last is not None
    assert {(one.name, one.key_id) for one in read_note(last).signatures} == {
        (ORIGIN, LOG.verifier.key_id),
        (NAME, key.verifier.key_id),
    }


async def test_a_log_with_two_histories_is_convicted(witness: Witness) -> None:
    """Both signed checkpoints are kept, and the first proof stays."""
    for forked_at in (1, 0):
        assert (await answer(witness, request(0, 2), request(2, 2, forked_at=forked_at))).status_code == 422
    fork = figures_of(witness.folder)[ORIGIN]["fork"]
    assert isinstance(fork, dict)
    one, _ = open_checkpoint(fork["cosigned"].encode(), LOG.verifier)
    other, _ = open_checkpoint(fork["refused"].encode(), LOG.verifier)
    assert one.size == other.size == 2
    assert one.root != other.root
    assert fork["refused"].encode() == checkpoint_of(2, forked_at=1)
    told = typed("seen", "--state", witness.folder).output
    assert f"{ORIGIN} signed two histories" in told
    assert checkpoint_of(2, forked_at=1).decode() in told
    # It goes on with the history it saw first.
    assert (await answer(witness, request(2, 5))).status_code == 200


async def test_time_never_goes_back(witness: Witness) -> None:
    with witness.opened() as (app, _, key):
        async with asking(app) as http:

            async def moment(body: bytes) -> int | None:
                got = await http.post("/add-checkpoint", content=body)
                assert got.status_code == 200
                text = read_note(body.partition(b"\n\n")[2]).text
                return verified_signatures(Note(text, read_signature_lines(got.content)), [key.verifier])[0].at_s

            assert await moment(request(0, 1)) == NOW_S
            witness.clock.now_s = NOW_S - BACKWARDS_MAX_S
            assert await moment(request(1, 2)) == NOW_S
            witness.clock.now_s -= 1
            got = await http.post("/add-checkpoint", content=request(2, 3))
            assert (got.status_code, "backwards" in got.text) == (503, True)
            witness.clock.now_s = NOW_S + 7
            assert await moment(request(2, 3)) == NOW_S + 7


async def test_whoever_asks_too_often_waits_and_holds_nobody_else_up(witness: Witness) -> None:
    with witness.opened(a_second=1e-9) as (app, _, _):
        async with asking(app) as stranger, asking(app, "192.0.2.2") as log:
            for _ in range(AT_ONCE):
                assert (await stranger.post("/add-checkpoint", content=request(1, 1))).status_code == 409
            got = await stranger.post("/add-checkpoint", content=request(0, 1))
            assert (got.status_code, got.headers["retry-after"]) == (429, "1")
            assert (await log.post("/add-checkpoint", content=request(0, 1))).status_code == 200


async def test_a_body_that_does_not_come_is_not_waited_for(witness: Witness) -> None:
    answers: list[Message] = []

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answers.append(message)

    with witness.opened() as (_, seen, key):
        app = WitnessApp(key.verifier, witness.logs, seen, body_within_s=0)
        await app({"type": "http", "method": "POST", "path": "/add-checkpoint"}, never, send)
    assert answers[0]["status"] == 408


def test_what_it_saw_outlives_it(witness: Witness) -> None:
    asyncio.run(answer(witness, request(0, 5)))
    assert asyncio.run(answer(witness, request(0, 6))).text == "5\n"


def test_a_witness_that_forgot_does_not_go_on(witness: Witness) -> None:
    key = witness.key()
    (witness.folder / SEEN_FILE).unlink()
    with pytest.raises(CannotKeep, match="what this witness saw is lost"):
        SeenLogs(witness.folder / SEEN_FILE, key, witness.clock)
    told = typed("serve", "--state", witness.folder, "--log", str(LOG.verifier), "--name", NAME)
    assert told.exit_code == 1
    assert "Make a new witness with a new name" in told.output
    assert "is there already" in typed("init", "--state", witness.folder, "--name", NAME).output


def test_a_memory_of_another_witness_or_a_damaged_one_is_refused(witness: Witness, tmp_path: Path) -> None:
    with witness.opened():
        pass
    other = Witness(tmp_path / "other", name="witness.example/w2")
    memory = witness.folder / SEEN_FILE
    with pytest.raises(CannotKeep, match="another witness's"):
        SeenLogs(memory, other.key(), witness.clock)
    assert "what another witness saw" in _init_with(memory.read_bytes(), tmp_path / "third")
    memory.write_bytes(b"no database" * 1000)
    with pytest.raises(CannotKeep, match="Do not put an older copy"):
        SeenLogs(memory, witness.key(), witness.clock)
    assert "Do not put an older copy" in typed("seen", "--state", witness.folder).output


def _init_with(memory: bytes, folder: Path) -> str:
    folder.mkdir()
    (folder / SEEN_FILE).write_bytes(memory)
    return typed("init", "--state", folder, "--name", "witness.example/w3").output


def test_the_key_is_made_once_and_its_keeper_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    made = typed("init", "--state", folder, "--name", NAME, "--json")
    vkey = json.loads(made.output)["vkey"]
    key = read_vkey(vkey)
    assert (key.name, key.kind) == (NAME, COSIGNATURE)
    assert typed("key", "--state", folder).output.strip() == vkey
    assert {path.name for path in folder.iterdir()} == {KEY_FILE, SEEN_FILE, f"{SEEN_FILE}-journal"}
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert "keeps its key for life" in typed("init", "--state", folder, "--name", NAME).output
    (folder / KEY_FILE).chmod(0o644)
    assert f"say chmod 600 {folder / KEY_FILE}" in typed("key", "--state", folder).output
    (folder / KEY_FILE).chmod(0o600)
    (folder / KEY_FILE).write_text("half")
    assert "is damaged" in typed("key", "--state", folder).output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["init", "--state", "{}", "--name", "two words"], "cannot be a witness's name"),
        (["init", "--state", "{}/file/w", "--name", NAME], "cannot be made a witness's folder"),
        (["key", "--state", "{}"], "fairkey witness init --state"),
        (["seen", "--state", "{}"], "is no witness's folder"),
        (["serve", "--state", "{}", "--name", NAME], "There is no log to watch"),
        (["serve", "--state", "{}", "--name", NAME, "--log", "x+y+z"], "A log's key cannot be used"),
        (["serve", "--state", "{}", "--log", str(LOG.verifier)], "fairkey witness init --state"),
        (["serve", "--state", "{}", "--name", NAME, "--policy", "{}/file"], "A log's key cannot be used: line 1"),
    ],
)
def test_mistakes_are_told_in_sentences(tmp_path: Path, words: list[str], sentence: str) -> None:
    (tmp_path / "file").write_text("nonsense")
    told = typed(*(word.format(tmp_path) for word in words))
    assert told.exit_code == 1
    assert sentence in told.output
    assert "Traceback" not in told.output


def test_names_and_ports_that_are_taken(witness: Witness) -> None:
    witness.key()
    at = ["serve", "--state", witness.folder, "--log", str(LOG.verifier)]
    assert "names are for life" in typed(*at, "--name", "another.example").output
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = typed(*at, "--port", str(taken.getsockname()[1])).output
    assert "cannot be listened on: Address already in use" in told


def test_logs_are_named_by_keys_policies_and_a_file(tmp_path: Path) -> None:
    second, third = signer_key("two.example/log", b"2" * 32), signer_key("three.example/log", b"3" * 32)
    policy = tmp_path / "policy"
    policy.write_text(f"log {second.verifier} https://two.example/log\nquorum none\n")
    (tmp_path / "logs.txt").write_text(f"# those we watch\n\n{third.verifier}\n{OTHER.verifier}\n")
    found = logs_watched([str(LOG.verifier)], [policy], tmp_path)
    assert found == {
        ORIGIN: (LOG.verifier, OTHER.verifier),
        "two.example/log": (second.verifier,),
        "three.example/log": (third.verifier,),
    }
