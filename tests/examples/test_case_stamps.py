"""Sealed lists and time stamps: now, later, from an authority that is away, wrong, or outlived by its token."""

from pathlib import Path

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from case_world import BEGAN_MS, a_case, given
from fairkey.casework.checking import BAD, GOOD, check_case
from fairkey.casework.folder import CaseFolder
from fairkey.casework.journal import NOTHING, sha256_hex
from fairkey.casework.stamping import (
    Authority,
    TsaIsAway,
    ask_authority,
    close_list,
    list_folders,
    read_list,
    stamp_lists,
)
from fairkey.proofs.timestamps import TsaRoots, read_roots
from tsa_world import LocalTsa, needs_openssl, served

ONE = Authority("one", "http://127.0.0.1:1/tsr")


@pytest.fixture(name="tsa", scope="module")
def _tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    return LocalTsa(tmp_path_factory.mktemp("tsa") / "one", with_chain=True)


@pytest.fixture(name="roots")
def _roots(tsa: LocalTsa) -> TsaRoots:
    return read_roots(tsa.root_pem)


def a_listed_case(place: Path) -> CaseFolder:
    folder = a_case(place)
    given(folder, "a.txt", b"hello")
    close_list(folder, at_ms=BEGAN_MS + 2000)
    return folder


def test_a_list_names_every_new_file_once_and_the_list_before(tmp_path: Path) -> None:
    folder = a_listed_case(tmp_path / "case")
    given(folder, "b.txt", b"more")
    close_list(folder, at_ms=BEGAN_MS + 3000)
    assert close_list(folder, at_ms=BEGAN_MS + 4000) == ""

    first, second = list_folders(folder)
    files = folder.read().files
    assert read_list(first)["prev"] == NOTHING
    assert read_list(second)["prev"] == sha256_hex((first / "payload.json").read_bytes())
    assert [one["sha256"] for one in read_list(second)["files"]] == [files[1].seal.sha256]
    assert all(one.seal.list_sha256 for one in files)


@needs_openssl
def test_a_list_is_stamped_and_the_moment_is_the_tokens(tmp_path: Path, tsa: LocalTsa, roots: TsaRoots) -> None:
    folder = a_listed_case(tmp_path / "case")
    with served(lambda body: (200, tsa.reply(body))) as url:
        (done,) = stamp_lists(folder, [Authority("one", url)], roots, at_ms=BEGAN_MS + 5000)
        assert stamp_lists(folder, [Authority("one", url)], roots, at_ms=BEGAN_MS + 6000) == []
    assert done.stamp is not None
    assert folder.read().files[0].seal.stamped_at_ms == done.stamp.gen_time_ms
    assert {one.state for one in check_case(folder, roots)} == {GOOD}


@needs_openssl
def test_a_token_that_was_kept_before_the_death_is_noted_later(tmp_path: Path, tsa: LocalTsa, roots: TsaRoots) -> None:
    folder = a_listed_case(tmp_path / "case")
    before = (folder.journal.read_bytes(), folder.document.read_bytes())
    stamp_lists(folder, [ONE], roots, at_ms=BEGAN_MS, ask=lambda _, query: tsa.reply(query))
    folder.journal.write_bytes(before[0])
    folder.document.write_bytes(before[1])
    assert stamp_lists(folder, [ONE], roots, at_ms=BEGAN_MS) == []
    assert folder.read().files[0].seal.stamped_at_ms


@needs_openssl
@pytest.mark.parametrize("answer", [b"", b"\x30\x03\x02\x01\x00", b"no", b"x" * 70_000])
def test_what_is_no_token_is_not_kept(tmp_path: Path, roots: TsaRoots, answer: bytes) -> None:
    folder = a_listed_case(tmp_path / "case")
    with served(lambda _: (200, answer)) as url:
        (done,) = stamp_lists(folder, [Authority("one", url)], roots, at_ms=BEGAN_MS)
    assert done.stamp is None
    assert done.refused
    assert list(folder.seals.rglob("*.tst")) == []


@needs_openssl
def test_the_token_of_a_stranger_is_not_believed(tmp_path: Path, tsa: LocalTsa, roots: TsaRoots) -> None:
    stranger = LocalTsa(tmp_path / "stranger")
    folder = a_listed_case(tmp_path / "case")
    (done,) = stamp_lists(folder, [ONE], roots, at_ms=BEGAN_MS, ask=lambda _, query: stranger.reply(query))
    assert done.stamp is None
    stamp_lists(folder, [ONE], roots, at_ms=BEGAN_MS, ask=lambda _, query: tsa.reply(query))
    found = check_case(folder, read_roots(stranger.root_pem))
    assert [one.step for one in found if one.state == BAD] == ["tokens"]


@needs_openssl
def test_an_authority_that_is_away_is_asked_once_and_the_other_still_stamps(
    tmp_path: Path, tsa: LocalTsa, roots: TsaRoots
) -> None:
    folder = a_listed_case(tmp_path / "case")
    given(folder, "b.txt", b"more")
    close_list(folder, at_ms=BEGAN_MS)
    asked = []

    def ask(authority: Authority, query: bytes) -> bytes:
        asked.append(authority.name)
        if authority.name == "away":
            raise TsaIsAway("is away")
        return tsa.reply(query)

    done = stamp_lists(folder, [Authority("away", "http://x"), ONE], roots, at_ms=BEGAN_MS, ask=ask)
    assert asked == ["away", "one", "one"]
    assert [(one.list_no, one.authority, one.stamp is not None) for one in done] == [
        (1, "away", False),
        (1, "one", True),
        (2, "one", True),
    ]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_other_answers_than_200_are_none(status: int) -> None:
    with served(lambda _: (status, b"")) as url, pytest.raises(TsaIsAway, match=str(status)):
        ask_authority(Authority("one", url), b"x")
    with pytest.raises(TsaIsAway):
        ask_authority(Authority("one", "file:///etc/passwd"), b"x")


@needs_openssl
def test_the_answer_to_another_request_is_not_kept(tmp_path: Path, tsa: LocalTsa, roots: TsaRoots) -> None:
    folder = a_listed_case(tmp_path / "case")
    data = (list_folders(folder)[0] / "payload.json").read_bytes()
    other = TimestampRequestBuilder(data, HashAlgorithm.SHA256, nonce=True, cert_req=True).build().as_bytes()
    (done,) = stamp_lists(folder, [ONE], roots, at_ms=BEGAN_MS, ask=lambda *_: tsa.reply(other))
    assert "another request" in done.refused
