"""Statements of issuers as bytes: vectors that never change, and what is read back from them."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fairkey.proofs.attestations import (
    CodeStatement,
    ListStatement,
    StatementIsMalformed,
    disclosed,
    public_key_of,
    read_statement,
    sign_statement,
    signing_key_of,
    write_list_statement,
    write_statement,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "issuer_statements.json").read_text(encoding="utf-8"))
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["seed"]))
ISSUER = "0199aaaa-0000-7000-8000-000000000001"
AT_MS = 1_760_000_000_000


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda vector: vector["name"])
def test_vectors_that_hold(vector: dict[str, str]) -> None:
    assert public_key_of(KEY) == VECTORS["public_key"]
    assert sign_statement(KEY, vector["statement"]) == vector["signature"]
    keys = {1: "11" * 32, 2: VECTORS["public_key"]}
    assert signing_key_of(vector["statement"], vector["signature"], keys) == 2
    told = read_statement(vector["statement"])
    if isinstance(told, CodeStatement):
        assert hashlib.sha256(vector["code"].encode()).digest() == told.code_digest
        assert disclosed(vector["code"], told.code_digest, "code")[0] == vector["plain_code"]


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_vectors_that_do_not(vector: dict[str, str]) -> None:
    with pytest.raises(StatementIsMalformed):
        read_statement(vector["statement"])


@pytest.mark.parametrize("page", ["docs/issuers.md"])
def test_the_vector_on_the_page_is_one_of_these(page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    assert VECTORS["good"][0]["statement"] in text
    assert VECTORS["good"][0]["signature"] in text
    assert VECTORS["public_key"] in text


@given(code=st.text(min_size=1, max_size=200), account=st.text(max_size=100), ago_ms=st.integers(0, 10**9))
def test_what_is_written_is_read_back(code: str, account: str, ago_ms: int) -> None:
    written = write_statement(
        KEY, issuer_id=ISSUER, said_at_ms=AT_MS, says="activated", code=code, happened_at_ms=AT_MS - ago_ms,
        account=account,
    )  # fmt: skip
    told = read_statement(written.statement)
    assert isinstance(told, CodeStatement)
    assert signing_key_of(written.statement, written.signature, {1: VECTORS["public_key"]}) == 1
    assert disclosed(written.code, told.code_digest, "code")[0] == code
    if account:
        assert told.account_digest is not None
        assert disclosed(written.account, told.account_digest, "account")[0] == account


@given(st.text(max_size=300) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_any_other_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(StatementIsMalformed):
        read_statement(text)


def test_a_list() -> None:
    statement, signature = write_list_statement(
        KEY, issuer_id=ISSUER, said_at_ms=AT_MS, product="点券 50", count=500, shop_no=101, list_id="PO-7"
    )
    told = read_statement(statement)
    assert isinstance(told, ListStatement)
    assert (told.product, told.quantity, told.shop_no, told.list_id) == ("点券 50", 500, 101, "PO-7")
    assert signing_key_of(statement, signature, {}) is None


def test_nothing_is_signed_that_would_not_be_taken() -> None:
    with pytest.raises(StatementIsMalformed):
        write_statement(
            KEY, issuer_id="me", said_at_ms=AT_MS, says="activated", code="A", happened_at_ms=AT_MS
        )  # fmt: skip
    with pytest.raises(StatementIsMalformed):
        write_statement(KEY, issuer_id=ISSUER, said_at_ms=AT_MS, says="sold", code="A", happened_at_ms=AT_MS)


def test_a_disclosure_is_taken_for_what_it_names_and_with_a_real_salt_only() -> None:
    for parts in (["AAECAwQFBgcICQoLDA0ODw", "account", "A-1"], ["AAECAw", "code", "A-1"], ["", "code", "A-1"]):
        told = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
        with pytest.raises(StatementIsMalformed):
            disclosed(told, hashlib.sha256(told.encode()).digest(), "code")
