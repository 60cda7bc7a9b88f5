"""A hash is told of once, by its own id; another hash under the same id is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from business_cases import Case, all_of, hold, state_after
from fairkey.business import seals
from fairkey.business.basics import PLATFORM, Broken, FieldIsInvalid
from fairkey.business.seals import EvidenceSealed, SealEvidence, SealIsTaken, seal_id_of, stream_of

SHA256 = "3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855e"
TWIN = SHA256[:32] + "00" * 16  # half of it is the same
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)


def told(sha256: str, seal_id: str = "") -> SealEvidence:
    return SealEvidence(shop_id=PLATFORM, seal_id=seal_id or seal_id_of(SHA256), sha256=sha256)


SEALED = EvidenceSealed(sha256=SHA256)
CASES = [
    Case(rule="a hash is told of", when=told(SHA256), then=[SEALED]),
    Case(rule="once", given=(SEALED,), when=told(SHA256), then=[]),
    Case(rule="not under another's id", when=told(SHA256, seal_id_of("ab" * 32)), then=Broken),
    Case(rule="an id holds one hash", given=(SEALED,), when=told(TWIN), then=SealIsTaken),
    *(
        Case(
            rule=f"not a hash: {why}", when=told(text), then=(FieldIsInvalid, {"field": "sha256", "why": "not_a_hash"})
        )
        for why, text in (
            ("empty", ""),
            ("short", "ab" * 31),
            ("in capitals", "AB" * 32),
            ("with a line", SHA256 + "\n"),
        )
    ),
]


@all_of(CASES)
def test_seals(case: Case) -> None:
    hold(seals, case)


@given(HASHES, HASHES)
def test_each_hash_has_an_id_of_its_own(one: str, other: str) -> None:
    assert seal_id_of(one)[14] == "8"
    assert seal_id_of(one)[19] in "89ab"
    same = bytes.fromhex(one)[:16] == bytes.fromhex(other)[:16]
    assert (stream_of(one) == stream_of(other)) >= same
    assert state_after(seals, (EvidenceSealed(sha256=one),)).sha256 == one


def test_an_id_is_only_of_a_hash() -> None:
    with pytest.raises(FieldIsInvalid):
        seal_id_of("x" * 64)
