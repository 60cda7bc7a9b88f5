"""Outside cases that the house keeps for accounts: sealed, counted, and gone when their owner says so.

A kept case is a case folder (`fairkey.casework`) that lies encrypted and is opened only while somebody works on it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from fairkey.business.basics import Refusal
from fairkey.casework.folder import CaseFolder
from fairkey.casework.model import Case

CASES_MAX: Final = 20
FILES_MAX: Final = 40
MIB: Final = 1024 * 1024
FILE_BYTES_MAX: Final = 64 * MIB
CASE_BYTES_MAX: Final = 256 * MIB
JOB_WAIT_S: Final = 300.0

T = TypeVar("T")


class TooManyCases(Refusal):
    """The account keeps as many cases as it may. Details: `limit`."""


class CaseIsFull(Refusal):
    """The case keeps as much as it may. Details: `limit` of files, `mib`."""


class CaseFileIsRefused(Refusal):
    """Nothing of the file was kept. Details: `why` (empty, too_large, broke_off, changed)."""


class CaseIsBusy(Refusal):
    """Its files are being read or packed already."""


class CaseRow(Struct, frozen=True, kw_only=True):
    """What stands outside the seal. `job`: reading, packing or empty; `job_failed`: the last one came to no end."""

    case_id: str
    account_id: str
    created_at_ms: int
    job: str = ""
    job_failed: bool = False
    has_pack: bool = False


class CaseRoom(Protocol):
    """The cases of accounts. Every method but `begin` and `mine` raises `NotFound` for anybody but the owner."""

    async def begin(self, account_id: str, case: Case) -> None:
        """Keep a new case. Raises `TooManyCases`."""

    async def mine(self, account_id: str) -> list[CaseRow]:
        """His cases, the newest first."""

    async def row(self, account_id: str, case_id: str) -> CaseRow:
        """What stands outside the seal."""

    async def look(self, account_id: str, case_id: str, work: Callable[[CaseFolder], T], *, files: bool = False) -> T:
        """Read in the opened folder, in a thread; what `work` changes there is lost. `files`: with the originals."""

    async def change(self, account_id: str, case_id: str, work: Callable[[CaseFolder], T]) -> T:
        """Work in the opened folder (originals are not in it), in a thread, alone; all of it is kept, or nothing.

        Raises `CaseIsFull`, and what `work` raises.
        """

    async def start(self, account_id: str, case_id: str, job: str) -> None:
        """Begin reading or packing behind the page. Raises `CaseIsBusy`."""

    async def pack(self, account_id: str, case_id: str) -> bytes:
        """The ZIP that was made last. Raises `NotFound` where there is none."""

    async def forget(self, account_id: str, case_id: str) -> None:
        """Erase the case: its key and its files."""

    async def crop(self, account_id: str, case_id: str, number: int) -> bytes:
        """The spot of a picture (JPEG, made anew) at which proposed fact `number`, from 1, was read. Raises `NotFound`
        where it was not read in a picture.
        """

    def receiving(self) -> Path:
        """A private folder for files on their way in; the caller removes it."""

    async def stop(self) -> None:
        """End what still works behind the pages."""
