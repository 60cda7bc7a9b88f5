"""`fairkey issuer`: keys and signatures made without a house."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fairkey.cli.issuer import issuer
from fairkey.proofs.attestations import CodeStatement, ListStatement, OutageStatement, read_statement, signing_key_of

ISSUER = "0199aaaa-0000-7000-8000-000000000001"
PAGE = Path(__file__).parents[2] / "docs" / "issuers.md"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(issuer, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    file = tmp_path / "secret.key"
    code, out = run("keygen", str(file))
    assert code == 0, out
    return file, out.strip()


def test_a_key_is_for_its_owner_alone_and_never_overwritten(key: tuple[Path, str]) -> None:
    file, public = key
    assert re.fullmatch("[0-9a-f]{64}", public)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    assert run("keygen", str(file))[0] == 2
    assert file.read_text() == before


def test_statements(key: tuple[Path, str], tmp_path: Path) -> None:
    told = [
        {"says": "activated", "code": "AAAA-1", "happened_at": "2025-05-01T08:00:00+08:00", "account": "玩家"},
        {"says": "revoked", "code": "AAAA-2", "happened_at": "2025-05-01T00:00:00Z", "reason": "chargeback"},
    ]
    file = tmp_path / "told.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    code, out = run("sign", str(file), "--key", str(key[0]), "--issuer", ISSUER)
    assert code == 0, out
    assert "AAAA-1" not in out
    sent = json.loads(out)["attestations"]
    for one in sent:
        assert signing_key_of(one["statement"], one["signature"], {1: key[1]}) == 1
    first = read_statement(sent[0]["statement"])
    assert isinstance(first, CodeStatement)
    assert (first.issuer_id, first.says, first.happened_at_ms) == (ISSUER, "activated", 1_746_057_600_000)


def test_a_list(key: tuple[Path, str], tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    file.write_text('{"product":"点券 50","count":500,"shop_no":101,"list_id":"PO-7"}', encoding="utf-8")
    code, out = run("sign", str(file), "--key", str(key[0]), "--issuer", ISSUER)
    assert code == 0, out
    told = read_statement(json.loads(out)["statement"])
    assert isinstance(told, ListStatement)
    assert told.quantity == 500


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[1]",
        '[{"says":"sold","code":"A","happened_at":"2025-05-01T00:00:00Z"}]',
        '[{"says":"unused","code":"A","happened_at":"yesterday"}]',
        '[{"says":"unused","code":"A","happened_at":"2025-05-01T00:00:00"}]',
        '[{"says":"unused","code":"A","happened_at":"2999-05-01T00:00:00Z"}]',
        '{"product":"x","count":"500","shop_no":101,"list_id":"PO-7"}',
    ],
)
def test_what_cannot_be_signed(key: tuple[Path, str], tmp_path: Path, text: str) -> None:
    file = tmp_path / "told.json"
    file.write_text(text, encoding="utf-8")
    code, out = run("sign", str(file), "--key", str(key[0]), "--issuer", ISSUER)
    assert code == 2, out
    assert "Traceback" not in out


@pytest.mark.parametrize("says", ["began", "ended", "none"])
def test_an_outage(key: tuple[Path, str], says: str) -> None:
    at = ("--at", "2025-05-01T08:00:00+08:00")
    code, out = run("outage", says, *at, "--key", str(key[0]), "--issuer", ISSUER)
    assert code == 0, out
    sent = json.loads(out)
    assert signing_key_of(sent["statement"], sent["signature"], {1: key[1]}) == 1
    told = read_statement(sent["statement"])
    assert isinstance(told, OutageStatement)
    assert (told.issuer_id, told.says, told.happened_at_ms) == (ISSUER, says, 1_746_057_600_000)


@pytest.mark.parametrize(
    "wrong",
    [
        ("over",),
        ("began", "--at", "yesterday"),
        ("began", "--at", "2999-05-01T08:00:00Z"),
        ("began", "--at", "2025-05-01"),
    ],
)
def test_an_outage_that_would_not_be_taken_is_not_signed(key: tuple[Path, str], wrong: tuple[str, ...]) -> None:
    code, out = run("outage", *wrong, "--key", str(key[0]), "--issuer", ISSUER)
    assert code == 2, out
    assert "Traceback" not in out


def test_a_key_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    file.write_text("[]", encoding="utf-8")
    assert run("sign", str(file), "--key", str(file), "--issuer", ISSUER)[0] == 2


def test_the_program_on_the_page_signs_what_is_taken(key: tuple[Path, str], tmp_path: Path) -> None:
    (source,) = re.findall("```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    program = tmp_path / "attest.py"
    call = (
        "key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(open(sys.argv[1]).read()))\n"
        f"print(json.dumps(attest(key, '{ISSUER}', 'activated', '卡密 1', 1746057600000, '玩家')))\n"
    )
    program.write_text(source.partition('if __name__ == "__main__":')[0] + call, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, key[0]], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    sent = json.loads(done.stdout)
    told = read_statement(sent["statement"])
    assert isinstance(told, CodeStatement)
    assert signing_key_of(sent["statement"], sent["signature"], {1: key[1]}) == 1
    from fairkey.proofs.attestations import disclosed

    assert disclosed(sent["code"], told.code_digest, "code")[0] == "卡密 1"
    assert told.account_digest is not None
    assert disclosed(sent["account"], told.account_digest, "account")[0] == "玩家"
