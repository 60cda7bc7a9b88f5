"""The shape of a letter: what every channel makes and a pack prints."""

from msgspec import Struct

from fairkey.casework.texts import Words


class Section(Struct, frozen=True, kw_only=True):
    """A heading, which may be empty, paragraphs of plain text, and after them a table: `rows`, the first of them its
    head. `signed`: its rows leave room for a hand.
    """

    title: str = ""
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    signed: bool = False


class Letter(Struct, frozen=True, kw_only=True):
    """A letter or a filled form for one channel. Nothing in it was sent to anybody.

    `fields`: what a web form asks for, by the name it has there. `attachments`: SHA-256 of files, hex; `purposes` says
    by the same SHA-256 what each is to show. `warnings` are for the writer and never printed in the letter.
    """

    channel: str
    title: str
    addressee: str = ""
    sections: tuple[Section, ...] = ()
    fields: dict[str, str] = {}
    attachments: tuple[str, ...] = ()
    purposes: dict[str, str] = {}
    warnings: tuple[Words, ...] = ()
    not_proven: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole letter as plain text."""
        head = (self.title, self.addressee)
        body = (part for one in self.sections for part in (one.title, *one.paragraphs, *map("　".join, one.rows)))
        return "\n".join(part for part in (*head, *body) if part)

    @property
    def printed(self) -> str:
        """The letter as a text file: its form first, then its text."""
        form = "\n".join(f"{name}：{value}" for name, value in self.fields.items())
        return "\n\n".join(part for part in (form, self.text) if part) + "\n"
