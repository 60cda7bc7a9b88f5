"""What the tools of a case tell a person, in both languages, as data: `texts.json`.

A text has a name (`path.first`) and stands there as `zh` and `en`, with the same gaps in both (`{days}`). What is told
is carried as `Words` up to where it is shown, and only there a language is chosen. Letters are no part of this: offices
and courts read Chinese.

Refusals and notes on files are raised in English, and older cases hold such notes; their Chinese is found by the shape
of the sentence (`sentences` in the data).
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from msgspec import Struct, json

LANGUAGES: Final = ("zh", "en")
_PACKAGE: Final = "fairkey.casework"
_GAP: Final = re.compile(r"\{(\w*)\}")


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    zh: str
    en: str

    def of(self, lang: str) -> str:
        """The text in `zh` or `en`."""
        return self.zh if lang == "zh" else self.en

    def __str__(self) -> str:
        """English, for logs and programs."""
        return self.en

    def __add__(self, other: "Words") -> "Words":
        """One after the other; English has a space between."""
        space = " " if self.en and other.en else ""
        return Words(self.zh + other.zh, f"{self.en}{space}{other.en}")


NOTHING: Final = Words("", "")


class _Data(Struct, frozen=True, forbid_unknown_fields=True):
    texts: dict[str, dict[str, Words]]
    sentences: tuple[Words, ...]


@cache
def data() -> _Data:
    """The texts of this release."""
    return json.decode((files(_PACKAGE) / "texts.json").read_bytes(), type=_Data)


def words(name: str, /, **gaps: object) -> Words:
    """The text `group.name`, its gaps filled; what is put into one may be `Words` itself. Raises `KeyError`."""
    group, _, one = name.partition(".")
    found = data().texts[group][one]
    return Words(_filled(found.zh, "zh", gaps), _filled(found.en, "en", gaps))


def same(text: str) -> Words:
    """What somebody said himself, or a name: it is the same in every language."""
    return Words(text, text)


def blank(name: str) -> Words:
    """What is not filled in of a letter, by the name it has there."""
    return data().texts["blanks"].get(name) or same(name)


def listed(these: Sequence[Words]) -> Words:
    """Several in a row."""
    return Words("、".join(one.zh for one in these), ", ".join(one.en for one in these))


def joined(these: Sequence[Words]) -> Words:
    """Several one after the other, with nothing between."""
    return Words("".join(one.zh for one in these), "".join(one.en for one in these))


def _filled(text: str, lang: str, gaps: dict[str, object]) -> str:
    said = {name: value.of(lang) if isinstance(value, Words) else str(value) for name, value in gaps.items()}
    return _GAP.sub(lambda found: said[found[1]], text)


def sentence(english: str) -> Words:
    """A refusal or note as it was raised, with its Chinese; English twice where the data do not know it."""
    for pattern, chinese in _shapes():
        if found := pattern.fullmatch(english):
            inner: dict[str, object] = {name: _inner(value) for name, value in found.groupdict().items()}
            return Words(_filled(chinese, "zh", inner), english)
    return same(english)


def _inner(value: str) -> str:
    """What stands in a gap: words of ours in a row are told in Chinese, names and numbers stay."""
    known = {one.en: one.zh for one in data().sentences}
    parts = value.split(", ")
    return "、".join(known[one] for one in parts) if all(one in known for one in parts) else value


def told_of(error: BaseException) -> Words:
    """What an exception says, which has a sentence or `Words` as its argument."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Words) else sentence(str(said))


def about(name: str, error: BaseException) -> Words:
    """What is wrong with a file, of which the exception says the rest: `shot.png is a link: name the file itself.`"""
    said = told_of(error)
    return Words(f"{name}：{said.zh}。", f"{name} {said.en}.")


def noted(name: str, note: str) -> Words:
    """A note on a file: `clip.mp4: the picture is broken.`"""
    said = sentence(note)
    return Words(f"{name}：{said.zh}。", f"{name}: {said.en}.")


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The longest fixed part first, so that the plainest shape is tried last."""
    known = sorted(data().sentences, key=lambda one: len(_GAP.sub("", one.en)), reverse=True)
    return tuple((re.compile(_shape(one.en), re.DOTALL), one.zh) for one in known)


def _shape(text: str) -> str:
    parts = _GAP.split(text)  # fixed, gap, fixed, gap, …, fixed
    return "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
