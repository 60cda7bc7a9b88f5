"""That somebody's data was erased: when, on what ground and how much; never whose.

The erasing itself is storage's work, done before this is said: the fact is told once, in the past tense.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from .basics import Command, Event, Refusal, require


class Basis(StrEnum):
    """Why the data went."""

    REQUEST = "request"  # the person asked (PIPL art. 47)
    RETENTION = "retention"  # the time for which the law wants it kept was over


class PersonErased(Event, frozen=True):
    """What was shredded: so many histories, sealed rows (plaintexts and salting keys), codes and accounts."""

    kind = "person.erased"
    basis: Basis
    histories: int
    sealed_rows: int
    codes: int
    accounts: int


ErasureEvent = PersonErased


class RecordErasure(Command, frozen=True):
    """Operator: it is done, and this much it was. The id is drawn for this erasure and stands for nobody."""

    erasure_id: str
    basis: Basis
    histories: int
    sealed_rows: int
    codes: int
    accounts: int


ErasureCommand = RecordErasure


class ErasureWasRecorded(Refusal):
    """An erasure is told once."""


class Erasure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One erasure."""

    basis: Basis | None = None
    histories: int = 0
    at_ms: int = 0


INITIAL = Erasure()


def decide(command: ErasureCommand, erasure: Erasure, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command` for this erasure, or a `Refusal`."""
    match command:
        case RecordErasure():
            if erasure.basis is not None:
                raise ErasureWasRecorded
            for name in ("histories", "sealed_rows", "codes", "accounts"):
                require(getattr(command, name) >= 0, name, "too_small")
            return [
                PersonErased(
                    basis=command.basis,
                    histories=command.histories,
                    sealed_rows=command.sealed_rows,
                    codes=command.codes,
                    accounts=command.accounts,
                )
            ]
        case _:
            assert_never(command)


def evolve(erasure: Erasure, event: ErasureEvent, at_ms: int) -> Erasure:
    """The erasure after `event`."""
    match event:
        case PersonErased():
            return Erasure(basis=event.basis, histories=event.histories, at_ms=at_ms)
        case _:
            assert_never(event)
