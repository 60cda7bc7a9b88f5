"""The journal of a case: one line for each act, each naming the hash of the line before. What it says is the case;
`case.json` is a copy of where it leads.

A line is canonical JSON (members sorted, no spaces, UTF-8): `no` from 1, `at_ms`, `act`, `facts` (what the act wants to
say), `change` (how the case changed: members `set`, `add` to the end of a list, `drop`), `revision` and `case_sha256`
after it, and `prev`, the SHA-256 of the line before without its line feed (64 zeros before the first).
"""

import hashlib
import json
import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from .disk import open_regular
from .model import Case

NOTHING: Final = "0" * 64
LINE_BYTES_MAX: Final = 64 * 1024 * 1024
_TAIL_BYTES: Final = 64 * 1024

Facts = Mapping[str, Any]
"""Numbers, texts, lists and members of these."""


class JournalIsBroken(Exception):
    """A line does not follow from the one before. The argument is a sentence."""


class Act(Struct, frozen=True, kw_only=True):
    """One line."""

    no: int
    at_ms: int
    act: str
    prev: str
    revision: int
    case_sha256: str
    facts: dict[str, Any] = {}
    change: dict[str, Any] = {}


def canonical(value: object) -> bytes:
    """The one JSON text of a value: members sorted, no spaces, UTF-8."""
    return json.dumps(
        msgspec.to_builtins(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def case_bytes(case: Case) -> bytes:
    """`case.json`: the case for eyes and programs, always the same text for the same case."""
    text = json.dumps(msgspec.to_builtins(case), ensure_ascii=False, sort_keys=True, indent=1)
    return text.encode() + b"\n"


def sha256_hex(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def change_between(before: Case | None, after: Case) -> dict[str, Any]:
    """How to come from one case to the next."""
    old: dict[str, Any] = msgspec.to_builtins(before) if before is not None else {}
    new: dict[str, Any] = msgspec.to_builtins(after)
    change: dict[str, dict[str, Any]] = {"set": {}, "add": {}}
    for name, value in new.items():
        was = old.get(name)
        if was == value:
            continue
        if isinstance(was, (list, tuple)) and was and len(value) > len(was) and value[: len(was)] == was:
            change["add"][name] = value[len(was) :]
        else:
            change["set"][name] = value
    dropped = sorted(set(old) - set(new))
    return {name: part for name, part in change.items() if part} | ({"drop": dropped} if dropped else {})


def changed(state: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The state after a change. Raises `JournalIsBroken`."""
    state = state | dict(change.get("set", {}))
    for name, more in change.get("add", {}).items():
        if not isinstance(state.get(name), list) or not isinstance(more, list):
            raise JournalIsBroken(f"it adds to {name}, which is no list")
        state[name] = [*state[name], *more]
    return {name: value for name, value in state.items() if name not in change.get("drop", ())}


def case_of(state: Mapping[str, Any]) -> Case:
    """The case that a state is. Raises `JournalIsBroken`."""
    try:
        return msgspec.convert(state, Case)
    except msgspec.ValidationError as error:
        raise JournalIsBroken(f"it leads to no case: {error}") from None


def read_act(line: bytes) -> Act:
    """One line. Raises `JournalIsBroken`."""
    try:
        return msgspec.json.decode(line, type=Act)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise JournalIsBroken(f"it cannot be read: {error}") from None


def replay(path: Path) -> tuple[Case, list[Act]]:
    """The whole journal, each line checked against the one before; the case it leads to.

    A last line without its line feed was being written when the machine died: it does not count.
    Raises `JournalIsBroken`, `FileIsRefused`.
    """
    state: dict[str, Any] = {}
    acts: list[Act] = []
    prev = NOTHING
    with open_regular(path) as raw:
        for number, line in enumerate(_lines(raw), 1):
            try:
                act = _following(line, number, prev)
                state = changed(state, act.change)
            except JournalIsBroken as error:
                raise JournalIsBroken(f"Line {number} of the journal is not as it was written: {error}.") from None
            acts.append(act)
            prev = sha256_hex(line)
    if not acts:
        raise JournalIsBroken("The journal is empty.")
    case = case_of(state)
    if sha256_hex(case_bytes(case)) != acts[-1].case_sha256:
        raise JournalIsBroken("The journal does not lead to the case that its last line names.")
    return case, acts


def _following(line: bytes, number: int, prev: str) -> Act:
    act = read_act(line)
    if act.no != number or act.prev != prev:
        raise JournalIsBroken("it does not follow the one before")
    return act


def _lines(file: FileIO) -> list[bytes]:
    pieces = []
    while piece := file.read(1024 * 1024):
        pieces.append(piece)
    return b"".join(pieces).split(b"\n")[:-1]


def last_line(path: Path) -> tuple[bytes, int]:
    """The last whole line and where it ends; what follows was being written when the machine died.

    Raises `FileIsRefused`, `JournalIsBroken`.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        span = _TAIL_BYTES
        while True:
            start = max(0, size - span)
            file.seek(start)
            data = b""
            while piece := file.read(size - start - len(data)):
                data += piece
            end = data.rfind(b"\n")
            begin = data.rfind(b"\n", 0, end) if end > 0 else -1
            if end >= 0 and (begin >= 0 or start == 0):
                return data[begin + 1 : end], start + end + 1
            if start == 0 or span > LINE_BYTES_MAX:
                raise JournalIsBroken("The journal has no whole line.")
            span *= 8


def append(path: Path, line: bytes, *, at: int) -> None:
    """Write a line at `at`, over what a death left behind it, and make it durable. Only under the case's lock."""
    with path.open("r+b" if path.exists() else "xb", buffering=0) as file:
        file.truncate(at)
        file.seek(at)
        data = line + b"\n"
        while data:
            data = data[file.write(data) :]
        os.fsync(file.fileno())
