"""Forms with large files, read as they arrive: fields first, then the file, which is never in memory as a whole.

The page puts the file last; what stands behind it is read when the file has been consumed.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any, Final

from litestar import Request
from litestar.exceptions import HTTPException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from fairkey.engine.vault_port import ImportBrokeOff, ImportIsTooLarge

FIELD_BYTES_MAX: Final = 16 * 1024 * 1024  # of one text field: a pasted list may be long
PARTS_MAX: Final = 40


class Upload:
    """A posted `multipart/form-data`, part by part.

    `fields` are the text fields that have arrived; `hashes` the SHA-256 (hex) of each file that was only hashed.
    """

    def __init__(self, request: Request[Any, Any, Any], *, hashed: frozenset[str] = frozenset()) -> None:
        """`hashed`: names of file fields of which only the hash is wanted."""
        self.fields: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        self.file_names: dict[str, str] = {}
        self._hashed = hashed
        self._parts = _parts(request)
        self._first = b""

    async def up_to_file(self, name: str) -> bool:
        """Read on until the file `name` begins; whether there is one with content.

        Raises `ImportBrokeOff`, `ImportIsTooLarge`.
        """
        async for segment, chunks in self._parts:
            if segment.name == name and segment.filename is not None:
                self.file_names[name] = segment.filename[:200]
                async for self._first in chunks:
                    if self._first:
                        self._chunks = chunks
                        return True
                continue
            await self._keep(segment, chunks)
        return False

    async def rest_of_file(self) -> AsyncIterator[bytes]:
        """The file that was reached, from its first byte. Raises `EOFError` if it breaks off."""
        yield self._first
        try:
            async for chunk in self._chunks:
                yield chunk
        except ImportBrokeOff as error:
            raise EOFError from error

    async def drain(self) -> None:
        """Read what is left and forget it: a browser that is answered before it has sent all sees a failure."""
        with suppress(ImportBrokeOff, EOFError):
            async for _ in self._parts:
                pass

    async def _keep(self, segment: MultipartSegment, chunks: AsyncIterator[bytes]) -> None:
        name = segment.name or ""
        if segment.filename is not None:
            digest = hashlib.sha256()
            size = 0
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
            if size and name in self._hashed:
                self.hashes[name] = digest.hexdigest()
                self.file_names[name] = segment.filename[:200]
            return
        text = bytearray()
        async for chunk in chunks:
            text += chunk
            if len(text) > FIELD_BYTES_MAX:
                raise ImportIsTooLarge(what="bytes", limit=FIELD_BYTES_MAX)
        self.fields.setdefault(name, text.decode("utf-8", "replace").strip())


async def _parts(
    request: Request[Any, Any, Any],
) -> AsyncGenerator[tuple[MultipartSegment, AsyncIterator[bytes]], None]:
    """Each part with its bytes. A part that was not read to its end is skipped."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise ImportBrokeOff
    events = _events(request, options["boundary"])
    async for event in events:
        if isinstance(event, MultipartSegment):
            chunks = _until_end(events)
            yield event, chunks
            async for _ in chunks:
                pass


async def _until_end(events: AsyncIterator[MultipartSegment | bytes | None]) -> AsyncIterator[bytes]:
    async for event in events:
        if event is None:
            return
        if isinstance(event, bytes):
            yield event


async def _events(
    request: Request[Any, Any, Any], boundary: str
) -> AsyncGenerator[MultipartSegment | bytes | None, None]:
    """Beginning of a part, its bytes, `None` at its end."""
    parser = PushMultipartParser(boundary, max_segment_count=PARTS_MAX)
    try:
        async for received in request.stream():
            if received:
                for event in parser.parse(received):
                    yield bytes(event) if isinstance(event, bytes | bytearray | memoryview) else event
        parser.close()  # complains if the end of the form has not come
    except (MultipartError, HTTPException, ValueError) as error:
        raise ImportBrokeOff from error
