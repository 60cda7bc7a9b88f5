"""Erasures: told once, with numbers and without a person."""

from msgspec.structs import replace

from business_cases import SHOP, Case, all_of, hold
from fairkey.business import erasures
from fairkey.business.basics import FieldIsInvalid
from fairkey.business.erasures import Basis, ErasureWasRecorded, PersonErased, RecordErasure

TOLD = RecordErasure(
    shop_id=SHOP,
    erasure_id="00000000-0000-7000-8000-000000000071",
    basis=Basis.REQUEST,
    histories=3,
    sealed_rows=7,
    codes=4,
    accounts=1,
)
ERASED = PersonErased(basis=Basis.REQUEST, histories=3, sealed_rows=7, codes=4, accounts=1)
CASES = [
    Case(rule="what was erased is told", when=TOLD, then=[ERASED]),
    Case(
        rule="or ran out",
        when=replace(TOLD, basis=Basis.RETENTION, accounts=0),
        then=[replace(ERASED, basis=Basis.RETENTION, accounts=0)],
    ),
    Case(rule="once", given=(ERASED,), when=TOLD, then=ErasureWasRecorded),
    Case(rule="nothing is erased less than not at all", when=replace(TOLD, codes=-1), then=FieldIsInvalid),
]


@all_of(CASES)
def test_erasures(case: Case) -> None:
    hold(erasures, case)


def test_the_fact_names_nobody() -> None:
    assert PersonErased.sealed == frozenset()
    assert set(PersonErased.__struct_fields__) == {"basis", "histories", "sealed_rows", "codes", "accounts"}
