"""A published version never changes: its bytes are named by their hash for ever."""

from hashlib import sha256

from fairkey.business.standard.library import editions

PUBLISHED = {
    "1.0": "a83c17b2b81a65f278ebcafe7347757169b5f423ceb1bf73b320e131e6ccfa4e",
    "1.1": "596375ba3525e8da36178b9e1daa7cbe415385cb77d9df15cab0ea8703b2e119",
    "1.2": "1ed087190f4bcc1d74e90c1710a38f8310c517bbf9f1b2f2271643a545c0febb",
}


def test_every_version_has_the_bytes_that_it_was_published_with() -> None:
    assert {version: sha256(edition.data).hexdigest() for version, edition in editions().items()} == PUBLISHED
    assert all(edition.standard.sha256 == PUBLISHED[version] for version, edition in editions().items())
