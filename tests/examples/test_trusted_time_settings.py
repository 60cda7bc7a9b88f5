"""Authorities and roots in the settings: read as meant, or refused at the start in a sentence."""

from pathlib import Path

import pytest

from fairkey.app.trusted_time import pinned_roots
from fairkey.settings import Settings, SettingsRefused


def read(urls: str, roots: str = "/roots.pem", **more: str) -> Settings:
    return Settings.from_environment(
        {"FAIRKEY_MODE": "test", "FAIRKEY_TSA_URLS": urls, "FAIRKEY_TSA_ROOTS": roots, **more}
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", ()),
        ("https://tsa.example/tsr", (("tsa.example", "https://tsa.example/tsr"),)),
        ("one=https://a.example/x, http://b.example", (("one", "https://a.example/x"), ("b.example", "http://b.example"))),
        ("https://a.example/tsr?key=1", (("a.example", "https://a.example/tsr?key=1"),)),
        ("one=https://a.example/tsr?key=1,", (("one", "https://a.example/tsr?key=1"),)),
    ],
)
def test_authorities_have_names(text: str, meant: tuple[tuple[str, str], ...]) -> None:
    assert read(text, "/roots.pem" if meant else "").tsa_urls == meant


@pytest.mark.parametrize(
    "text",
    ["tsa.example", "one=", "=https://a.example", "ftp://a.example", "a b=https://a.example", "one=https://", "https://[",
     "one=https://a.example,one=https://b.example", "https://a.example,https://a.example/x"],
)  # fmt: skip
def test_what_is_no_list_of_authorities(text: str) -> None:
    with pytest.raises(SettingsRefused, match="FAIRKEY_TSA_URLS must be addresses"):
        read(text)


def test_authorities_and_roots_go_together() -> None:
    for urls, roots in (("https://a.example", ""), ("", "/roots.pem")):
        with pytest.raises(SettingsRefused, match="together"):
            read(urls, roots)


def test_roots_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    assert pinned_roots(read("", "")) is None
    file = tmp_path / "roots.pem"
    with pytest.raises(SettingsRefused, match="cannot be read"):
        pinned_roots(read("https://a.example", str(file)))
    file.write_text("hello")
    with pytest.raises(SettingsRefused, match="holds no certificate"):
        pinned_roots(read("https://a.example", str(file)))
