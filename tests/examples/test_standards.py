"""The published versions of the standard: each once, never changed, never retroactive; which one judges an order."""

import pytest
from msgspec.structs import replace

from business_cases import NOW, Case, all_of, hold
from fairkey.business import standards
from fairkey.business.basics import PLATFORM, FieldIsInvalid
from fairkey.business.standards import (
    STANDARD_ID,
    PublishStandard,
    StandardIsRetroactive,
    StandardPublished,
    StandardWasPublished,
    evolve,
    version_for,
)

PUBLISH = PublishStandard(
    shop_id=PLATFORM, standard_id=STANDARD_ID, name="FK-AF-1", version="1.0", sha256="ab" * 32
)
FIRST = StandardPublished(name="FK-AF-1", version="1.0", sha256="ab" * 32, in_force_from_ms=NOW)
SECOND = replace(FIRST, version="1.1", sha256="cd" * 32, in_force_from_ms=NOW + 1_000)
CASES = [
    Case(rule="a version is in force from its publication", when=PUBLISH, then=[FIRST]),
    Case(
        rule="or from a later moment",
        when=replace(PUBLISH, in_force_from_ms=NOW + 1_000),
        then=[replace(FIRST, in_force_from_ms=NOW + 1_000)],
    ),
    Case(rule="the same again changes nothing", given=(FIRST,), when=PUBLISH, at_ms=NOW + 9, then=[]),
    Case(
        rule="other bytes under the same number are refused",
        given=(FIRST,),
        when=replace(PUBLISH, sha256="cd" * 32),
        then=(StandardWasPublished, {"version": "1.0", "sha256": "ab" * 32}),
    ),
    Case(
        rule="never before its publication",
        when=replace(PUBLISH, in_force_from_ms=NOW - 1),
        then=(StandardIsRetroactive, {"from_ms": NOW}),
    ),
    Case(
        rule="never before the version that was published before it",
        given=(replace(FIRST, in_force_from_ms=NOW + 50),),
        when=replace(PUBLISH, version="1.1", in_force_from_ms=NOW + 49),
        then=(StandardIsRetroactive, {"from_ms": NOW + 50}),
    ),
    Case(rule="a hash is one", when=replace(PUBLISH, sha256="AB" * 32), then=FieldIsInvalid),
    Case(rule="a version has a number", when=replace(PUBLISH, version=""), then=FieldIsInvalid),
]


@all_of(CASES)
def test_standards(case: Case) -> None:
    hold(standards, case)


@pytest.mark.parametrize(
    ("placed_at_ms", "version"), [(NOW - 1, None), (NOW, "1.0"), (NOW + 999, "1.0"), (NOW + 1_000, "1.1")]
)
def test_an_order_is_judged_by_the_version_that_was_in_force_when_it_was_placed(
    placed_at_ms: int, version: str | None
) -> None:
    published = evolve(evolve(standards.INITIAL, FIRST, NOW), SECOND, NOW + 5).published
    found = version_for(placed_at_ms, published)
    assert (found.version if found else None) == version
