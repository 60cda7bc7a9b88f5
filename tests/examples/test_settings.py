"""What the settings accept, and each thing they refuse, in words."""

import base64
import hashlib
from ipaddress import ip_network
from pathlib import Path

import pytest

from fairkey.settings import Settings, SettingsRefused

MASTER_KEY = base64.b64encode(hashlib.sha256(b"an example").digest()).decode()
SAFE = {"FAIRKEY_PUBLIC_URL": "https://keys.example", "FAIRKEY_MASTER_KEY": MASTER_KEY, "HOME": "/home/example"}


def refused(**changes: str) -> list[str]:
    """The sentences with which a safe production start with these changes is refused."""
    environment = SAFE | {f"FAIRKEY_{name}": value for name, value in changes.items()}
    with pytest.raises(SettingsRefused) as refusal:
        Settings.from_environment(environment)
    return refusal.value.reasons


def test_a_safe_production_start() -> None:
    settings = Settings.from_environment(SAFE)
    assert settings.mode == "production"
    assert settings.host == "127.0.0.1"
    assert settings.payment_provider == "none"
    assert settings.origin == "https://keys.example"
    assert settings.state == Path("/home/example/.local/state/fairkey")


def test_nothing_said_is_refused_with_what_is_missing() -> None:
    with pytest.raises(SettingsRefused) as refusal:
        Settings.from_environment({"HOME": "/home/example"})
    assert [reason.split()[0] for reason in refusal.value.reasons] == ["FAIRKEY_MASTER_KEY", "FAIRKEY_PUBLIC_URL"]


def test_the_demo_needs_nothing_and_uses_the_sandbox() -> None:
    settings = Settings.from_environment({"FAIRKEY_MODE": "demo", "HOME": "/home/example"})
    assert (settings.payment_provider, settings.is_playground) == ("sandbox", True)
    assert settings.origin == "http://127.0.0.1:8000"


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert Settings.from_environment(SAFE | {"FAIRKEY_PORT": " "}).port == 8000


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MODE", "prod", "FAIRKEY_MODE must be one of production, demo, test, not 'prod'."),
        ("PORT", "80x", "FAIRKEY_PORT must be a whole number from 0 to 65535, not '80x'."),
        ("PORT", "-1", "FAIRKEY_PORT must be a whole number from 0 to 65535, not '-1'."),
        ("PORT", "٣", "FAIRKEY_PORT must be a whole number from 0 to 65535, not '٣'."),
        ("FEE_BP", "2001", "FAIRKEY_FEE_BP must be a whole number from 0 to 2000, not '2001'."),
        ("HOST", "example.com", "FAIRKEY_HOST must be an IP address of this machine or localhost, not 'example.com'."),
        ("MAIL_FROM", "nobody", "FAIRKEY_MAIL_FROM must be an e-mail address, not 'nobody'."),
        (
            "TRUSTED_PROXIES",
            "10.0.0.1/8",
            (
                "FAIRKEY_TRUSTED_PROXIES must be addresses or networks separated by commas, like 10.0.0.0/8, ::1, "
                "not '10.0.0.1/8'."
            ),
        ),
        (
            "PUBLIC_URL",
            "https://keys.example/shop",
            (
                "FAIRKEY_PUBLIC_URL must be scheme, host and port only, like https://keys.example, "
                "not 'https://keys.example/shop'."
            ),
        ),
        (
            "PUBLIC_URL",
            "keys.example",
            "FAIRKEY_PUBLIC_URL must be an address that begins with https:// or http://, not 'keys.example'.",
        ),
        (
            "PLATFORM_NAME",
            "two\nlines",
            "FAIRKEY_PLATFORM_NAME must be one line of at most 40 characters, not 'two\nlines'.",
        ),
        ("MASTER_KEY", "c2hvcnQ=", "FAIRKEY_MASTER_KEY must be 32 random bytes in base64 (openssl rand -base64 32)."),
        (
            "DATABASE_URL",
            "mysql://root:hunter2@db/x",
            "FAIRKEY_DATABASE_URL must be an address that begins with postgresql:// or postgres://.",
        ),
        ("PROT", "80", "FAIRKEY_PROT is not a setting; did you mean FAIRKEY_PORT?"),
        ("QQQQQQQQ", "80", "FAIRKEY_QQQQQQQQ is not a setting."),
    ],
)
def test_what_cannot_be_read_is_refused_and_secrets_are_not_repeated(name: str, value: str, sentence: str) -> None:
    assert refused(**{name: value}) == [sentence]


@pytest.mark.parametrize(
    ("changes", "begin"),
    [
        ({"PUBLIC_URL": "http://keys.example"}, "FAIRKEY_PUBLIC_URL must begin with https://"),
        ({"PAYMENT_PROVIDER": "sandbox"}, "FAIRKEY_PAYMENT_PROVIDER=sandbox moves no money"),
        ({"LIMIT_PERCENT": "0"}, "FAIRKEY_LIMIT_PERCENT=0 lets anybody guess"),
        ({"MASTER_KEY": base64.b64encode(bytes(32)).decode()}, "The master key is not random"),
        ({"OPERATOR_EMAIL": "op@keys.example", "OPERATOR_PASSWORD": "short"}, "FAIRKEY_OPERATOR_PASSWORD is too easy"),
        ({"OPERATOR_EMAIL": "op@keys.example", "OPERATOR_PASSWORD": "fairkey-fairkey"}, "FAIRKEY_OPERATOR_PASSWORD is"),
        ({"OPERATOR_EMAIL": "op@keys.example", "OPERATOR_PASSWORD": "OP@keys.example"}, "FAIRKEY_OPERATOR_PASSWORD is"),
        (
            {"OPERATOR_EMAIL": "op@keys.example"},
            "FAIRKEY_OPERATOR_EMAIL and FAIRKEY_OPERATOR_PASSWORD are set together",
        ),
        ({"SMTP_URL": "smtps://mail.example:465"}, "FAIRKEY_MAIL_FROM is needed"),
        ({"SESSION_DAYS": "3"}, "FAIRKEY_SESSION_IDLE_DAYS is longer"),
        ({"SANDBOX_SECRET": "x" * 16, "SANDBOX_URL": "http://127.0.0.1:1"}, "FAIRKEY_SANDBOX_URL is set, but"),
        ({"MASTER_KEY_FILE": "/nowhere/key"}, "FAIRKEY_MASTER_KEY and FAIRKEY_MASTER_KEY_FILE are both set"),
        ({"MASTER_KEY": "", "MASTER_KEY_FILE": "/nowhere/key"}, "The master key file /nowhere/key cannot be read"),
    ],
)
def test_what_is_unsafe_or_contradicts_itself_is_refused(changes: dict[str, str], begin: str) -> None:
    reasons = refused(**changes)
    assert len(reasons) == 1
    assert reasons[0].startswith(begin)


def test_a_demo_does_not_listen_to_the_world() -> None:
    with pytest.raises(SettingsRefused, match=r"FAIRKEY_HOST must be 127\.0\.0\.1"):
        Settings.from_environment({"FAIRKEY_MODE": "demo", "FAIRKEY_HOST": "0.0.0.0", "HOME": "/home/example"})


def test_the_master_key_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_text(MASTER_KEY + "\n")
    file.chmod(0o600)
    changes = {"FAIRKEY_MASTER_KEY": "", "FAIRKEY_MASTER_KEY_FILE": str(file)}
    assert Settings.from_environment(SAFE | changes).master_key == MASTER_KEY
    file.chmod(0o640)
    assert refused(MASTER_KEY="", MASTER_KEY_FILE=str(file))[0] == (
        f"The master key file {file} can be read by others; say chmod 600 {file}."
    )
    file.chmod(0o600)
    file.write_bytes(hashlib.sha256(b"raw").digest())
    assert "not the bytes themselves" in refused(MASTER_KEY="", MASTER_KEY_FILE=str(file))[0]


def test_addresses_in_brackets_and_networks() -> None:
    settings = Settings.from_environment(
        {"FAIRKEY_MODE": "test", "FAIRKEY_HOST": "::1", "FAIRKEY_TRUSTED_PROXIES": "10.0.0.0/8, ::1", "HOME": "/h"}
    )
    assert settings.origin == "http://[::1]:8000"
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))


@pytest.mark.parametrize(
    ("xdg", "home", "expected"),
    [
        ("/var/xdg", "/home/example", "/var/xdg/fairkey"),
        ("relative", "/home/example", "/home/example/.local/state/fairkey"),
        ("", "/home/example", "/home/example/.local/state/fairkey"),
    ],
)
def test_where_state_lives(xdg: str, home: str, expected: str) -> None:
    settings = Settings.from_environment(SAFE | {"XDG_STATE_HOME": xdg, "HOME": home})
    assert settings.state == Path(expected)


def test_secrets_do_not_show() -> None:
    settings = Settings.from_environment(SAFE | {"FAIRKEY_DATABASE_URL": "postgresql://a:hunter2@db/fairkey"})
    assert MASTER_KEY not in repr(settings)
    assert "hunter2" not in repr(settings)
