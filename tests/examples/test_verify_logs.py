"""`fairkey verify` on whole logs: every way to tamper with one is seen, and the entry is named."""

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairkey.cli import root
from fairkey.proofs.merkle import HASH_BYTES
from fairkey.proofs.notes import read_note
from fairkey.proofs.tiles import encode_bundle
from log_files import head_of, put, rewritten, told_entries, write_log, write_tiles
from verify_cases import cases, policy_of

SIZE = 600
HEADS = (1, 255, 256, 300, 599)
ENTRIES = told_entries(SIZE)


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").write_text(policy_of(), encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "memory"))
    monkeypatch.setenv("FAIRKEY_POLICY", str(tmp_path / "mine"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "log", ENTRIES, HEADS)


def run(*words: object) -> Result:
    result = CliRunner().invoke(root, ["verify", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_whole_log_holds(log: Path) -> None:
    result = run(log)
    assert result.exit_code == 0, result.output
    assert "Each of 600 entries fits its tile" in result.output
    assert "All 6 are beginnings of this log; 6 carry the policy's quorum." in result.output
    assert "None yet; this one is remembered." in result.output
    assert "It extends the 1 heads that were seen here before." in run(log).output
    assert CliRunner().invoke(root, ["log", "audit", "--log", str(log)]).exit_code == 0


def test_a_log_without_earlier_heads_holds_too(log: Path) -> None:
    shutil.rmtree(log / "checkpoints")
    result = run(log)
    assert result.exit_code == 0, result.output
    assert "This place shows no earlier heads." in result.output


def test_a_rewritten_entry_is_named(log: Path) -> None:
    changed = rewritten(ENTRIES, 280)
    put(log, "tile/entries/001", encode_bundle(changed[256:512]))
    result = run(log)
    assert result.exit_code == 1
    assert "Entry 280 is not the one that its tile was made from." in result.output
    assert "does not follow entry 280 as it stands here" in result.output


def test_an_entry_rewritten_with_all_its_tiles_is_named_by_its_stream_and_narrowed_by_earlier_heads(
    log: Path,
) -> None:
    write_tiles(log, rewritten(ENTRIES, 280))
    result = run(log)
    assert result.exit_code == 1
    assert "do not give the root that was signed for 600 of them" in result.output
    assert "the change is in entries 256 to 299" in result.output
    assert "does not follow entry 280 as it stands here" in result.output


def test_a_dropped_entry_is_named(log: Path) -> None:
    put(log, "tile/entries/001", encode_bundle(ENTRIES[256:280] + ENTRIES[281:512]))
    result = run(log)
    assert result.exit_code == 1
    assert "tile/entries/001 (entries 256 to 511) is damaged: a bundle holds 255 entries, not 256" in result.output
    put(log, "tile/entries/001", encode_bundle(ENTRIES[256:280] + ENTRIES[281:513]))
    result = run(log)
    assert "Entry 280 is not the one" in result.output
    assert "missing." in result.output


def test_an_entry_dropped_before_signing_leaves_a_gap_in_its_stream(tmp_path: Path) -> None:
    result = run(write_log(tmp_path / "gap", ENTRIES[:280] + ENTRIES[281:]))
    assert result.exit_code == 1
    assert "Each of 599 entries fits its tile" in result.output
    assert "is missing." in result.output
    twice = run(write_log(tmp_path / "twice", [*ENTRIES[:290], ENTRIES[280], *ENTRIES[290:]]), "--no-memory")
    assert "Entry 290 (shop.suspended, version" in twice.output
    assert "comes again or too late" in twice.output


def test_a_foreign_chain_is_named(tmp_path: Path) -> None:
    other = told_entries(SIZE, lambda number: f"another reason {number}")
    result = run(write_log(tmp_path / "foreign", [*ENTRIES[:300], *other[300:]]))
    assert result.exit_code == 1
    assert "Entry 300 (shop.suspended, version" in result.output
    assert "as it stands here" in result.output


def test_an_entry_that_is_no_entry_is_named(tmp_path: Path) -> None:
    result = run(write_log(tmp_path / "strange", [*ENTRIES[:9], b"strange", *ENTRIES[9:]]))
    assert result.exit_code == 1
    assert "Entry 9 is not one of fairkey's." in result.output
    others = run(write_log(tmp_path / "others", [b"a", b"b", b"c"]), "--no-memory")
    assert others.exit_code == 0
    assert "The entries are not fairkey's" in others.output


def test_a_reordered_tile_is_named(log: Path) -> None:
    tile = log / "tile/0/000"
    data = tile.read_bytes()
    parts = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
    parts[3], parts[4] = parts[4], parts[3]
    tile.write_bytes(b"".join(parts))
    result = run(log)
    assert result.exit_code == 1
    assert "Entry 3 is not the one" in result.output
    assert "Entry 4 is not the one" in result.output
    assert "tile/1/000.p/2 was made from other entries 0 to 255." in result.output


def test_tiles_put_in_each_others_place_are_named(log: Path) -> None:
    for kind in ("0", "entries"):
        first, second = (log / f"tile/{kind}/00{number}" for number in (0, 1))
        kept = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(kept)
    result = run(log)
    assert result.exit_code == 1
    assert "was made from other entries 0 to 255" in result.output
    assert "was made from other entries 256 to 511" in result.output


def test_a_missing_tile_is_named_and_a_full_one_stands_for_a_partial_one(log: Path) -> None:
    (log / "tile/entries/000").unlink()
    result = run(log)
    assert result.exit_code == 1
    assert "tile/entries/000 (entries 0 to 255) is missing." in result.output
    (log / "tile/0/000").unlink()
    assert "from entry 0 on nothing is left of 600" in run(log).output


@pytest.mark.parametrize(
    ("path", "more"), [("tile/0/002.p/88", bytes(HASH_BYTES)), ("tile/entries/002.p/88", b"\0\1a")]
)
def test_a_file_holds_nothing_after_what_its_name_says(log: Path, path: str, more: bytes) -> None:
    put(log, path, (log / path).read_bytes() + more)
    result = run(log)
    assert result.exit_code == 1
    assert f"{path} (entries 512 to 599) is damaged: it has" in result.output


def test_a_partial_tile_is_taken_from_the_full_one(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", ENTRIES)
    for partial, full in (("tile/0/002.p/88", "tile/0/002"), ("tile/entries/002.p/88", "tile/entries/002")):
        (log / partial).unlink()
        write_tiles(tmp_path / "longer", told_entries(768))
        put(log, full, (tmp_path / "longer" / full).read_bytes())
    assert run(log).exit_code == 0, run(log).output


def test_a_log_taken_back_or_forked_is_seen_at_the_next_look(log: Path, tmp_path: Path) -> None:
    assert run(log).exit_code == 0
    shorter = run(write_log(tmp_path / "shorter", ENTRIES[:500]))
    assert shorter.exit_code == 1
    assert "600 entries were seen here, now there are 500" in shorter.output
    assert run(tmp_path / "shorter", "--no-memory").exit_code == 0
    other = told_entries(700, lambda number: f"reason {number}" if number < 400 else "another")
    forked = run(write_log(tmp_path / "forked", other))
    assert forked.exit_code == 1
    assert "The head of 600 entries that was seen here is not a beginning of this log: a fork." in forked.output
    same = run(write_log(tmp_path / "same", other[:SIZE]))
    assert same.exit_code == 1
    assert "two different trees of 600 entries: a fork" in same.output
    kept = sorted(one.name for one in next((tmp_path / "memory/fairkey/seen").iterdir()).iterdir())
    assert [name.partition("-")[0] for name in kept] == ["600", "600.other"]
    assert run(log).exit_code == 0  # the one that was first stays the one that is remembered


def test_a_rolled_back_head_is_seen_by_the_heads_beside_it(log: Path) -> None:
    put(log, "checkpoint", head_of(ENTRIES[:300]))
    for name in ("tile/0/001.p/44", "tile/entries/001.p/44"):
        assert not (log / name).exists()
    result = run(log)
    assert result.exit_code == 1
    assert "The log has signed 600 entries, but shows 300: its end was taken back." in result.output


def test_earlier_heads_must_be_beginnings_signed_by_the_log(log: Path) -> None:
    put(log, "checkpoints/300", head_of(rewritten(ENTRIES, 9)[:300]))
    put(log, "checkpoints/299", head_of(ENTRIES[:300]))
    put(log, "checkpoints/298", b"nothing")
    result = run(log)
    assert result.exit_code == 1
    assert "The signed head of 300 entries is not a beginning of this log: a fork." in result.output
    assert "The head of 299 entries: it is the head of 300 entries." in result.output
    assert "The head of 298 entries: the note has no blank line before its signatures." in result.output
    assert "the change is in" not in result.output


def test_who_is_trusted_decides(log: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text(cases()["another log's policy"].policy, encoding="utf-8")
    assert run(log, "--policy", tmp_path / "other").exit_code == 3
    (tmp_path / "impostor").write_text(cases()["a policy with another key of this log"].policy, encoding="utf-8")
    assert run(log, "--policy", tmp_path / "impostor").exit_code == 1
    put(log, "checkpoint", head_of(ENTRIES, by=("ash",)))
    missing = run(log)
    assert missing.exit_code == 1
    assert "Too few: ash have cosigned, the policy wants 2 of (ash, birch, cedar)." in missing.output
    put(log, "policy", policy_of(needed=0).encode())
    assert run(log).exit_code == 1
    (tmp_path / "mine").unlink()
    untrusted = run(log)
    assert untrusted.exit_code == 3
    assert "Not trusted:" in untrusted.output
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").exit_code == 3


SMALL = told_entries(20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_of_a_small_log_is_seen(data: st.DataObject, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    if not folder.exists():
        write_log(folder, SMALL, (1, 7))
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    file = data.draw(st.sampled_from(files), label="file")
    before = file.read_bytes()
    bit = data.draw(st.integers(0, len(before) * 8 - 1), label="bit")
    after = bytearray(before)
    after[bit // 8] ^= 1 << bit % 8
    file.write_bytes(after)
    try:
        result = run(folder, "--no-memory")
    finally:
        file.write_bytes(before)
    if result.exit_code == 0:  # only where the same signatures are written in another way, or an older head lost one
        assert file.parts[-2:-1] == ("checkpoints",) or read_note(bytes(after)) == read_note(before)
    if file.match("tile/entries/*/*") or file.match("tile/entries/*"):
        assert "ntr" in result.output
        assert result.exit_code == 1


def test_pipes_devices_and_endless_files_are_not_waited_for(log: Path) -> None:
    import os

    (log / "tile/0/000").unlink()
    os.mkfifo(log / "tile/0/000")
    assert run(log).exit_code == 3
    (log / "checkpoint").unlink()
    (log / "checkpoint").symlink_to("/dev/zero")
    assert run(log).exit_code == 3


class Served:
    """A folder over HTTP that can be told to be busy, to lie or to point elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.busy: set[str] = set()
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked.append(self.path)
                path = self.path.removeprefix("/log/")
                if path in served.busy:
                    served.busy.discard(path)
                    self.send_response(429)
                    self.send_header("Retry-After", "0")
                    self.end_headers()
                elif path in served.moved:
                    self.send_response(302)
                    self.send_header("Location", served.moved[path])
                    self.end_headers()
                elif (served.folder / path).is_file():
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write((served.folder / path).read_bytes())
                else:
                    self.send_error(404)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/log"


@pytest.fixture
def served(log: Path) -> Iterator[Served]:
    made = Served(log)
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_a_log_at_an_address_holds_and_a_busy_server_is_asked_again(served: Served) -> None:
    put(served.folder, "checkpoints/index", b"".join(b"%d 0\n" % size for size in (*HEADS, SIZE)))
    served.busy = {"checkpoint", "tile/0/000"}
    result = run(served.url)
    assert result.exit_code == 0, result.output
    assert "All 6 are beginnings" in result.output
    assert served.asked.count("/log/tile/0/000") == 2
    assert run(f"{served.url}/checkpoint", "--no-memory").exit_code == 0
    put(served.folder, "tile/entries/001", encode_bundle(rewritten(ENTRIES, 280)[256:512]))
    assert "Entry 280 is not the one" in run(served.url).output


def test_redirects_elsewhere_are_not_followed(served: Served) -> None:
    served.moved = {"tile/0/000": "/log/tile/0/001"}
    assert run(served.url).exit_code == 1  # the same host may move it; the bytes tell
    for elsewhere in ("http://localhost:1/", "file:///etc/hostname", f"ftp{served.url[4:]}"):
        served.moved = {"tile/0/000": elsewhere}
        result = run(served.url)
        assert result.exit_code == 3
        assert "redirect to another host" in result.output or "HTTP 302" in result.output


def test_an_address_that_does_not_answer_proves_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairkey.verifying.sources.TRIES", 1)
    assert run("http://127.0.0.1:9/log").exit_code == 3
    assert run("https://").exit_code == 2
    served.folder.joinpath("checkpoint").write_bytes(bytes(1_000_001))
    assert run(served.url).exit_code == 1


def test_a_tree_of_three_levels_holds_and_its_highest_tile_counts(tmp_path: Path) -> None:
    entries = [b"%d" % number for number in range(65_536 + 300)]
    log = write_log(tmp_path / "long", entries, (65_536,))
    assert run(log).exit_code == 0, run(log).output
    for path, words in (("tile/2/000.p/1", "entries 0 to 65535"), ("tile/1/000", "entries 65280 to 65535")):
        data = (log / path).read_bytes()
        put(log, path, data[:-1] + bytes([data[-1] ^ 1]))
        result = run(log)
        assert result.exit_code == 1
        assert f"{path} was made from other {words}." in result.output
        put(log, path, data)
