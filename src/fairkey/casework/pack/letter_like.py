"""What a pack needs of a letter: any object of this shape will do (`casework.letters` makes them)."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from fairkey.casework.texts import Words


class SectionLike(Protocol):
    """A heading, which may be empty, and paragraphs."""

    @property
    def title(self) -> str:
        """The heading."""

    @property
    def paragraphs(self) -> Iterable[str]:
        """What stands under it."""


class LetterLike(Protocol):
    """A letter: title, sections, fields by name, SHA-256 of the files that go with it, warnings for its writer."""

    @property
    def title(self) -> str:
        """What stands at its head."""

    @property
    def addressee(self) -> str:
        """To whom; may be empty."""

    @property
    def purposes(self) -> Mapping[str, str]:
        """What a file, named by its SHA-256, is to show."""

    @property
    def sections(self) -> Iterable[SectionLike]:
        """Its text."""

    @property
    def fields(self) -> Mapping[str, str]:
        """What the channel's form asks for."""

    @property
    def attachments(self) -> Iterable[str]:
        """SHA-256 of files; empty means all."""

    @property
    def warnings(self) -> Iterable[Words]:
        """What the writer should look at before sending; never printed in the letter."""


class Section(NamedTuple):
    """A part of a plain letter."""

    title: str
    paragraphs: tuple[str, ...]


class PlainLetter(NamedTuple):
    """A letter made here, where no channel was chosen."""

    title: str
    sections: tuple[Section, ...]
    fields: Mapping[str, str] = MappingProxyType({})
    attachments: tuple[str, ...] = ()
    warnings: tuple[Words, ...] = ()
    addressee: str = ""
    purposes: Mapping[str, str] = MappingProxyType({})
