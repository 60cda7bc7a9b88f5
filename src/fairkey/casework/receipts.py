"""In a public log: the SHA-256 of each sealed list, sent to logs that the person chose; their receipts lie beside it.

A log sees only the hash (`POST /api/v1/seals` of a fairkey). Nothing it answers is believed before it was checked with
the policy that the person chose: the log's key, and the witnesses that must have seen the entry. A log that is away, or
whose witnesses have not seen the entry yet, leaves the list waiting; the next `seal`, `run` or `pack` asks again.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec import structs

from fairkey.proofs.merkle import InclusionIsNotProven, leaf_hash
from fairkey.proofs.notes import NoteIsMalformed, NoteIsNotSigned
from fairkey.proofs.policies import Policy, PolicyIsMalformed, QuorumIsNotMet, read_policy
from fairkey.proofs.receipts import (
    PROMISE_SUFFIX,
    RECEIPT_SUFFIX,
    ReceiptDoesNotHold,
    ReceiptIsMalformed,
    open_promise,
    read_receipt,
)

from .disk import FileIsRefused, read_bounded, write_whole
from .folder import CaseFolder
from .journal import sha256_hex
from .model import Case
from .stamping import LIST_BYTES_MAX, NoRedirect, list_folders

KIND: Final = "evidence.sealed"
REPLY_BYTES_MAX: Final = 256 * 1024
POLICY_BYTES_MAX: Final = 64 * 1024
PATIENCE_S: Final = 10.0
TRIES: Final = 5  # a receipt is there about a second after the promise
PAUSE_S: Final = 1.0
_NOT_READY: Final = 409
_TAKEN: Final = frozenset({200, 201})


class LogIsAway(Exception):
    """No answer came. The argument ends a sentence that begins with the log's name."""


class ReceiptIsRefused(Exception):
    """What came proves nothing about this list. The argument ends a sentence that begins with the log's name."""


class Log(NamedTuple):
    """A fairkey that takes hashes: what we call it, and its address."""

    name: str
    url: str


class Entry(NamedTuple):
    """Where a list is in a log: the log's origin, the number from 0, the moment that the log tells, and when witnesses
    of the policy saw a tree with it (the last of them; 0: the policy asks for none).
    """

    origin: str
    number: int
    at_ms: int
    witnessed_at_ms: int


class Logged(NamedTuple):
    """What one log did for one list: an entry, or a sentence why not (yet)."""

    list_no: int
    log: str
    entry: Entry | None
    refused: str = ""


Ask = Callable[[str, str, bytes | None], tuple[int, bytes]]
"""Method, address, body; status and body. Raises `LogIsAway`."""


def receipt_path(place: Path, log: str) -> Path:
    """Where a log's receipt over a list lies."""
    return place / f"{log}{RECEIPT_SUFFIX}"


def promise_path(place: Path, log: str) -> Path:
    """Where a log's promise about a list lies."""
    return place / f"{log}{PROMISE_SUFFIX}"


def remembered(folder: CaseFolder) -> tuple[list[Log], Policy | None]:
    """The logs and the policy that this case was sealed with last; none where it never was."""
    try:
        said = json.loads(read_bounded(folder.seals / "logs.json", POLICY_BYTES_MAX))
        logs = [Log(str(name), str(url)) for name, url in said.items()]
        policy = read_policy(read_bounded(folder.seals / "policy", POLICY_BYTES_MAX))
    except (FileIsRefused, ValueError, AttributeError, RecursionError, PolicyIsMalformed):
        return [], None
    return logs, policy


def remember(folder: CaseFolder, logs: Sequence[Log], policy: Policy) -> None:
    """Keep the addresses and the policy with the case, so that what waits can be asked for again."""
    known, _ = remembered(folder)
    addresses = {one.name: one.url for one in (*known, *logs)}
    write_whole(folder.seals / "logs.json", json.dumps(addresses, sort_keys=True, indent=1).encode() + b"\n")
    write_whole(folder.seals / "policy", str(policy).encode())


def log_lists(
    folder: CaseFolder,
    logs: Sequence[Log],
    policy: Policy,
    *,
    at_ms: int,
    ask: Ask | None = None,
    wait: Callable[[float], object] = time.sleep,
) -> list[Logged]:
    """Ask each log for the receipts that are missing. One that is away is not asked for the other lists.

    Raises as `CaseFolder.change`; what logs do wrong comes back as sentences.
    """
    done: list[Logged] = []
    away: set[str] = set()
    for place in list_folders(folder):
        for log in logs:
            if receipt_path(place, log.name).exists() or log.name in away:
                continue
            logged = _log_one(place, log, policy, ask or ask_log, wait)
            if logged.entry is None:
                away.add(log.name)
            done.append(logged)
    _note_entries(folder, policy, at_ms)
    return done


def lists_without(folder: CaseFolder, log: str) -> dict[int, str]:
    """Number and SHA-256 of the lists that have no receipt of this log."""
    return {
        int(place.name): sha256_hex(read_bounded(place / "payload.json", LIST_BYTES_MAX))
        for place in list_folders(folder)
        if not receipt_path(place, log).exists()
    }


def keep_receipts(folder: CaseFolder, log: str, receipts: Mapping[int, bytes], policy: Policy, *, at_ms: int) -> None:
    """Keep receipts that were had otherwise, by number of the list; what does not hold is left out. Raises as
    `CaseFolder.change`.
    """
    for place in list_folders(folder):
        data = receipts.get(int(place.name), b"")
        sha256 = sha256_hex(read_bounded(place / "payload.json", LIST_BYTES_MAX))
        try:
            check_receipt(data, sha256, policy)
        except ReceiptIsRefused:
            continue
        write_whole(receipt_path(place, log), data)
    _note_entries(folder, policy, at_ms)


def _log_one(place: Path, log: Log, policy: Policy, ask: Ask, wait: Callable[[float], object]) -> Logged:
    no = int(place.name)
    try:
        sha256 = sha256_hex(read_bounded(place / "payload.json", LIST_BYTES_MAX))
        leaf = _promised(place, log, policy, sha256, ask)
        data = _fetched(f"{log.url}/api/v1/seals/{sha256}/receipt", ask, wait)
        entry = check_receipt(data, sha256, policy, leaf)
    except (LogIsAway, ReceiptIsRefused, FileIsRefused) as error:
        return Logged(no, log.name, None, str(error))
    write_whole(receipt_path(place, log.name), data)
    return Logged(no, log.name, entry)


def _promised(place: Path, log: Log, policy: Policy, sha256: str, ask: Ask) -> bytes:
    """The hash of the leaf that the log promised, now or in an earlier run."""
    kept = promise_path(place, log.name)
    if kept.exists():
        promise = read_bounded(kept, REPLY_BYTES_MAX)
        try:
            return _leaf_of(promise, policy)
        except ReceiptIsRefused:  # the log was begun anew, or is another: what it promised before stays
            kept.replace(promise_path(place, f"{log.name}.{sha256_hex(promise)[:8]}"))
    body = json.dumps({"sha256": sha256}).encode()
    status, reply = ask("POST", f"{log.url}/api/v1/seals", body)
    if status not in _TAKEN:
        raise LogIsAway(f"answers HTTP {status}")
    try:
        said = json.loads(reply)
        promise = str(said["promise"]).encode()
        is_mine = said["sha256"] == sha256
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ReceiptIsRefused("sends no promise") from None
    if not is_mine:
        raise ReceiptIsRefused("answers about another hash")
    leaf = _leaf_of(promise, policy)
    write_whole(kept, promise)
    return leaf


def _leaf_of(promise: bytes, policy: Policy) -> bytes:
    try:
        return open_promise(promise, policy).leaf
    except (ReceiptIsMalformed, NoteIsNotSigned) as error:
        raise ReceiptIsRefused(f"sends a promise that does not hold: {error}") from None


def _fetched(address: str, ask: Ask, wait: Callable[[float], object]) -> bytes:
    for again in range(TRIES):
        if again:
            wait(PAUSE_S)
        status, reply = ask("GET", address, None)
        if status in _TAKEN:
            return reply
        if status != _NOT_READY:
            raise LogIsAway(f"answers HTTP {status}")
    raise LogIsAway("has promised it, and its receipt is not there yet")


def check_receipt(data: bytes, sha256: str, policy: Policy, leaf: bytes = b"") -> Entry:
    """What a receipt proves about the list with this hash: its place in the log. Raises `ReceiptIsRefused`.

    `leaf`: the promised hash of the entry, where one was promised.
    """
    try:
        receipt = read_receipt(data)
        facts = receipt.facts()
        if facts.kind != KIND or facts.public != {"sha256": sha256}:
            raise ReceiptIsRefused("sends the receipt of something else")
        if leaf and leaf_hash(receipt.entry) != leaf:
            raise ReceiptIsRefused("sends the receipt of another entry than it promised")
        judged = receipt.check_proof(policy)
    except (
        ReceiptIsMalformed, ReceiptDoesNotHold, NoteIsMalformed, NoteIsNotSigned,
        QuorumIsNotMet, InclusionIsNotProven,
    ) as error:  # fmt: skip
        why = str(error) or "the entry is not in the log's tree"
        raise ReceiptIsRefused(f"sends a receipt that does not hold: {why}") from None
    seen_ms = max(judged.witnessed_at_s.values(), default=0) * 1000
    return Entry(judged.checkpoint.origin, receipt.proof.index, facts.at, seen_ms)


def _note_entries(folder: CaseFolder, policy: Policy, at_ms: int) -> None:
    """Write into the case what came, also what an earlier run got and died before noting."""
    entries: dict[str, int] = {}
    for place in list_folders(folder):
        sha256 = sha256_hex(read_bounded(place / "payload.json", LIST_BYTES_MAX))
        for path in sorted(place.glob(f"*{RECEIPT_SUFFIX}")):
            try:
                found = check_receipt(read_bounded(path, REPLY_BYTES_MAX), sha256, policy)
            except (ReceiptIsRefused, FileIsRefused):
                continue
            entries.setdefault(sha256, found.number)

    def edit(case: Case) -> Case:
        files = tuple(
            structs.replace(one, seal=structs.replace(one.seal, receipt_entry=entries[one.seal.list_sha256]))
            if one.seal.list_sha256 in entries and one.seal.receipt_entry < 0
            else one
            for one in case.files
        )
        return structs.replace(case, files=files)

    if edit(folder.read()) != folder.read():
        folder.change("list.logged", edit, at_ms=at_ms, facts=_facts(entries))


def _facts(entries: Mapping[str, int]) -> dict[str, Any]:
    return {"entries": sorted(entries.values())}


def ask_log(method: str, address: str, body: bytes | None) -> tuple[int, bytes]:
    """One request over HTTP, 10 s, 256 KiB, no redirects. Raises `LogIsAway`."""
    if not address.startswith(("http://", "https://")):
        raise LogIsAway("has no http address")
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body is not None else {})
    query = urllib.request.Request(address, data=body, headers=headers, method=method)  # noqa: S310 - looked at
    try:
        with urllib.request.build_opener(NoRedirect).open(query, timeout=PATIENCE_S) as answer:
            status, reply = int(answer.status), answer.read(REPLY_BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        return error.code, b""
    except HTTPException:  # its words are the stranger's
        raise LogIsAway("answers something that is no HTTP") from None
    except (OSError, ValueError) as error:
        raise LogIsAway(f"cannot be reached ({getattr(error, 'reason', None) or error})") from None
    if len(reply) > REPLY_BYTES_MAX:
        raise LogIsAway("sends too long a reply")
    return status, reply
