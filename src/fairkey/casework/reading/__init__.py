"""Reading: files propose facts, and point at where they stand. A person confirms; nothing here decides anything."""

import hashlib
import importlib.util
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from fairkey.casework.model import CaseFile, ProposedFact

from .parsers import FileRead, facts_in, undated_in
from .sources import readings_of

_NEEDED: Final = {
    "image/": ("rapidocr", "pictures are read by fairkey[ocr]"),
    "video/": ("av", "recordings are read by fairkey[video] and fairkey[ocr]"),
    "application/pdf": ("pypdfium2", "PDF files are read by fairkey[cases]"),
}


_PACKAGES: Final = ("rapidocr", "onnxruntime", "pillow", "pypdfium2", "av")


@cache
def reader_version() -> str:
    """Names this reader: its own lines, and the packages that it reads with. Another name may read otherwise."""
    here = Path(__file__).parent
    found = hashlib.sha256()
    for path in (*sorted(here.glob("*.py")), here.parent / "pages.py", here.parent / "mails.py"):
        found.update(path.read_bytes())
    for name in _PACKAGES:
        try:
            found.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:
            continue
    return found.hexdigest()[:16]


def missing_for(media_type: str) -> str:
    """A sentence about a package that reading such files needs and that is not here, or empty."""
    for begin, (module, sentence) in _NEEDED.items():
        if media_type.startswith(begin) and importlib.util.find_spec(module) is None:
            return f"{sentence}, which is not installed here"
    if media_type.startswith("video/") and importlib.util.find_spec("rapidocr") is None:
        return f"{_NEEDED['video/'][1]}, which is not installed here"
    return ""


def propose(path: Path, file: CaseFile) -> FileRead:
    """What the file at `path` says. What cannot be read says nothing; raises nothing for what is in it."""
    if "reading" in file.checks:
        return FileRead()
    return read_file(path, file.seal.sha256, file.media_type, file.taken_at)


def read_facts(path: Path, sha256: str, media_type: str) -> list[ProposedFact]:
    """Facts that a file proposes which is in no case."""
    return list(read_file(path, sha256, media_type).facts)


def read_file(path: Path, sha256: str, media_type: str, taken: str = "") -> FileRead:
    """What a file says. `taken`: when the person says that its picture was taken, a day or a moment."""
    facts: list[ProposedFact] = []
    undated: list[str] = []
    note = ""
    if missing_for(media_type):
        return FileRead()
    seen = set()
    # Readers of seven formats, each with errors of its own, on a stranger's bytes: what was read until there counts.
    with suppress(Exception):
        for reading in readings_of(path, media_type):
            for fact in facts_in(reading.rows, sha256, reading.said_by, taken):
                key = (fact.kind, fact.value, fact.role)
                if key not in seen:
                    seen.add(key)
                    facts.append(fact)
            undated += undated_in(reading.rows, reading.said_by, taken)
            note = reading.note or note
    return FileRead(tuple(facts), tuple(dict.fromkeys(undated)), note)


__all__ = ["FileRead", "missing_for", "propose", "read_facts", "read_file", "reader_version"]
