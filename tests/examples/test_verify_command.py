"""`fairkey verify` on files: what it says of each shared case, whom it trusts, what it prints, what it refuses."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fairkey.cli import root
from fairkey.proofs.merkle import inclusion_proof, leaf_hash
from fairkey.proofs.receipts import Receipt
from fairkey.proofs.tlog_proofs import TlogProof
from log_files import head_of, told_entries, write_log
from verify_cases import (
    HOSTILE,
    Case,
    cases,
    checkpoint,
    flips,
    leaves,
    policy_of,
    promise,
    proof,
    python_verdict,
    receipt,
)

CODES = {"good": 0, "bad": 1, "unknown": 3}


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests is read or written."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "memory"))
    monkeypatch.delenv("FAIRKEY_POLICY", raising=False)


def run(*words: object) -> Result:
    result = CliRunner().invoke(root, ["verify", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def verify_case(case: Case, folder: Path, *words: object) -> Result:
    folder.mkdir(exist_ok=True)
    (folder / "file").write_bytes(case.data)
    (folder / "policy.of.mine").write_text(case.policy, encoding="utf-8")
    if case.entry is not None:
        (folder / "entry").write_bytes(case.entry)
        words = (*words, "--entry", folder / "entry")
    return run(folder / "file", "--policy", folder / "policy.of.mine", *words)


@pytest.mark.parametrize("name", list(cases()))
def test_each_case_is_judged_as_the_page_and_the_library_judge_it(name: str, tmp_path: Path) -> None:
    case = cases()[name]
    assert python_verdict(case) == case.expected
    result = verify_case(case, tmp_path / "a")
    assert result.exit_code == CODES[case.expected], result.output


def test_any_flipped_bit_is_judged_as_the_library_judges_it(tmp_path: Path) -> None:
    for case in flips():
        result = verify_case(case, tmp_path / "a", "--json", "--no-memory")
        assert result.exit_code == CODES[case.expected], result.output


def test_steps_are_numbered_and_a_person_sees_whom_he_trusted(tmp_path: Path) -> None:
    result = verify_case(Case("good", receipt()), tmp_path / "a")
    assert "  1. File: ✓ A receipt, whole and readable." in result.output
    assert "  4. Witnesses: ✓ Cosigned by ash, birch: enough for this policy." in result.output
    assert "SHA-256: " in result.output
    assert result.output.rstrip().endswith("Holds.")
    figures = json.loads(verify_case(Case("good", receipt()), tmp_path / "a", "--json").stdout)
    assert figures["verdict"] == "holds"
    (file,) = figures["files"]
    assert [step["step"] for step in file["steps"]][:6] == ["file", "policy", "log", "witnesses", "place", "entry"]
    assert len(figures["policy"]["sha256"]) == 64


def test_text_in_a_file_cannot_disturb_a_terminal(tmp_path: Path) -> None:
    result = verify_case(Case("good", receipt(6, ())), tmp_path / "a")
    assert "\u202e" not in result.output
    assert HOSTILE[:-1] in result.output
    assert "\x1b" not in verify_case(Case("", promise().replace(b"keys", b"\x1b[2J")), tmp_path / "b").output


def test_the_policy_is_taken_from_the_person_and_never_from_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "there" / "a.fairkey-receipt"
    file.parent.mkdir()
    file.write_bytes(receipt())
    (file.parent / "policy").write_text(policy_of(), encoding="utf-8")
    result = run(file)
    assert result.exit_code == CODES["unknown"]
    assert "Not trusted:" in result.output
    own = tmp_path / "config" / "fairkey" / "policy"
    own.parent.mkdir(parents=True)
    own.write_text(policy_of(), encoding="utf-8")
    assert run(file).exit_code == 0
    monkeypatch.setenv("FAIRKEY_POLICY", str(tmp_path / "none"))
    assert run(file).exit_code == CODES["unknown"]
    assert "lies with what it is to judge" in run(file, "--policy", file.parent / "policy").output


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    return made.getvalue()


def test_a_zip_is_as_good_as_the_worst_file_in_it(tmp_path: Path) -> None:
    good = {"life/1.fairkey-receipt": receipt(), "life/2.fairkey-promise": promise(), "life/life.json": b"{}"}
    good |= {"life/3.tlog-proof": proof(3).encode(), "life/3": leaves()[3].body}
    result = verify_case(Case("good", zipped(good)), tmp_path / "a")
    assert result.exit_code == 0, result.output
    assert "not looked at: life/life.json" in result.output
    bad = zipped(good | {"life/4.fairkey-receipt": cases()["a bit of the path"].data})
    result = verify_case(Case("bad", bad), tmp_path / "b")
    assert result.exit_code == 1
    assert "life/4.fairkey-receipt: does not hold" in result.output
    empty = zipped(good | {"life/4.fairkey-receipt": b""})
    assert verify_case(Case("", empty), tmp_path / "c").exit_code == CODES["unknown"]
    assert verify_case(Case("", zipped({"a.txt": b"a"})), tmp_path / "d").exit_code == CODES["unknown"]


@pytest.mark.parametrize(
    "members",
    [
        {f"{number}.fairkey-receipt": b"" for number in range(201)},
        {"../a.fairkey-receipt": b""},
        {"/a.fairkey-receipt": b""},
        {"a\x1b.fairkey-receipt": b""},
        {"a.fairkey-receipt": bytes(17 * 1024 * 1024)},
        {"a.fairkey-receipt": bytes(4 * 1024 * 1024)},
    ],
)
def test_zips_that_are_built_to_harm_are_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    assert verify_case(Case("", zipped(members)), tmp_path / "a").exit_code == 1
    assert verify_case(Case("", zipped(members)[:-30]), tmp_path / "a").exit_code == 1


def test_wrong_calls_are_told_from_wrong_proofs(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(receipt())
    assert run(tmp_path / "none").exit_code == 2
    assert run(tmp_path / "a", "--policy", tmp_path / "none").exit_code == 2
    assert run(tmp_path / "a", "--entry", tmp_path / "a").exit_code == 2
    (tmp_path / "roots").write_bytes(b"none")
    assert run(tmp_path / "a", "--tsa-roots", tmp_path / "roots").exit_code == 2
    assert run("/dev/zero").exit_code == 2


def test_two_heads_of_one_size_are_a_fork_and_both_are_kept(tmp_path: Path) -> None:
    assert verify_case(Case("", receipt()), tmp_path / "a").exit_code == 0
    entries = told_entries(7)
    path = tuple(inclusion_proof(list(map(leaf_hash, entries)), 0))
    other = Receipt(entries[0], TlogProof(0, path, head_of(entries))).encode()
    assert verify_case(Case("", other), tmp_path / "b", "--no-memory").exit_code == 0
    forked = verify_case(Case("", other), tmp_path / "b")
    assert forked.exit_code == 1
    assert "The log has signed two different trees of 7 entries: a fork." in forked.output
    kept = [one.read_bytes() for one in (tmp_path / "memory").rglob("7*")]
    assert sorted(kept) == sorted([head_of(entries), checkpoint()])
    log = run(write_log(tmp_path / "log", entries), "--policy", tmp_path / "a" / "policy.of.mine")
    assert log.exit_code == 1
    assert "The head of 7 entries that was seen here is not a beginning of this log" in log.output
    assert verify_case(Case("", receipt()), tmp_path / "a").exit_code == 0


def test_what_cannot_be_remembered_does_not_spoil_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "memory").write_bytes(b"no folder")
    result = verify_case(Case("", receipt()), tmp_path / "a")
    assert result.exit_code == 0
    assert "could not be remembered" in result.output


def test_time_stamps_are_left_alone_without_roots(tmp_path: Path) -> None:
    stamped = json.loads(receipt())
    stamped["tokens"] = [{"tsa": "one", "token": "MAA="}]
    case = Case("", json.dumps(stamped).encode())
    assert "--tsa-roots checks them" in verify_case(case, tmp_path / "a").output
