"""A licence API of the validate-key kind behind the port `IssuerCheck`.

`POST <url>/actions/validate-key` with `{"meta": {"key": CODE}}` and a bearer token; the answer is
`{"meta": {"valid": bool, "code": WORD, "detail": text}, "data": {"attributes": {"uses": n, ...}}}`. Its words:

    NO_MACHINE, NO_MACHINES                 valid and never activated          unused
    VALID with uses above 0, TOO_MANY_...   in somebody's use                  activated
    SUSPENDED, BANNED                       taken back                         revoked
    VALID otherwise, EXPIRED, NOT_FOUND     says nothing of the three          unclear

The address is the operator's word, the answer a stranger's: it is bounded in time and size, redirects are not followed
(the token and the code go to the named host and no other), and of its texts only a short plain word is kept.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import httpx
import msgspec

from fairkey.effects.issuer_check import IssuerAnswer, IssuerDoesNotAnswerNow, LicenceApi

TIMEOUT: Final = httpx.Timeout(5.0, connect=3.0, pool=3.0)
WHOLE_S: Final = 15.0
TRIES: Final = 3
PAUSE_S: Final = 0.5
ANSWER_BYTES_MAX: Final = 64 * 1024
MEDIA_TYPE: Final = "application/vnd.api+json"

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_WORD: Final = re.compile("[A-Z][A-Z0-9_]{0,39}")
_UNUSED: Final = frozenset({"NO_MACHINE", "NO_MACHINES"})
_ACTIVATED: Final = frozenset({"TOO_MANY_MACHINES", "TOO_MANY_USES", "TOO_MANY_PROCESSES", "TOO_MANY_CORES"})
_REVOKED: Final = frozenset({"SUSPENDED", "BANNED"})
_UNCLEAR: Final[dict[str, Literal["unknown", "expired"]]] = {
    "NOT_FOUND": "unknown",
    "EXPIRED": "expired",
    "OVERDUE": "expired",
}

Pause = Callable[[float], Awaitable[None]]


class _Meta(msgspec.Struct):
    valid: bool
    code: str


class _Attributes(msgspec.Struct):
    uses: int | None = None


class _Data(msgspec.Struct):
    attributes: _Attributes = msgspec.field(default_factory=_Attributes)


class _Answer(msgspec.Struct):
    meta: _Meta
    data: _Data | None = None


_read = msgspec.json.Decoder(_Answer).decode


class _TryAgain(Exception):
    """An attempt came to nothing; the next may not."""


class LicenceApiCheck:
    """Port `IssuerCheck`. Safe to share between tasks; close it when done."""

    def __init__(
        self,
        *,
        over_http: bool = False,
        timeout: httpx.Timeout = TIMEOUT,
        whole_s: float = WHOLE_S,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """`over_http`: plain addresses are allowed too, for playgrounds. `pause` waits between attempts."""
        self._over_http = over_http
        self._whole_s = whole_s
        self._pause = pause
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def ask(self, api: LicenceApi, code: str) -> IssuerAnswer:
        """See `IssuerCheck.ask`. At most `TRIES` attempts and `whole_s` seconds in all."""
        if not api.url.startswith("https://") and not self._over_http:
            raise IssuerDoesNotAnswerNow("its address is not https")
        why = "no answer"
        try:
            async with asyncio.timeout(self._whole_s):
                for attempt in range(TRIES):
                    if attempt:
                        await self._pause(PAUSE_S * 2 ** (attempt - 1))
                    try:
                        return meaning_of(await self._post(api, code), code)
                    except _TryAgain as error:
                        why = str(error)
        except TimeoutError:
            why = "it took too long"
        raise IssuerDoesNotAnswerNow(why)

    async def _post(self, api: LicenceApi, code: str) -> bytes:
        headers = {"accept": MEDIA_TYPE, "content-type": MEDIA_TYPE, "user-agent": "fairkey"}
        if api.token:
            headers["authorization"] = f"Bearer {api.token}"
        body = msgspec.json.encode({"meta": {"key": code}})
        whole = b""
        try:
            url = f"{api.url.rstrip('/')}/actions/validate-key"
            async with self._http.stream("POST", url, content=body, headers=headers) as answer:
                if answer.status_code in _AGAIN:
                    raise _TryAgain(f"status {answer.status_code}")
                if answer.status_code != httpx.codes.OK:
                    raise IssuerDoesNotAnswerNow(f"status {answer.status_code}")
                async for piece in answer.aiter_bytes():
                    whole += piece
                    if len(whole) > ANSWER_BYTES_MAX:
                        raise IssuerDoesNotAnswerNow("its answer is too large")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Only the kind of error is told: texts of errors may carry the address.
            raise _TryAgain(type(error).__name__) from None
        return whole


def meaning_of(body: bytes, code: str) -> IssuerAnswer:
    """What an answer means. Raises `IssuerDoesNotAnswerNow` when it is of another shape. `code` is never shown."""
    try:
        told = _read(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise IssuerDoesNotAnswerNow("its answer is of another shape") from None
    word = told.meta.code
    is_word = _WORD.fullmatch(word) is not None and word != code
    uses = told.data.attributes.uses if told.data else None
    says: Literal["activated", "unused", "revoked", "unclear"] = "unclear"
    unclear: Literal["", "unknown", "expired", "valid", "other"] = ""
    if word in _UNUSED:
        says = "unused"
    elif word in _ACTIVATED or (word == "VALID" and told.meta.valid and uses is not None and uses > 0):
        says = "activated"
    elif word in _REVOKED and not told.meta.valid:
        says = "revoked"
    elif word == "VALID" and told.meta.valid:
        unclear = "valid"
    else:
        unclear = _UNCLEAR.get(word, "other") if not told.meta.valid else "other"
    return IssuerAnswer(
        says=says,
        word=unclear,
        shown=word if is_word else "",
        response_sha256=hashlib.sha256(body).hexdigest(),
    )
