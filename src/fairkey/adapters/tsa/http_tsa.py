"""One time-stamping authority over HTTP (RFC 3161 3.4), asked with patience and believed only after a check.

Its first token of this process must also pass `openssl ts`, where that is installed: a token that only one program
accepts is no use to a stranger.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import httpx
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from fairkey.log.stamping import Token, TsaIsAway, TsaIsUnverifiable
from fairkey.proofs.openssl_ts import SecondOpinion, second_opinion
from fairkey.proofs.timestamps import (
    REPLY_TYPE,
    REQUEST_TYPE,
    TOKEN_BYTES_MAX,
    TsaRoots,
    check_token,
    token_of,
)

PATIENCE_S: Final = 10.0
PAUSES_S: Final = (1.0, 4.0)  # before the second try and the third
_WORTH_ANOTHER_TRY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

logger = logging.getLogger(__name__)


class _Passing(TsaIsAway):
    """A failure that may be over in a moment."""


class HttpTsa:
    """Implements `fairkey.log.stamping.Authority`."""

    def __init__(
        self,
        name: str,
        url: str,
        roots: TsaRoots,
        client: httpx.AsyncClient,
        *,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        opinion: Callable[..., SecondOpinion] = second_opinion,
    ) -> None:
        """`patience_s` bounds each try as a whole; `roots` are those that lead to this authority, pinned by us."""
        self._name = name
        self._url = url
        self._roots = roots
        self._client = client
        self._patience_s = patience_s
        self._sleep = sleep
        self._opinion = opinion
        self._is_proven = False

    @property
    def name(self) -> str:
        """What this house calls it."""
        return self._name

    async def stamp(self, data: bytes) -> Token:
        """See `Authority.stamp`."""
        request = TimestampRequestBuilder(data, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
        reply = await self._ask(request.as_bytes())
        token = token_of(reply)
        stamp = check_token(token, data, self._roots, nonce=request.nonce)
        if not self._is_proven:
            opinion = await asyncio.to_thread(self._opinion, token, data, self._roots, at_ms=stamp.gen_time_ms)
            if opinion.holds is False:
                raise TsaIsUnverifiable(f"openssl does not accept its tokens: {opinion.words}")
            words = "by us alone, as openssl is not there" if opinion.holds is None else "by us and by openssl"
            logger.info("tokens of %s (%s) can be verified %s", self._name, stamp.tsa, words)
            self._is_proven = True
        return Token(token, stamp)

    async def _ask(self, request: bytes) -> bytes:
        for pause_s in PAUSES_S:
            with suppress(_Passing):
                return await self._ask_once(request)
            await self._sleep(pause_s)
        return await self._ask_once(request)

    async def _ask_once(self, request: bytes) -> bytes:
        headers = {"Content-Type": REQUEST_TYPE, "Accept": REPLY_TYPE}
        reply = bytearray()
        try:
            async with (
                asyncio.timeout(self._patience_s),
                self._client.stream("POST", self._url, content=request, headers=headers) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    kind = _Passing if response.status_code in _WORTH_ANOTHER_TRY else TsaIsAway
                    raise kind(f"it answers HTTP {response.status_code}")
                async for chunk in response.aiter_bytes():
                    reply += chunk
                    if len(reply) > TOKEN_BYTES_MAX:
                        raise TsaIsAway("its reply is too long")
        except TimeoutError:
            raise _Passing(f"it did not answer in {self._patience_s:g} s") from None
        except httpx.HTTPError as error:
            raise _Passing(f"it could not be asked: {type(error).__name__}") from None
        return bytes(reply)
