"""Every code of a batch proves its text, id and place; nothing else proves anything."""

import json
from base64 import b64encode
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairkey.proofs.code_proofs import (
    CodeProof,
    CodeProofDoesNotHold,
    CodeProofIsMalformed,
    read_code_proof,
)
from fairkey.proofs.commitments import commitment
from fairkey.proofs.merkle import inclusion_proof, leaf_hash, merkle_root
from fairkey.proofs.receipts import Receipt, ReceiptIsMalformed
from fairkey.proofs.tlog_proofs import TlogProof

NOT_LOGGED = TlogProof(0, (), b"origin\n1\nAA==\n\n")  # the log is another matter: `check_log`
texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)
batches = st.lists(texts, min_size=1, max_size=40, unique=True)


def entry(kind: str, public: dict[str, object]) -> bytes:
    facts = {"kind": kind, "at": 1, "stream": "batch:1", "version": 1, "prev": "", "shop": "s", "sealed": {}, "v": 1}
    return json.dumps({**facts, "public": public}, separators=(",", ":"), sort_keys=True).encode()


def id_of(number: int) -> str:
    return str(UUID(int=number + 1))


def proofs_of(given_texts: list[str], name: str = "") -> list[CodeProof]:
    made = [commitment(bytes([n]) * 16, name or id_of(n), text) for n, text in enumerate(given_texts)]
    leaves = [leaf_hash(digest) for digest, _ in made]
    public = {"count": len(leaves), "root": merkle_root(leaves).hex(), "source": "invoice"}
    receipt = Receipt(entry("batch.registered", public), NOT_LOGGED)
    return [
        CodeProof(disclosure, receipt, place, tuple(inclusion_proof(leaves, place)))
        for place, (_, disclosure) in enumerate(made)
    ]


def typed_proof(texts_: list[str], at: int) -> CodeProof:
    made = [commitment(bytes([n]) * 16, id_of(n), text) for n, text in enumerate(texts_)]
    public = {"codes": [id_of(n) for n in range(len(made))], "commitments": [digest.hex() for digest, _ in made]}
    return CodeProof(made[at][1], Receipt(entry("code.delivered", public), NOT_LOGGED))


@given(batches)
@settings(deadline=None, max_examples=60)
def test_every_code_of_a_batch_proves_itself_at_its_place_only(given_texts: list[str]) -> None:
    proofs = proofs_of(given_texts)
    for place, proof in enumerate(proofs):
        proven = read_code_proof(proof.encode()).check()
        assert (proven.text, proven.code_id, proven.place) == (given_texts[place], id_of(place), place)
        assert (proven.size, proven.source) == (len(given_texts), "invoice")
        for other in {place - 1, place + 1, len(given_texts)}:
            with pytest.raises(CodeProofDoesNotHold):
                proof._replace(place=other).check()


@given(batches, texts, st.data())
@settings(deadline=None, max_examples=60)
def test_no_other_text_id_or_salt_proves_anything(given_texts: list[str], other: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(given_texts) - 1))
    proof = proofs_of(given_texts)[place]
    salt = bytes([place]) * 16
    for wrong in (
        commitment(salt, id_of(place), other + given_texts[place]),
        commitment(salt, id_of(place + 1), given_texts[place]),
        commitment(b"\xff" * 16, id_of(place), given_texts[place]),
    ):
        with pytest.raises(CodeProofDoesNotHold):
            proof._replace(disclosure=wrong[1]).check()


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_a_file_with_one_byte_changed_proves_the_same_or_nothing(data: st.DataObject) -> None:
    for proof in (proofs_of(["AAAA-1111", "BBBB-2222", "CCCC-3333"])[1], typed_proof(["AAAA-1111", "BBBB-2222"], 1)):
        good = proof.encode()
        at = data.draw(st.integers(0, len(good) - 1))
        bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
        try:
            proven = read_code_proof(bad).check()
        except (CodeProofIsMalformed, CodeProofDoesNotHold):
            continue
        # The entry's own bytes are the log's to vouch for; text and place must still be bound to what it says.
        assert proven.text == "BBBB-2222"


def test_a_code_typed_at_delivery_is_proven_by_the_entry_itself() -> None:
    proven = read_code_proof(typed_proof(["AAAA-1111", "BBBB-2222"], 1).encode()).check()
    assert (proven.text, proven.code_id, proven.place, proven.source) == ("BBBB-2222", id_of(1), None, "typed")
    swapped = typed_proof(["AAAA-1111", "BBBB-2222"], 0)._replace(
        disclosure=commitment(bytes([0]) * 16, id_of(1), "AAAA-1111")[1]
    )
    with pytest.raises(CodeProofDoesNotHold):
        swapped.check()
    with pytest.raises(CodeProofDoesNotHold):
        typed_proof(["AAAA-1111"], 0)._replace(place=0).check()
    digest, disclosure = commitment(b"s" * 16, id_of(1), "AAAA-1111")
    crossed = Receipt(entry("code.delivered", {"codes": [id_of(0)], "commitments": [digest.hex()]}), NOT_LOGGED)
    with pytest.raises(CodeProofDoesNotHold):
        CodeProof(disclosure, crossed).check()


def test_a_code_of_the_older_form_proves_text_and_place_and_no_id() -> None:
    proven = proofs_of(["AAAA-1111", "BBBB-2222"], name="code")[1].check()
    assert (proven.text, proven.code_id, proven.place) == ("BBBB-2222", "", 1)


def test_other_entries_names_and_files_prove_nothing() -> None:
    proof = proofs_of(["AAAA-1111"])[0]
    with pytest.raises(CodeProofDoesNotHold):
        proofs_of(["AAAA-1111"], name="contact")[0].check()
    with pytest.raises(CodeProofDoesNotHold):
        proof._replace(receipt=Receipt(entry("order.placed", {}), NOT_LOGGED)).check()
    with pytest.raises(CodeProofDoesNotHold):
        proof._replace(receipt=Receipt(entry("batch.registered", {"count": True, "root": "x"}), NOT_LOGGED)).check()
    with pytest.raises(CodeProofDoesNotHold):
        proof._replace(disclosure="卡密").check()
    many = json.loads(proof.encode())
    many["path"] = [b64encode(b"x" * 32).decode()] * 64
    for bad in (b"", b"{}", b"[" * 9_999, json.dumps(many).encode(), proof.encode().replace(b'"place"', b'"plaza"')):
        with pytest.raises(CodeProofIsMalformed):
            read_code_proof(bad)
    with pytest.raises((ReceiptIsMalformed, CodeProofDoesNotHold)):
        proof._replace(receipt=Receipt(b"not JSON", NOT_LOGGED)).check()
