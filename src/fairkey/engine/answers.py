"""What a command comes to, and what can keep it from being answered."""

from msgspec import Struct

from fairkey.business.basics import Stream


class Conflict(Exception):
    """Somebody else wrote what we had read. Nothing was written: read again and decide again."""


class StoreIsAway(Exception):
    """No answer from storage; whether the commit happened is unknown. Asking again with the same id is safe."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a command came to. `facts` are small, JSON-able and never secret; `refusal` is empty when it was done."""

    stream: Stream | None = None
    kinds: tuple[str, ...] = ()
    facts: dict[str, object] = {}
    refusal: str = ""
    details: dict[str, object] = {}
