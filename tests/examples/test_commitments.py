"""Commitments: anyone may check what he is shown, nobody can show something else."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from fairkey.proofs.commitments import Disclosed, DisclosureDoesNotFit, check_disclosure, commitment

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_the_digest_of_an_rfc_9901_disclosure_is_the_hash_of_its_text() -> None:
    # RFC 9901 section 4.2.3 hashes the base64url text, not the JSON inside it.
    digest, disclosure = commitment(b"\x00" * 16, "code", "ABCD-1234")
    assert urlsafe_b64decode(disclosure + "==") == b'["AAAAAAAAAAAAAAAAAAAAAA","code","ABCD-1234"]'
    assert digest == hashlib.sha256(disclosure.encode("ascii")).digest()


@given(st.binary(min_size=16, max_size=32), TEXT, TEXT)
def test_what_was_committed_to_can_be_checked(salt: bytes, name: str, value: str) -> None:
    digest, disclosure = commitment(salt, name, value)
    assert check_disclosure(disclosure, digest) == Disclosed(salt, name, value)
    salt_text = urlsafe_b64encode(salt).rstrip(b"=").decode()
    assert urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)) == rfc8785.dumps([salt_text, name, value])


def test_another_value_or_another_salt_does_not_fit() -> None:
    digest, _ = commitment(b"\x01" * 16, "code", "ABCD")
    for salt, value in ((b"\x01" * 16, "ABCE"), (b"\x02" * 16, "ABCD")):
        with pytest.raises(DisclosureDoesNotFit):
            check_disclosure(commitment(salt, "code", value)[1], digest)


@pytest.mark.parametrize("text", ["", "WzEsMl0", "bm90IGpzb24", "WzEsMiwzXQ", "é", "eyJhIjoxLCJiIjoyLCJjIjozfQ", "_w"])
def test_what_is_no_disclosure_is_refused_even_when_its_hash_fits(text: str) -> None:
    with pytest.raises(DisclosureDoesNotFit):
        check_disclosure(text, hashlib.sha256(text.encode()).digest())


def test_a_short_salt_is_our_own_bug() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        commitment(b"short", "code", "x")
