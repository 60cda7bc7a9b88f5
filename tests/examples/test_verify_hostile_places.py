"""`fairkey verify` on places that answer badly: what was found is told, what only broke on the way accuses nobody."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from click.testing import CliRunner, Result

from fairkey.cli import root
from fairkey.proofs.notes import NOTE_BYTES_MAX
from fairkey.proofs.tiles import encode_bundle
from fairkey.verifying.reading import FileCannotBeRead
from fairkey.verifying.sources import WebLog
from fairkey.verifying.trust import find_trust
from log_files import put, rewritten, told_entries, write_log
from verify_cases import policy_of

SIZE = 600
HEADS = (1, 256, 300)
ENTRIES = told_entries(SIZE)


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").write_text(policy_of(), encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "memory"))
    monkeypatch.setenv("FAIRKEY_POLICY", str(tmp_path / "mine"))
    monkeypatch.setattr("fairkey.verifying.sources.TRIES", 1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    made = write_log(tmp_path / "log", ENTRIES, HEADS)
    put(made, "checkpoints/index", b"".join(b"%d 0\n" % size for size in (*HEADS, SIZE)))
    return made


def run(*words: object) -> Result:
    result = CliRunner().invoke(root, ["verify", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


Answer = Callable[[str, socket.socket], None]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """An address where every request gets what `answer` writes; told the path below the log's root."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    asked, _ = listening.accept()
                except OSError:
                    return
                with asked:
                    path = asked.recv(65_536).split(b" ", 2)[1].decode().removeprefix("/log/")
                    if not path:
                        return
                    answer(path, asked)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/log"
        finally:
            with socket.create_connection(listening.getsockname()) as last:
                last.sendall(b"GET /log/ HTTP/1.1\r\n\r\n")
            thread.join()


def whole(data: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


def from_folder(folder: Path, **others: bytes) -> Answer:
    """The folder's files; of some paths (with `_` for `/`) another answer."""

    def answer(path: str, asked: socket.socket) -> None:
        other, file = others.get(path.replace("/", "_")), folder / path
        if other is None:
            other = whole(file.read_bytes()) if file.is_file() else b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
        asked.sendall(other)

    return answer


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/entries/001", "checkpoints/256"])
def test_a_folder_where_a_file_must_be_is_told_with_its_name(log: Path, path: str) -> None:
    (log / path).unlink()
    (log / path).mkdir()
    result = run(log)
    assert result.exit_code == 3
    assert f"{path} is no file" in result.output


def test_a_file_cut_short_on_the_way_accuses_nobody(log: Path) -> None:
    half = whole((log / "tile/0/000").read_bytes())[:-4096]
    with answering(from_folder(log, tile_0_000=half)) as url:
        result = run(url)
    assert result.exit_code == 3, result.output
    assert "tile/0/000 cannot be fetched (IncompleteRead" in result.output
    with answering(from_folder(log)) as url:
        assert run(url).exit_code == 0


def test_a_server_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairkey.verifying.sources.FILE_S", 0.0)
    monkeypatch.setattr("fairkey.verifying.sources.TRY_S", 5.0)
    given_up = Event()

    def drip(_: str, asked: socket.socket) -> None:
        asked.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\na")
        given_up.wait(10)

    with answering(drip) as url:
        with pytest.raises(FileCannotBeRead, match="comes too slowly"):
            WebLog(url).read("checkpoint", NOTE_BYTES_MAX)
        given_up.set()


@pytest.mark.parametrize("index", [b"all of them\n", b"1 0\n" * 17_000_000])
def test_a_bad_list_of_heads_does_not_hide_a_bad_log(log: Path, index: bytes) -> None:
    put(log, "tile/entries/001", encode_bundle(rewritten(ENTRIES, 280)[256:512]))
    with answering(from_folder(log, checkpoints_index=whole(index))) as url:
        result = run(url)
    assert result.exit_code == 1
    assert "Entry 280 is not the one that its tile was made from." in result.output
    assert "The list of earlier heads" in result.output


def test_what_was_found_is_told_though_the_rest_is_not_answered(log: Path) -> None:
    away = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    with answering(from_folder(log, tile_0_001=away)) as url:
        result = run(url)
        assert result.exit_code == 3, result.output
        assert "tile/0/001 is answered with HTTP 500" in result.output
        put(log, "tile/entries/000", encode_bundle(rewritten(ENTRIES, 80)[:256]))
        result = run(url)
    assert result.exit_code == 1
    assert "Entry 80 is not the one that its tile was made from." in result.output
    assert "From tile/0/001 on it could not be read: it is answered with HTTP 500." in result.output
    assert "Only those up to 256 entries could be compared" in result.output
    assert "breaks off" not in result.output


def test_heads_beyond_what_is_left_are_not_called_beginnings(log: Path) -> None:
    for path in ("tile/0/001", "tile/entries/001"):
        (log / path).unlink()
    result = run(log)
    assert result.exit_code == 1
    assert "from entry 256 on nothing is left of 600" in result.output
    assert "Only those up to 256 entries could be compared" in result.output


def test_who_has_no_home_trusts_no_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "~/.config/fairkey").mkdir(parents=True)
    (tmp_path / "~/.config/fairkey/policy").write_text(policy_of(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert find_trust(None, {}).policy is None
