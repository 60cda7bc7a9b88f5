"""One pack out of a case: a folder and a ZIP, the same bytes each time for the same case.

It is written beside its place and moved there when it is whole. An original that is not as it was sealed stops it.
"""

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, Final, NamedTuple

from fairkey.casework.disk import FileIsRefused, open_regular
from fairkey.casework.folder import CaseFolder
from fairkey.casework.hashing import digest
from fairkey.casework.journal import sha256_hex
from fairkey.casework.moments import moment_zh
from fairkey.casework.readings import PARTLY, UNREAD
from fairkey.casework.sealing import facts_sha256
from fairkey.casework.stamping import LIST_BYTES_MAX, list_folders
from fairkey.casework.texts import about, sentence

from .contents import NOT_PROVEN, Contents, Exhibit, contents_of, plain_letter
from .court_file import court_file
from .instructions import HOWTO, text
from .letter_like import LetterLike
from .pages import SANS, drawable_text, pdf
from .pictures import Picture, shown
from .timeline import drawings
from .verify_page import verify_page

FORMAT: Final = "fairkey-pack/1"
_ZIP_EPOCH_MS: Final = 315_619_200_000  # 1980-01-02, before which a ZIP knows no date
_WIDE_MM: Final = 168
_ROOM_MM: Final = 222
_ROOM_BELOW_MM: Final = 172  # under the caption, the source and the hash
_CHECKS_ZH: Final = (
    ("pixels", "像素"),
    ("device", "设备信息"),
    ("dkim", "邮件签名核验"),
    ("page", "网页"),
    (UNREAD, "未识别文字"),
    (PARTLY, "部分未识别"),
)
_PACKED: Final = (".json", ".txt", ".html", ".svg", ".pem", ".eml")

Tell = Callable[[str], object]


class PackIsRefused(Exception):
    """No pack was made. The argument is a sentence."""


class Made(NamedTuple):
    """Where the pack is, and how many pieces of evidence and letters are in it."""

    folder: Path
    zip: Path
    exhibits: int
    letters: int
    manifest_sha256: str


def make_pack(
    folder: CaseFolder,
    out: Path,
    *,
    letters: Sequence[LetterLike] = (),
    shows_all: bool = False,
    tell: Tell = lambda _: None,
) -> Made:
    """Make the pack in the folder `out` and beside it as `out.zip`. `letters`: none gives a plain statement.
    `shows_all`: personal data and codes stand in clear.

    Raises `PackIsRefused`, `CaseIsMissing`, `CaseIsDamaged`.
    """
    case = folder.read()
    as_of_ms = max((one.at_ms for one in folder.acts() if one.change), default=case.created_at_ms)
    purposes = {sha256: words for one in reversed(letters) for sha256, words in one.purposes.items()}
    contents = contents_of(case, as_of_ms=as_of_ms, shows_all=shows_all, purposes=purposes)
    require_free(out, case.case_id)
    new = out.with_name(f".{out.name}.part")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        stamps = _copy_seals(folder, new)
        for one in contents.exhibits:
            tell(f"{one.no}/{len(contents.exhibits)} {one.name}")
            _copy_original(folder, one, new)
        told = [_letter_data(one) for one in letters or (plain_letter(contents),)]
        tell("letters")
        _write_letters(new, told, contents)
        tell("pages")
        _write_evidence(folder, new, contents)
        (new / "README.txt").write_text(text(stamps, exhibits=len(contents.exhibits)), encoding="utf-8")
        manifest_sha256 = _write_manifest(folder, new, contents)
        tell("zip")
        zipped = out.with_name(f"{out.name}.zip")
        zip_folder(new, out.name, zipped.with_name(f".{zipped.name}.part"), as_of_ms)
        if out.exists():
            shutil.rmtree(out)
        new.rename(out)
        zipped.with_name(f".{zipped.name}.part").replace(zipped)
    except OSError as error:
        raise PackIsRefused(f"The pack cannot be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return Made(out, zipped, len(contents.exhibits), len(told), manifest_sha256)


def require_free(out: Path, case_id: str) -> None:
    """Raises `PackIsRefused` when `out` is there and holds something that is no pack of this case."""
    if not out.exists():
        return
    try:
        said = json.loads((out / "manifest.json").read_bytes())
        is_ours = said["format"] == FORMAT and said["case_id"] == case_id
    except (OSError, ValueError, KeyError, TypeError):
        is_ours = out.is_dir() and not any(out.iterdir())
    if not is_ours:
        raise PackIsRefused(f"{out} is there already and is no pack of this case: name another place.")


def _copy_original(folder: CaseFolder, one: Exhibit, new: Path) -> None:
    place = new / one.path
    place.parent.mkdir(exist_ok=True)
    try:
        with open_regular(folder.original(one.file)) as stream, place.open("xb", buffering=0) as copy:
            found = digest(stream, partial(_write_all, copy), wants_sha512=False)
    except FileIsRefused as error:
        raise PackIsRefused(about(one.file.path, error)) from None
    if found.sha256 != one.file.seal.sha256:
        raise PackIsRefused(f"{one.file.path} is not the file that was sealed: fairkey case verify says more.")


def _write_all(copy: FileIO, view: memoryview) -> None:
    while view:
        view = view[copy.write(view) :]


def _copy_seals(folder: CaseFolder, new: Path) -> list[tuple[str, str]]:
    stamps = []
    for place in list_folders(folder):
        (new / "seals" / place.name).mkdir(parents=True)
        for path in sorted(place.iterdir()):
            if path.suffix in {".tst", ".fairkey-receipt"} or path.name == "payload.json":
                _copy_small(path, new / "seals" / place.name / path.name)
            if path.suffix == ".tst":
                stamps.append((place.name, path.name))
    if (folder.seals / "tsa-roots.pem").is_file():
        _copy_small(folder.seals / "tsa-roots.pem", new / "tsa-roots.pem")
    for path in sorted(folder.records.glob("*.json")):
        (new / "records").mkdir(exist_ok=True)
        _copy_small(path, new / "records" / path.name)
    return stamps


def _copy_small(path: Path, place: Path) -> None:
    try:
        with open_regular(path) as stream:
            data = stream.read(LIST_BYTES_MAX) or b""
    except FileIsRefused as error:
        raise PackIsRefused(about(path.name, error)) from None
    place.write_bytes(data)


def letter_pdf(letter: LetterLike, *, as_of_ms: int) -> bytes:
    """The letter alone, as it stands in a pack."""
    return pdf("letter.typ", _letter_data(letter), {}, as_of_ms=as_of_ms)


def _letter_data(letter: LetterLike) -> dict[str, Any]:
    return {
        "channel": str(getattr(letter, "channel", "")),
        "title": letter.title,
        "addressee": letter.addressee,
        "fields": [[name, str(value)] for name, value in letter.fields.items() if str(value)],
        "sections": [{"title": one.title, "paragraphs": list(one.paragraphs)} for one in letter.sections],
        "sign": getattr(letter, "channel", "") != "heimao",
        "signer": "具状人（签名）" if getattr(letter, "channel", "small_claims") == "small_claims" else "签名",
    }


def _write_letters(new: Path, letters: Sequence[dict[str, Any]], contents: Contents) -> None:
    listed = [
        {"no": one.no, "name": one.name, "source": one.source, "purpose": one.purpose} for one in contents.exhibits
    ]
    for number, letter in enumerate(letters, 1):
        name = f"letter-{number}" if len(letters) > 1 else "letter"
        name += f"-{letter['channel']}" if letter["channel"] else ""
        (new / f"{name}.pdf").write_bytes(pdf("letter.typ", letter, {}, as_of_ms=contents.as_of_ms))
        (new / f"{name}.docx").write_bytes(court_file(letter, listed, as_of_ms=contents.as_of_ms))


def _write_evidence(folder: CaseFolder, new: Path, contents: Contents) -> None:
    pictures: dict[str, bytes] = {}
    told = [_exhibit_data(folder, one, contents, pictures) for one in contents.exhibits]
    timeline = []
    for number, drawing in enumerate(drawings(contents.timeline, SANS), 1):
        name = f"timeline-{number}.svg"
        pictures[name] = drawable_text(drawing).encode()
        (new / name).write_bytes(pictures[name])
        timeline.append(name)
    case = contents.case
    data = {
        "title": "证据材料",
        "header": contents.masks(case.title)[:40],
        "lines": [
            f"案件：{contents.masks(case.title) or '（未命名）'}",
            f"案件编号：{case.case_id}",
            f"材料截至：{moment_zh(contents.as_of_ms)}（北京时间）",
            *_unread_line(contents),
            f"证据共 {len(told)} 份。" + ("" if contents.masks.is_off else "文字部分已隐去个人信息和激活码的中段。"),
        ],
        "exhibits": told,
        "timeline": timeline,
        "howto": list(HOWTO),
        "not_proven": list(NOT_PROVEN),
    }
    (new / "evidence.pdf").write_bytes(pdf("evidence.typ", data, pictures, as_of_ms=contents.as_of_ms))


def _unread_line(contents: Contents) -> list[str]:
    numbers = [str(one.no) for one in contents.exhibits if UNREAD in one.file.checks]
    return [f"证据 {'、'.join(numbers)} 未能自动识别文字，原件完整附上，原因见各该页。"] if numbers else []


def _exhibit_data(folder: CaseFolder, one: Exhibit, contents: Contents, pictures: dict[str, bytes]) -> dict[str, Any]:
    seal = one.file.seal
    drawn = shown(folder.original(one.file), one.file)
    names = [f"exhibit-{one.no}-{number}.jpg" for number in range(1, len(drawn.pictures) + 1)]
    pictures.update(zip(names, (picture.data for picture in drawn.pictures), strict=True))
    sealed = f"封存时间：{moment_zh(seal.sealed_at_ms)}（当事人设备时钟）；"
    stamped = f"时间戳：{moment_zh(seal.stamped_at_ms)}" if seal.stamped_at_ms else "尚无时间戳"
    logged = f"；公开日志第 {seal.receipt_entry} 条" if seal.receipt_entry >= 0 else ""
    return {
        "no": one.no,
        "name": one.name,
        "source": one.source,
        "purpose": one.purpose,
        "path": one.path,
        "size": f"{seal.size_bytes:,}",
        "media": one.file.media_type,
        "sha256": " ".join(seal.sha256[at : at + 8] for at in range(0, 64, 8)),
        "short": f"SHA-256 {seal.sha256[:16]}…",
        "sealed": sealed + stamped + logged,
        "checks": [
            f"{word}：{contents.masks(sentence(one.file.checks[name]).zh)}"
            for name, word in _CHECKS_ZH
            if name in one.file.checks
        ],
        "pictures": [
            {"name": name, "width_mm": _width_mm(picture, _ROOM_MM if number else _ROOM_BELOW_MM)}
            for number, (name, picture) in enumerate(zip(names, drawn.pictures, strict=True))
        ],
        "text": [contents.masks(line) for line in drawn.lines],
        "note": drawn.note,
    }


def _width_mm(picture: Picture, room_mm: int) -> float:
    """As wide as the page, unless it would then be too tall."""
    return round(min(_WIDE_MM, room_mm * picture.width / picture.height), 2)


def _write_manifest(folder: CaseFolder, new: Path, contents: Contents) -> str:
    case = contents.case
    places = {sha256_hex((one / "payload.json").read_bytes()): one.name for one in list_folders(folder)}
    manifest = {
        "format": FORMAT,
        "case_id": case.case_id,
        "revision": case.revision,
        "as_of_ms": contents.as_of_ms,
        "is_masked": not contents.masks.is_off,
        "evidence": [_evidence_entry(one, places) for one in contents.exhibits],
        "files": _files(new, contents),
        "not_proven": list(NOT_PROVEN),
    }
    data = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"
    (new / "manifest.json").write_bytes(data)
    (new / "verify.html").write_text(verify_page(manifest, sha256_hex(data)), encoding="utf-8")
    known = {one["path"]: one["sha256"] for one in _files(new, contents)}
    known |= {name: sha256_hex((new / name).read_bytes()) for name in ("manifest.json", "verify.html")}
    sums = "".join(f"{known[name]}  {name}\n" for name in sorted(known))
    (new / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return sha256_hex(data)


def _evidence_entry(one: Exhibit, places: Mapping[str, str]) -> dict[str, Any]:
    seal = one.file.seal
    entry: dict[str, Any] = {
        "no": one.no,
        "path": one.path,
        "name": one.name,
        "media_type": one.file.media_type,
        "size_bytes": seal.size_bytes,
        "sha256": seal.sha256,
        "sha512": seal.sha512,
        "sealed_at_ms": seal.sealed_at_ms,
        "stamped_at_ms": seal.stamped_at_ms,
        "list": places.get(seal.list_sha256, ""),
        "how": one.file.capture.how,
        "source": one.source,
        "purpose": one.purpose,
        "checks": dict(one.file.checks),
        "facts_sha256": facts_sha256(one.file),
    }
    if seal.receipt_entry >= 0:
        entry["log_entry"] = seal.receipt_entry
    return entry | ({"sha512_piece_bytes": seal.sha512_piece_bytes} if seal.sha512_piece_bytes else {})


def _files(new: Path, contents: Contents) -> list[dict[str, Any]]:
    """Every file but those that name the others. Originals were hashed when they were copied."""
    known = {one.path: (one.file.seal.sha256, one.file.seal.size_bytes) for one in contents.exhibits}
    found = []
    for path in sorted(one for one in new.rglob("*") if one.is_file()):
        name = path.relative_to(new).as_posix()
        if name in {"manifest.json", "verify.html", "SHA256SUMS"}:
            continue
        if name in known:
            sha256, size_bytes = known[name]
        else:
            data = path.read_bytes()
            sha256, size_bytes = sha256_hex(data), len(data)
        found.append({"path": name, "sha256": sha256, "size_bytes": size_bytes})
    return found


def zip_folder(new: Path, name: str, place: Path, as_of_ms: int) -> None:
    """The folder as a ZIP whose members stand in order under one date."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    at = datetime.fromtimestamp(max(as_of_ms, _ZIP_EPOCH_MS) // 1000, UTC)
    date = (at.year, at.month, at.day, at.hour, at.minute, at.second // 2 * 2)
    with zipfile.ZipFile(place, "w") as zipped:
        for path in sorted(one for one in new.rglob("*") if one.is_file()):
            member = zipfile.ZipInfo(f"{name}/{path.relative_to(new).as_posix()}", date)
            member.compress_type = zipfile.ZIP_DEFLATED if path.suffix in _PACKED else zipfile.ZIP_STORED
            member.create_system, member.external_attr = 3, 0o644 << 16
            member.file_size = path.stat().st_size
            with path.open("rb") as stream, zipped.open(member, "w") as out:
                shutil.copyfileobj(stream, out, 1024 * 1024)
