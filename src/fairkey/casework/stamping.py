"""When it existed: lists of what was sealed, and time-stamp tokens (RFC 3161) over them, now or later.

A list is `seals/NNNN/payload.json`, canonical JSON: hashes of files, of what was said of them on arrival, of records
that were looked up, of the journal so far, and of the list before. An authority sees only the list's SHA-256. Without
an authority lists wait; `fairkey case seal` tries again. Nothing is believed of a token before it was checked against
roots that the person chose.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec import structs

from fairkey.proofs.timestamps import (
    REPLY_TYPE,
    REQUEST_TYPE,
    TOKEN_BYTES_MAX,
    Stamp,
    TokenIsRefused,
    TsaRoots,
    check_token,
    token_of,
)

from .disk import FileIsRefused, read_bounded, write_whole
from .folder import CaseFolder
from .journal import NOTHING, canonical, sha256_hex
from .model import Case, CaseFile
from .sealing import facts_sha256

FORMAT: Final = "fairkey-seals/1"
LIST_BYTES_MAX: Final = 16 * 1024 * 1024
RECORD_BYTES_MAX: Final = 64 * 1024
PATIENCE_S: Final = 10.0


class TsaIsAway(Exception):
    """No token came. The argument ends a sentence that begins with the authority's name."""


class Authority(NamedTuple):
    """A time-stamping authority: what we call it, and where it is asked."""

    name: str
    url: str


class Stamped(NamedTuple):
    """What one authority did for one list: a stamp, or a sentence why not."""

    list_no: int
    authority: str
    stamp: Stamp | None
    refused: str = ""


def list_folders(folder: CaseFolder) -> list[Path]:
    """The folders of the sealed lists, in order; a folder whose list was never finished does not count."""
    found = [one for one in folder.seals.iterdir() if one.name.isdecimal() and (one / "payload.json").is_file()]
    return sorted(found, key=lambda one: int(one.name))


def close_list(folder: CaseFolder, *, at_ms: int) -> str:
    """Put everything that is in no list yet into a new one; its SHA-256, or empty when there is nothing new.

    Raises as `CaseFolder.change`.
    """
    if all(one.seal.list_sha256 for one in folder.read().files):
        return ""
    made: list[str] = []

    def edit(case: Case) -> Case:
        waiting = [one for one in case.files if not one.seal.list_sha256]
        if not waiting:
            return case
        data = canonical(_payload(folder, case, waiting, at_ms))
        place = folder.seals / f"{len(list_folders(folder)) + 1:04}"
        place.mkdir(exist_ok=True)
        write_whole(place / "payload.json", data)
        made.append(sha256_hex(data))
        return _with_seals(case, {one.seal.sha256 for one in waiting}, {"list_sha256": made[0]})

    # A death after the list was written and before the act: its files are named again by the next list, which names it.
    folder.change("list.closed", edit, at_ms=at_ms)
    return made[0] if made else ""


def _payload(folder: CaseFolder, case: Case, waiting: Sequence[CaseFile], at_ms: int) -> dict[str, Any]:
    lists = list_folders(folder)
    listed = {name for one in lists for name in read_list(one).get("records", [])}
    records = sorted(sha256_hex(read_bounded(one, RECORD_BYTES_MAX)) for one in folder.records.glob("*.json"))
    last = folder.acts()[-1]
    return {
        "format": FORMAT,
        "case_id": case.case_id,
        "no": len(lists) + 1,
        "prev": sha256_hex((lists[-1] / "payload.json").read_bytes()) if lists else NOTHING,
        "made_at_ms": at_ms,
        "journal": {"no": last.no, "sha256": sha256_hex(canonical(last))},
        "files": [entry_of(one) for one in waiting],
        "records": [one for one in records if one not in listed],
    }


def entry_of(file: CaseFile) -> dict[str, Any]:
    """What a list says of a file."""
    seal = file.seal
    entry: dict[str, Any] = {
        "sha256": seal.sha256,
        "sha512": seal.sha512,
        "size_bytes": seal.size_bytes,
        "sealed_at_ms": seal.sealed_at_ms,
        "facts_sha256": facts_sha256(file),
    }
    return entry | ({"sha512_piece_bytes": seal.sha512_piece_bytes} if seal.sha512_piece_bytes else {})


def read_list(place: Path) -> dict[str, Any]:
    """A list as it lies there; empty when it cannot be read."""
    try:
        found = json.loads(read_bounded(place / "payload.json", LIST_BYTES_MAX))
    except (ValueError, FileIsRefused, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _with_seals(case: Case, hashes: set[str], changes: dict[str, Any]) -> Case:
    files = tuple(
        structs.replace(one, seal=structs.replace(one.seal, **changes)) if one.seal.sha256 in hashes else one
        for one in case.files
    )
    return structs.replace(case, files=files)


def token_path(place: Path, authority: str) -> Path:
    """Where an authority's token over a list lies."""
    return place / f"{authority}.tst"


def stamp_lists(
    folder: CaseFolder,
    authorities: Sequence[Authority],
    roots: TsaRoots,
    *,
    at_ms: int,
    ask: Callable[[Authority, bytes], bytes] | None = None,
) -> list[Stamped]:
    """Ask each authority for what it has not stamped yet. One that is away is not asked for the other lists.

    Raises as `CaseFolder.change`; what authorities do wrong comes back as sentences.
    """
    done: list[Stamped] = []
    away: set[str] = set()
    for place in list_folders(folder):
        for authority in authorities:
            if token_path(place, authority.name).exists() or authority.name in away:
                continue
            stamped = _stamp_one(folder, place, authority, roots, ask or ask_authority)
            if stamped.stamp is None:
                away.add(authority.name)
            done.append(stamped)
    _note_stamps(folder, roots, at_ms)
    return done


def _stamp_one(
    folder: CaseFolder,
    place: Path,
    authority: Authority,
    roots: TsaRoots,
    ask: Callable[[Authority, bytes], bytes],
) -> Stamped:
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - only when stamping

    no = int(place.name)
    try:
        data = read_bounded(place / "payload.json", LIST_BYTES_MAX)
        request = TimestampRequestBuilder(data, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
        token = token_of(ask(authority, request.as_bytes()))
        stamp = check_token(token, data, roots, nonce=request.nonce)
    except (TsaIsAway, TokenIsRefused, FileIsRefused) as error:
        return Stamped(no, authority.name, None, str(error))
    write_whole(token_path(place, authority.name), token)
    known = folder.seals / "tsa-roots.pem"
    if not known.exists() or known.read_bytes() != roots.pem:
        write_whole(known, roots.pem)
    return Stamped(no, authority.name, stamp)


def _note_stamps(folder: CaseFolder, roots: TsaRoots, at_ms: int) -> None:
    """Write into the case what came, also what an earlier run got and died before noting."""
    stamped: dict[str, int] = {}
    for place in list_folders(folder):
        data = read_bounded(place / "payload.json", LIST_BYTES_MAX)
        for path in sorted(place.glob("*.tst")):
            try:
                moment_ms = check_token(read_bounded(path, TOKEN_BYTES_MAX), data, roots).gen_time_ms
            except (TokenIsRefused, FileIsRefused):
                continue
            digest = sha256_hex(data)
            stamped[digest] = min(moment_ms, stamped.get(digest, moment_ms))

    def edit(case: Case) -> Case:
        for list_sha256, when_ms in stamped.items():
            waiting = {
                one.seal.sha256
                for one in case.files
                if one.seal.list_sha256 == list_sha256 and not one.seal.stamped_at_ms
            }
            if waiting:
                case = _with_seals(case, waiting, {"stamped_at_ms": when_ms})
        return case

    if edit(folder.read()) != folder.read():
        folder.change("list.stamped", edit, at_ms=at_ms)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who is asked elsewhere than where the person said is not asked."""

    def redirect_request(self, *_: object) -> None:
        """No redirect is followed: a token is asked for where the person said."""


def ask_authority(authority: Authority, request: bytes) -> bytes:
    """One request over HTTP (RFC 3161 3.4), 10 s, 64 KiB, no redirects. Raises `TsaIsAway`."""
    if not authority.url.startswith(("http://", "https://")):
        raise TsaIsAway("has no http address")
    query = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        authority.url, data=request, headers={"Content-Type": REQUEST_TYPE, "Accept": REPLY_TYPE}, method="POST"
    )
    try:
        with urllib.request.build_opener(NoRedirect).open(query, timeout=PATIENCE_S) as answer:
            reply: bytes = answer.read(TOKEN_BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        raise TsaIsAway(f"answers HTTP {error.code}") from None
    except HTTPException:  # its words are the stranger's
        raise TsaIsAway("answers something that is no HTTP") from None
    except (OSError, ValueError) as error:
        raise TsaIsAway(f"cannot be reached ({getattr(error, 'reason', None) or error})") from None
    if len(reply) > TOKEN_BYTES_MAX:
        raise TsaIsAway("sends too long a reply")
    return reply
