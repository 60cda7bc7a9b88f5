"""What the edges and the engine may ask of the vault: deposit codes, open them, say how an import is going.

Ids are UUIDs in their canonical text form, moments are milliseconds UTC. Plaintext leaves through `CodeVault` and
`CodeExport` only.

A deposit has two steps. `CodeImports.stage` puts the codes into the vault, where they are not for sale. The engine
then registers the batch: in ONE transaction it moves the `imports` row from `staged` to `registered` (and stops if it
was not staged) and makes the rows of `codes` from those of `vault`. What is never registered is dropped by
`clean_abandoned`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from fairkey.business.basics import Refusal
from fairkey.business.code_lines import Reason

IMPORT_LINES_MAX = 100_000
IMPORT_BYTES_MAX = 64 * 1024 * 1024
IMPORTS_AT_ONCE_MAX = 4  # under way in one shop
TYPED_CODES_MAX = 1_000

ImportState = Literal["receiving", "staged", "registered", "failed", "abandoned"]


class ImportIsUnderWay(Refusal):
    """The import is being received right now. Details: import_id."""


class ImportIsClosed(Refusal):
    """The import already ended well and takes no more lines. Details: import_id, state."""


class TooManyImports(Refusal):
    """The shop has as many imports under way as it may. Details: limit."""


class ImportIsTooLarge(Refusal):
    """Nothing was taken: split the file. Details: what (`lines` or `bytes`), limit."""


class ImportIsNoText(Refusal):
    """Nothing was taken: codes are deposited as text. Details: what (picture, workbook, document, archive, program,
    bytes).
    """


class ImportWasAbandoned(Refusal):
    """The import stood still for too long and was cleaned up. Details: import_id."""


class ImportBrokeOff(Refusal):
    """The file did not arrive whole; nothing was kept. Details: import_id."""


class TypedCodesAreRefused(Refusal):
    """None of the typed codes was taken. Details: lines, each with line_no (from 1), reason, hint, same_as_line."""


class VaultIsCorrupt(Exception):
    """A code in the vault is missing, cannot be opened, or is not what was committed to. Tell an operator."""

    def __init__(self, shop_id: str, code_id: str, why: str) -> None:
        super().__init__(f"code {code_id} of shop {shop_id}: {why}")
        self.shop_id = shop_id
        self.code_id = code_id
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import is. Always, once all is read: lines_read = accepted + refused + empty + header (0 or 1)."""

    bytes_read: int = 0
    lines_read: int = 0
    empty: int = 0
    accepted: int = 0
    refused: int = 0
    duplicate_in_file: int = 0
    duplicate_elsewhere: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A file that lies in the vault and waits to be registered. `root` is the Merkle root over the `count` commitments.

    With `count` 0 there is nothing to register and the import is `failed`; its refusals can be read all the same.
    """

    import_id: str
    count: int
    root: bytes
    progress: ImportProgress
    encoding: str
    delimiter: str
    columns_taken: tuple[str, ...]
    columns_ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """One import as its shop sees it, at any time and from any process."""

    import_id: str
    listing_id: str | None
    state: ImportState
    file_name: str
    note: str
    source: str
    invoice_sha256: bytes | None
    custody: int
    by_account: str
    encoding: str
    delimiter: str
    columns_taken: tuple[str, ...]
    columns_ignored: tuple[str, ...]
    progress: ImportProgress
    root: bytes | None
    error: str
    started_at_ms: int
    touched_at_ms: int
    finished_at_ms: int | None


class RefusedRow(NamedTuple):
    """One refused line in a report. `hint` is masked."""

    line_no: int
    reason: Reason
    hint: str
    same_as_line: int | None


class OpenedCode(NamedTuple):
    """A code in clear, with what is needed to prove that it is the one committed to.

    Text and salt are empty when they were erased after the time for which they had to be kept.
    """

    text: str
    salt: bytes
    commitment: bytes


class ExportedCode(NamedTuple):
    """One unsold code on its way back to its merchant."""

    code_id: str
    batch_id: str
    position: int
    text: str


class CodeImports(Protocol):
    """Depositing codes."""

    async def stage(  # noqa: PLR0913 - everything an import is told about itself
        self,
        *,
        shop_id: str,
        import_id: str,
        listing_id: str,
        chunks: AsyncIterator[bytes],
        file_name: str = "",
        note: str = "",
        source: str = "",
        invoice_sha256: bytes | None = None,
        custody: int = 1,
        by_account: str = "",
        on_progress: Callable[[ImportProgress], None] | None = None,
    ) -> Staged:
        """Read a file into the vault under the batch id `import_id`; an abandoned or failed import may be given again.

        Lines that cannot be taken are refused one by one and reported. Raises `ImportIsUnderWay`, `ImportIsClosed`,
        `TooManyImports`, `ImportIsTooLarge`, `ImportIsNoText`, `ImportWasAbandoned`, `ImportBrokeOff`; then nothing of
        this file stays in the vault.
        """
        ...

    async def put_typed(
        self, shop_id: str, batch_id: str, texts: Sequence[str], *, by_account: str = ""
    ) -> list[tuple[str, str]]:
        """Put typed codes (custody C2) into the vault, all or none: (code id, commitment in hex), in order.

        May be called several times for one batch. Raises `TypedCodesAreRefused`.
        """
        ...

    async def drop_unregistered(self, shop_id: str, batch_id: str, code_ids: Sequence[str] | None = None) -> int:
        """Drop codes of a batch that were never registered; how many. They can then be deposited anew.

        With `code_ids` only those: somebody else may be typing codes into the same batch at this moment.
        """
        ...

    async def clean_abandoned(self, older_than_ms: int) -> int:
        """Drop imports and typed batches that stood still for that long; how many. Safe beside everything, from any
        process.
        """
        ...

    async def find(self, shop_id: str, import_id: str) -> ImportRecord | None:
        """One import of the shop."""
        ...

    async def recent(self, shop_id: str, *, listing_id: str | None = None, imports_max: int = 50) -> list[ImportRecord]:
        """The shop's imports, newest first; typed batches are left out."""
        ...

    async def refusal_report(
        self, shop_id: str, import_id: str, *, after_line_no: int = 0, rows_max: int = IMPORT_LINES_MAX
    ) -> list[RefusedRow]:
        """Refused lines in order of the file."""
        ...


class CodeVault(Protocol):
    """Opening codes. Whether somebody may is decided before."""

    async def open_codes(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, OpenedCode]:
        """The codes in clear, each checked against its commitment; `VaultIsCorrupt` if one is missing or changed.

        Callers of the same moment are answered by one query.
        """
        ...

    def export_unsold(
        self, shop_id: str, *, listing_id: str, batch_id: str | None = None
    ) -> AsyncIterator[ExportedCode]:
        """The free codes of a listing (or of one of its batches), in the order they were deposited."""
        ...
