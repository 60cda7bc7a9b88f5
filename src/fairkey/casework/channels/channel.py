"""What a channel is: its form, its limits as far as they are known, what happens after sending."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from fairkey.casework.letters.letter import Letter, Section
from fairkey.casework.letters.told import Told
from fairkey.casework.texts import NOTHING, Words, data, words

UNVERIFIED: Final = words("letters.unverified")


class Limit(Struct, frozen=True, kw_only=True):
    """How much a field of a form takes. None: not known, and said so."""

    field: Words
    chars_max: int | None
    source: Words = NOTHING


class Channel(Struct, frozen=True, kw_only=True):
    """One way to ask. `compose` makes its letter; pure."""

    name: str
    limits: tuple[Limit, ...]
    compose: Callable[[Told], Letter]

    @property
    def title(self) -> Words:
        """What it is called."""
        return words(f"channels.{self.name}")

    @property
    def says(self) -> Words:
        """What its letter says, in a sentence or two."""
        return words(f"says.{self.name}")

    @property
    def next_steps(self) -> tuple[Words, ...]:
        """What happens after it was sent, in order."""
        return tuple(one for name, one in data().texts["next"].items() if name.startswith(f"{self.name}_"))


def letter(
    told: Told,
    channel: str,
    title: str,
    sections: tuple[Section, ...],
    *,
    addressee: str = "",
    fields: dict[str, str] | None = None,
    warnings: tuple[Words, ...] = (),
) -> Letter:
    """A letter with the case's evidence attached and everything the writer has to look at."""
    return Letter(
        channel=channel,
        title=title,
        addressee=addressee,
        sections=tuple(one for one in sections if one.paragraphs),
        fields=fields or {},
        attachments=told.attachments(),
        purposes=told.purposes(),
        warnings=told.warnings(*warnings),
    )


def facts_and_evidence(told: Told, *, demand_title: str = "诉求") -> tuple[Section, ...]:
    """Fact, evidence, demand: the three parts that every channel wants."""
    return (
        Section(title="事实", paragraphs=told.facts()),
        Section(title="补充说明", paragraphs=told.own_words()),
        Section(title="证据", paragraphs=told.evidence()),
        Section(title=demand_title, paragraphs=told.demands()),
    )
