"""Checks that every sentence on a page has its Chinese, and that no translation is left without its sentence.

    python -m fairkey.web.i18n check                  problems, one per line; exit code 1 if there are any
    python -m fairkey.web.i18n missing --area buyer   entries to paste into locale/zh_CN/buyer.po and fill in

The area of a message is decided by where it is written: ``templates/<area>/…``, ``<area>*.py`` or ``<area>/…py``
and ``static/js/<area>/…js`` below ``web/`` belong to that area, everything else to ``common``.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from babel.messages.extract import extract
from babel.messages.pofile import read_po

from fairkey.web.i18n import AREAS, WEB, MessageKey, forms_of, read_catalogue

KEYWORDS: Final = {
    "_": None,
    "gettext": None,
    "marked": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
SCRIPT_KEYWORDS: Final = {"said": None, "marked": None, "Refused": None}
METHODS: Final = {".py": "python", ".js": "javascript"}
_PLACEHOLDER: Final = re.compile(r"%\(\w+\)s")
TEMPLATE_OPTIONS: Final = {
    "extensions": "jinja2.ext.do",
    "newstyle_gettext": "true",
    "silent": "false",
    "trimmed": "true",
}


@dataclass(slots=True)
class Found:
    """A message as written in the sources."""

    context: str | None
    singular: str
    plural: str | None
    files: list[str] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)


def area_of(path: Path) -> str:
    """Area of a source file, ``path`` relative to ``web/``."""
    parts = path.parts[1:] if path.parts[0] == "templates" else path.parts[2:] if path.suffix == ".js" else path.parts
    for area in AREAS:
        in_folder = len(parts) > 1 and parts[0] == area
        if in_folder or (path.suffix == ".py" and any(part.startswith(area) for part in parts)):
            return area
    return "common"


def sources(web: Path = WEB) -> Iterator[Path]:
    """Every file that may hold messages, relative to ``web/``, in a fixed order."""
    for pattern in ("templates/**/*.html", "templates/**/*.txt", "**/*.py", "static/js/verify/*.js"):
        yield from (path.relative_to(web) for path in sorted(web.glob(pattern)))


def extracted(web: Path = WEB) -> dict[MessageKey, Found]:
    """All messages of the sources, in order of appearance."""
    found: dict[MessageKey, Found] = {}
    for path in sources(web):
        with (web / path).open("rb") as file:
            messages = extract(
                METHODS.get(path.suffix, "jinja2.ext:babel_extract"),
                file,
                keywords=SCRIPT_KEYWORDS if path.suffix == ".js" else KEYWORDS,
                options={"encoding": "utf-8"} if path.suffix in METHODS else TEMPLATE_OPTIONS,
            )
            for _line, ids, _comments, context in messages:
                singular, plural = (ids, None) if isinstance(ids, str) else (ids[0], ids[1] if len(ids) > 1 else None)
                entry = found.setdefault((context, singular), Found(context, singular, plural))
                entry.plural = entry.plural or plural
                if path.as_posix() not in entry.files:
                    entry.files.append(path.as_posix())
                    entry.areas.append(area_of(path))
    return found


def problems(web: Path = WEB) -> list[str]:
    """What is wrong with the Chinese catalogues, one sentence each; empty when all is well."""
    wanted = extracted(web)
    wrong: list[str] = []
    seen: dict[MessageKey, tuple[str, tuple[str, ...]]] = {}
    for area in AREAS:
        path = web / "locale" / "zh_CN" / f"{area}.po"
        if not path.exists():
            wrong.append(f"{area}.po: the file is missing")
            continue
        with path.open("rb") as file:
            entries = list(read_po(file))
        for message in entries:
            if not message.id:
                continue
            singular = message.id if isinstance(message.id, str) else message.id[0]
            key = (message.context, singular)
            texts = forms_of(message)
            if message.fuzzy:
                wrong.append(f"{area}.po: fuzzy: {singular!r}")
            if not texts or not all(texts):
                wrong.append(f"{area}.po: empty: {singular!r}")
            if key not in wanted:
                wrong.append(f"{area}.po: unused: {singular!r}")
            if key in seen and seen[key][1] != texts:
                wrong.append(f"{area}.po: {singular!r} is translated otherwise in {seen[key][0]}.po")
            seen.setdefault(key, (area, texts))
            wrong.extend(f"{area}.po: {singular!r}: {fault}" for fault in _placeholder_faults(singular, texts))
    wrong.extend(
        f"{entry.areas[0]}.po: missing: {entry.singular!r} ({entry.files[0]})"
        for key, entry in wanted.items()
        if key not in seen
    )
    return wrong


def _placeholder_faults(singular: str, texts: Sequence[str]) -> Iterator[str]:
    """Placeholders (``%(name)s``) that a translation invents: they would break the page when it is shown."""
    known = set(_placeholders(singular))
    for text in texts:
        if "%" in _PLACEHOLDER.sub("", text.replace("%%", "")):
            yield "the translation holds a lonely %: write %%"
        for name in _placeholders(text):
            # ``num`` is what ngettext always offers.
            if name not in known and name != "num":
                yield f"the translation uses %({name})s, the original does not"


def _placeholders(text: str) -> Iterator[str]:
    for piece in text.replace("%%", "").split("%(")[1:]:
        yield piece.split(")", maxsplit=1)[0]


def missing(area: str, web: Path = WEB) -> list[Found]:
    """Messages of an area that no catalogue translates yet."""
    known: set[MessageKey] = set()
    for other in AREAS:
        path = web / "locale" / "zh_CN" / f"{other}.po"
        if path.exists():
            known |= read_catalogue(path).keys()
    return [entry for key, entry in extracted(web).items() if key not in known and entry.areas[0] == area]


def po_entry(entry: Found) -> str:
    """One untranslated entry in the syntax of ``.po`` files."""
    lines = [f"#: {' '.join(entry.files)}"]
    if entry.context is not None:
        lines.append(f"msgctxt {_quoted(entry.context)}")
    lines.append(f"msgid {_quoted(entry.singular)}")
    if entry.plural is None:
        lines.append('msgstr ""')
    else:
        lines += [f"msgid_plural {_quoted(entry.plural)}", 'msgstr[0] ""']
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n")
    return f'"{escaped}"'


def main(arguments: Sequence[str]) -> int:
    """Run ``check`` or ``missing``; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fairkey.web.i18n", description="Check and fill the catalogues.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="list missing, unused, empty, fuzzy and contradicting entries")
    missing_command = commands.add_parser("missing", help="print the entries an area still needs")
    missing_command.add_argument("--area", choices=AREAS, required=True)
    chosen = parser.parse_args(arguments)
    if chosen.command == "missing":
        sys.stdout.write("\n".join(po_entry(entry) for entry in missing(chosen.area)))
        return 0
    wrong = problems()
    sys.stdout.write("".join(f"{line}\n" for line in wrong or ["catalogues: complete"]))
    return 1 if wrong else 0
