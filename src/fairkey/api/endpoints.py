"""What the API is made of: one `Endpoint` per call, said once, from which routes and the OpenAPI document both come."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from fairkey.api.calls import Call, Reply
from fairkey.engine.house import House

BODY_MAX_BYTES: Final = 64 * 1024

Handle = Callable[[House, Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example of the document: what is sent and what comes back, as plain JSON."""

    request: Mapping[str, Any] | None = None
    answer: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One call.

    `body` is the shape of a JSON body (`None`: no body is read); with `streams` the handler reads the body itself.
    `refusals` are the names of what the rules may say besides what any call may be told (see `document.py`).
    `idempotency`: whether the call takes an `Idempotency-Key`; `None` where repeating is harmless anyway.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str  # as in the table of routes: /api/v1/orders/{ref}
    tag: str
    summary: str
    handle: Handle
    description: str = ""
    body: type[Struct] | None = None
    body_is_optional: bool = False
    streams: tuple[str, ...] = ()
    bytes_max: int = BODY_MAX_BYTES
    query: type[Struct] | None = None
    answer: type[Struct] | None = None
    answer_text: str = ""  # what a text answer is, for calls that do not answer JSON
    answer_type: str = "text/plain"  # its media type
    status: int = 200
    refusals: Sequence[str] = ()
    idempotency: Literal["required", "optional"] | None = None
    example: Example = field(default_factory=Example)
    decoder: msgspec.json.Decoder[Any] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Make the decoder once."""
        if self.body is not None:
            object.__setattr__(self, "decoder", msgspec.json.Decoder(self.body))

    @property
    def key(self) -> str:
        """Its key in the table of routes."""
        return f"{self.method} {self.path}"
