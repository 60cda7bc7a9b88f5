"""One joint pack out of several sealed cases: a folder and a ZIP, each person's own pack inside, whole and unchanged.

    letter.pdf, letter.docx   the joint complaint
    members/01/               the pack of the first complainant, as `fairkey case pack` makes it
    manifest.json             every other file with its hash, and each member's fingerprint
    SHA256SUMS                for `sha256sum --strict -c`, all files of all members included

The same cases in the same order give the same bytes.
"""

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from fairkey.casework.checking import BAD
from fairkey.casework.folder import CaseFolder
from fairkey.casework.hashing import digest
from fairkey.casework.journal import sha256_hex
from fairkey.casework.letters.letter import Letter
from fairkey.casework.moments import CHINA
from fairkey.casework.pack.checking import PackIsUnreadable, check_pack
from fairkey.casework.pack.court_file import court_file
from fairkey.casework.pack.making import PackIsRefused, Tell, make_pack, zip_folder
from fairkey.casework.pack.pages import pdf
from fairkey.casework.texts import Words, told_of, words

from .claims import Claim, JointIsRefused, claim_of, require_joint
from .letter import joint_letter

FORMAT: Final = "fairkey-joint-pack/1"
_NOT_PROVEN: Final = ("不证明各投诉人互不相识或各自的陈述真实；每人只对自己的部分负责。",)
_README: Final = """共同投诉材料包 / Joint complaint pack

letter.pdf、letter.docx 为共同投诉书；members/ 下每个文件夹是一名投诉人的完整材料包，可单独取出、单独核验。
核验：在本文件夹内运行 sha256sum --strict -c SHA256SUMS；或运行 fairkey verify 本文件夹。
各人材料包的指纹（其 manifest.json 的 SHA-256）列在本文件夹的 manifest.json 中，可与本人另行告知的比对。

The folders below members/ are the packs of the complainants, each whole. Check everything with
sha256sum --strict -c SHA256SUMS here, or with: fairkey verify FOLDER
"""


class JointMade(NamedTuple):
    """Where the joint pack is, and what the writers should look at."""

    folder: Path
    zip: Path
    members: int
    manifest_sha256: str
    warnings: tuple[Words, ...]


def make_joint_pack(
    folders: Sequence[CaseFolder],
    out: Path,
    *,
    representatives: Sequence[int] = (),
    tell: Tell = lambda _: None,
) -> JointMade:
    """Make it in `out` and as `out.zip`. Raises `JointIsRefused`, `PackIsRefused`, `CaseIsMissing`, `CaseIsDamaged`."""
    cases = [one.read() for one in folders]
    require_joint(cases)
    as_of_ms = max((act.at_ms for one in folders for act in one.acts() if act.change), default=0)
    on = _day(as_of_ms)
    claims = []
    for number, case in enumerate(cases, 1):
        if any(not file.seal.list_sha256 for file in case.files) or not case.files:
            raise JointIsRefused(words("joint.not_sealed", number=number))
        try:
            claims.append(claim_of(case, on))
        except JointIsRefused as error:
            raise JointIsRefused(words("joint.of_case", number=number, what=told_of(error))) from None
    letter = joint_letter(claims, on, representatives)
    _require_free(out)
    return _written(lambda new: _members(folders, new, tell), claims, letter, out, as_of_ms)


def make_joint_pack_of_claims(
    claims: Sequence[Claim],
    packs: Mapping[int, Path],
    out: Path,
    *,
    representatives: Sequence[int],
    as_of_ms: int,
) -> JointMade:
    """The same of statements that were released, and of packs (ZIP) that some gave along, by the numbers from 1.

    Raises `JointIsRefused`, `PackIsRefused`.
    """
    letter = joint_letter(claims, _day(as_of_ms), representatives, with_packs=frozenset(packs))
    return _written(lambda new: _unpacked(packs, new), claims, letter, out, as_of_ms)


def _written(
    fill: Callable[[Path], list[dict[str, Any]]], claims: Sequence[Claim], letter: Letter, out: Path, as_of_ms: int
) -> JointMade:
    new = out.with_name(f".{out.name}.part")
    shutil.rmtree(new, ignore_errors=True)
    zipped = out.with_name(f"{out.name}.zip")
    try:
        (new / "members").mkdir(parents=True)
        members = fill(new)
        _write_letter(new, letter, claims, as_of_ms)
        (new / "README.txt").write_text(_README, encoding="utf-8")
        manifest_sha256 = _write_manifest(new, members, as_of_ms)
        zip_folder(new, out.name, zipped.with_name(f".{zipped.name}.part"), as_of_ms)
        if out.exists():
            shutil.rmtree(out)
        new.rename(out)
        zipped.with_name(f".{zipped.name}.part").replace(zipped)
    except OSError as error:
        raise PackIsRefused(f"The pack cannot be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return JointMade(out, zipped, len(claims), manifest_sha256, letter.warnings)


def _members(folders: Sequence[CaseFolder], new: Path, tell: Tell) -> list[dict[str, Any]]:
    members = []
    for number, folder in enumerate(folders, 1):
        tell(f"{number}/{len(folders)}")
        name = f"members/{number:02}"
        made = make_pack(folder, new / name)
        made.zip.unlink()  # its folder is what goes along
        members.append({"no": number, "path": name, "manifest_sha256": made.manifest_sha256})
    return members


def _unpacked(packs: Mapping[int, Path], new: Path) -> list[dict[str, Any]]:
    """Packs that this program made, checked before their files are taken out."""
    members = []
    for number, path in sorted(packs.items()):
        place = new / "members" / f"{number:02}"
        try:
            if any(one.state == BAD for one in check_pack(path)):
                raise PackIsRefused(words("joint.pack_broken", number=number))
            with zipfile.ZipFile(path) as opened:
                for one in opened.infolist():
                    target = place.joinpath(*one.filename.split("/")[1:])
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(one) as stream, target.open("xb") as file:
                        shutil.copyfileobj(stream, file, 1024 * 1024)
        except PackIsUnreadable:
            raise PackIsRefused(words("joint.pack_broken", number=number)) from None
        fingerprint = sha256_hex((place / "manifest.json").read_bytes())
        members.append({"no": number, "path": f"members/{number:02}", "manifest_sha256": fingerprint})
    return members


def _write_letter(new: Path, letter: Letter, claims: Sequence[Claim], as_of_ms: int) -> None:
    told = {
        "title": letter.title,
        "addressee": letter.addressee,
        "fields": [],
        "sections": [
            {
                "title": one.title,
                "paragraphs": list(one.paragraphs),
                "rows": [list(row) for row in one.rows],
                "signed": one.signed,
            }
            for one in letter.sections
        ],
        "sign": False,
    }
    listed = [
        {
            "no": number,
            "name": f"members/{number:02}/",
            "source": f"投诉人{number}提供",
            "purpose": "证明其本人的事实和请求",
        }
        for number in range(1, len(claims) + 1)
        if (new / f"members/{number:02}").is_dir()
    ]
    (new / "letter.pdf").write_bytes(pdf("letter.typ", told, {}, as_of_ms=as_of_ms))
    (new / "letter.docx").write_bytes(court_file(told, listed, as_of_ms=as_of_ms))


def _write_manifest(new: Path, members: list[dict[str, Any]], as_of_ms: int) -> str:
    own = ("README.txt", "letter.docx", "letter.pdf")
    manifest = {
        "format": FORMAT,
        "as_of_ms": as_of_ms,
        "members": members,
        "files": [_named(new, name) for name in own],
        "not_proven": list(_NOT_PROVEN),
    }
    data = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"
    (new / "manifest.json").write_bytes(data)
    names = sorted(one.relative_to(new).as_posix() for one in new.rglob("*") if one.is_file())
    sums = "".join(f"{_named(new, name)['sha256']}  {name}\n" for name in names)
    (new / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return sha256_hex(data)


def _named(new: Path, name: str) -> dict[str, Any]:
    with (new / name).open("rb", buffering=0) as stream:
        found = digest(stream)
    return {"path": name, "sha256": found.sha256, "size_bytes": found.size_bytes}


def _require_free(out: Path) -> None:
    if not out.exists():
        return
    try:
        is_ours = json.loads((out / "manifest.json").read_bytes())["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        is_ours = out.is_dir() and not any(out.iterdir())
    if not is_ours:
        raise PackIsRefused(f"{out} is there already and is no joint pack: name another place.")


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, CHINA).date()
