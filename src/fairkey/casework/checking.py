"""Is a case what it was? The journal line by line, every original, every list and every token, without a network."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from fairkey.proofs.policies import Policy
from fairkey.proofs.receipts import RECEIPT_SUFFIX
from fairkey.proofs.timestamps import TOKEN_BYTES_MAX, TokenIsRefused, TsaRoots, check_token

from .disk import FileIsRefused, open_regular, read_bounded
from .folder import CASE_BYTES_MAX, CaseFolder, CaseIsDamaged
from .hashing import PIECE_BYTES, digest
from .journal import NOTHING, case_bytes, sha256_hex
from .model import Case, CaseFile
from .moments import moment
from .receipts import REPLY_BYTES_MAX, ReceiptIsRefused, check_receipt
from .stamping import LIST_BYTES_MAX, entry_of, list_folders, read_list

GOOD: Final = "good"
BAD: Final = "bad"
UNKNOWN: Final = "unknown"
LEFT: Final = "left"


class Found(NamedTuple):
    """One thing that was checked: its name, what became of it (good, bad, unknown, left), and a sentence."""

    step: str
    state: str
    sentence: str
    details: tuple[str, ...] = ()


def check_case(
    folder: CaseFolder,
    roots: TsaRoots | None = None,
    on_file: Callable[[CaseFile], object] = lambda _: None,
    policy: Policy | None = None,
) -> list[Found]:
    """Check everything; raises `CaseIsMissing`."""
    try:
        acts = folder.acts()
        case = folder.read()
    except CaseIsDamaged as error:
        return [Found("journal", BAD, str(error))]
    found = [Found("journal", GOOD, f"{len(acts)} acts, each naming the one before, lead to this case.")]
    found += _document(folder, case, {one.case_sha256 for one in acts})
    found.append(_originals(folder, case, on_file))
    found += _lists(folder, case, roots, policy)
    return found


def _document(folder: CaseFolder, case: Case, known: set[str]) -> list[Found]:
    try:
        document = read_bounded(folder.document, CASE_BYTES_MAX)
    except FileIsRefused as error:
        return [Found("case", LEFT, f"case.json {error}; the journal counts.")]
    if document == case_bytes(case):
        return []
    if sha256_hex(document) in known:
        return [Found("case", LEFT, "case.json is older than the journal: a program was interrupted; nothing is lost.")]
    return [Found("case", BAD, "case.json was changed by hand; the journal counts.")]


def _originals(folder: CaseFolder, case: Case, on_file: Callable[[CaseFile], object]) -> Found:
    wrong = []
    for file in case.files:
        on_file(file)
        try:
            with open_regular(folder.original(file)) as stream:
                seen = digest(
                    stream,
                    piece_bytes=file.seal.sha512_piece_bytes or PIECE_BYTES,
                    wants_sha512=bool(file.seal.sha512),
                )
        except (FileIsRefused, OSError) as error:
            wrong.append(f"{file.path} {error}")
            continue
        if (seen.sha256, seen.sha512, seen.size_bytes) != (file.seal.sha256, file.seal.sha512, file.seal.size_bytes):
            wrong.append(f"{file.path} is not the file that was sealed")
    known = {file.path for file in case.files}
    extra = [one.name for one in folder.originals.iterdir() if f"originals/{one.name}" not in known]
    if wrong:
        return Found("originals", BAD, f"{len(wrong)} of {len(case.files)} originals are not as sealed.", tuple(wrong))
    left = tuple(f"originals/{name} was left by an interruption: add the file again" for name in sorted(extra))
    return Found("originals", GOOD, f"All {len(case.files)} originals are as they came.", left)


def _lists(folder: CaseFolder, case: Case, roots: TsaRoots | None, policy: Policy | None) -> list[Found]:
    found = []
    prev = NOTHING
    named: dict[tuple[str, object], object] = {}
    for place in list_folders(folder):
        data = read_bounded(place / "payload.json", LIST_BYTES_MAX)
        said = read_list(place)
        if said.get("prev") != prev or said.get("no") != int(place.name) or said.get("case_id") != case.case_id:
            found.append(Found("list", BAD, f"List {place.name} does not follow the one before."))
        prev = sha256_hex(data)
        named |= {(prev, one.get("sha256")): one for one in said.get("files", []) if isinstance(one, dict)}
        found += [_token(place.name, path.name, data, path, roots) for path in sorted(place.glob("*.tst"))]
        found += [
            _receipt(place.name, path.name, prev, path, policy) for path in sorted(place.glob(f"*{RECEIPT_SUFFIX}"))
        ]
    strangers = [
        f"{one.path} is told otherwise in its list"
        for one in case.files
        if one.seal.list_sha256 and named.get((one.seal.list_sha256, one.seal.sha256)) != entry_of(one)
    ]
    waiting = sum(1 for one in case.files if not one.seal.list_sha256)
    if strangers:
        found.append(Found("list", BAD, "A list does not say what the case says.", tuple(strangers)))
    elif prev != NOTHING:
        found.append(Found("list", GOOD, f"{len(case.files) - waiting} files stand in their lists as they are."))
    unstamped = sum(1 for one in case.files if not one.seal.stamped_at_ms)
    if unstamped:
        sentence = f"{unstamped} files are not stamped yet: fairkey case seal"
        found.append(Found("tokens", LEFT, sentence))
    return found


def _token(no: str, name: str, data: bytes, path: Path, roots: TsaRoots | None) -> Found:
    if roots is None:
        return Found("tokens", LEFT, f"{name} over list {no}: not checked, as no roots were named (--tsa-roots).")
    try:
        stamp = check_token(read_bounded(path, TOKEN_BYTES_MAX), data, roots)
    except (TokenIsRefused, FileIsRefused) as error:
        return Found("tokens", BAD, f"{name} over list {no}: {error}.")
    return Found("tokens", GOOD, f"{stamp.tsa} saw list {no} at {moment(stamp.gen_time_ms)}.")


def _receipt(no: str, name: str, sha256: str, path: Path, policy: Policy | None) -> Found:
    if policy is None:
        return Found("place", LEFT, f"{name} over list {no}: not checked, as no policy was named (--policy).")
    try:
        entry = check_receipt(read_bounded(path, REPLY_BYTES_MAX), sha256, policy)
    except (ReceiptIsRefused, FileIsRefused) as error:
        return Found("place", BAD, f"{name} over list {no}: {error}.")
    when = moment(entry.witnessed_at_ms or entry.at_ms)
    return Found("place", GOOD, f"List {no} is entry {entry.number} of the log {entry.origin}, seen by {when}.")
