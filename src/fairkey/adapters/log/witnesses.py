"""Asking witnesses over HTTP (C2SP tlog-witness): all at once, each for a second at most, none believed unverified."""

import asyncio
import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from fairkey.log.ports import Prove
from fairkey.proofs.checkpoints import open_checkpoint, read_checkpoint
from fairkey.proofs.notes import (
    NOTE_BYTES_MAX,
    Note,
    NoteIsMalformed,
    NoteIsNotSigned,
    Signature,
    VerifierKey,
    read_signature_lines,
    verified_signatures,
)
from fairkey.proofs.policies import WitnessKey
from fairkey.witness.judging import SIZE_TYPE

ANSWER_WITHIN_S: Final = 1.0
LATEST_WITHIN_S: Final = 5.0
TRIES: Final = 3  # a wrong guess of its size, and once more when another process of ours was faster
PAUSE_FIRST_S: Final = 2.0
PAUSE_MAX_S: Final = 60.0
ANSWER_BYTES_MAX: Final = 64 * 1024


@dataclass(slots=True)
class _State:
    """What is known of one witness."""

    size: int = 0
    answer: str = "not asked yet"
    pause_s: float = 0.0
    not_before_s: float = 0.0


class HttpWitnesses:
    """Implements `fairkey.log.ports.Witnesses`."""

    def __init__(
        self,
        log: VerifierKey,
        witnesses: Sequence[WitnessKey],
        http: httpx.AsyncClient,
        *,
        within_s: float = ANSWER_WITHIN_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`witnesses` with addresses; one without is never asked. `http` is closed by whoever made it."""
        self._log = log
        self._witnesses = tuple(one for one in witnesses if one.url)
        self._http = http
        self._within_s = within_s
        self._clock_s = clock_s
        self._states = {one.name: _State() for one in witnesses}
        for one in witnesses:
            if not one.url:
                self._states[one.name].answer = "has no address in the policy"

    @property
    def answers(self) -> Mapping[str, str]:
        """What each witness last answered."""
        return {name: state.answer for name, state in self._states.items()}

    async def cosign(self, note: Note, prove: Prove) -> Sequence[Signature]:
        """Ask all that are not given a rest."""
        now_s = self._clock_s()
        asked = [one for one in self._witnesses if self._states[one.name].not_before_s <= now_s]
        answers = await asyncio.gather(*(self._asked(one, note, prove) for one in asked))
        return [line for line in answers if line is not None]

    async def _asked(self, witness: WitnessKey, note: Note, prove: Prove) -> Signature | None:
        state = self._states[witness.name]
        try:
            async with asyncio.timeout(self._within_s):
                line = await self._ask(witness, state, note, prove)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            state.answer = f"does not answer: {type(error).__name__}"
            state.pause_s = min(PAUSE_MAX_S, state.pause_s * 2 or PAUSE_FIRST_S)
            state.not_before_s = self._clock_s() + state.pause_s
            return None
        state.pause_s = state.not_before_s = 0.0
        return line

    async def _ask(self, witness: WitnessKey, state: _State, note: Note, prove: Prove) -> Signature | None:
        size = read_checkpoint(note.text).size
        if state.size > size:  # it said so once; whether it still does is asked, or one false word would end it
            state.size = 0
        for _ in range(TRIES):
            if state.size > size:
                state.answer = f"has seen {state.size} entries, more than the {size} of this log"
                return None
            proof = await prove(state.size) if 0 < state.size < size else ()
            lines = [f"old {state.size}", *(b64encode(part).decode() for part in proof), "", ""]
            body = "\n".join(lines).encode() + note.encode()
            status, media_type, text = await self._fetch("POST", f"{_prefix(witness)}/add-checkpoint", body)
            if status == httpx.codes.CONFLICT and media_type.startswith(SIZE_TYPE) and _is_size(text):
                state.size = int(text)
                continue
            if status != httpx.codes.OK:
                state.answer = f"refused ({status}): {_shown(text)}"
                return None
            return self._verified(witness, state, note, text, size)
        state.answer = "gave another size each time it was asked"
        return None

    def _verified(
        self, witness: WitnessKey, state: _State, note: Note, text: bytes, size: int
    ) -> Signature | None:
        try:
            lines = read_signature_lines(text)
            if not verified_signatures(Note(note.text, lines), (witness.key,)):
                state.answer = "cosigned with another key than the policy's"
                return None
        except (NoteIsMalformed, NoteIsNotSigned) as error:
            state.answer = f"answered what is no cosignature: {error}"
            return None
        state.size = size
        state.answer = f"cosigned {size} entries"
        key = witness.key
        return next(line for line in lines if (line.name, line.key_id) == (key.name, key.key_id))

    async def latest(self) -> Mapping[str, bytes]:
        """What each witness saw last."""
        found = await asyncio.gather(*(self._latest(one) for one in self._witnesses))
        return {one.name: note for one, note in zip(self._witnesses, found, strict=True) if note is not None}

    async def _latest(self, witness: WitnessKey) -> bytes | None:
        state = self._states[witness.name]
        origin_hash = hashlib.sha256(self._log.name.encode()).hexdigest()
        try:
            async with asyncio.timeout(LATEST_WITHIN_S):
                status, _, text = await self._fetch("GET", f"{_prefix(witness)}/{origin_hash}/checkpoint", b"")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            state.answer = f"does not answer: {type(error).__name__}"
            return None
        if status == httpx.codes.NOT_FOUND:
            state.answer = "answers, and has cosigned nothing yet"
            return b""
        if status != httpx.codes.OK:
            state.answer = f"refused ({status}): {_shown(text)}"
            return None
        try:
            checkpoint, note = open_checkpoint(text, self._log)
            if not verified_signatures(note, (witness.key,)):
                state.answer = "shows a checkpoint that it has not cosigned"
                return None
        except (NoteIsMalformed, NoteIsNotSigned) as error:
            state.answer = f"shows what is no checkpoint of this log: {error}"
            return None
        state.size = checkpoint.size
        state.answer = f"cosigned {checkpoint.size} entries"
        return text

    async def _fetch(self, method: str, url: str, body: bytes) -> tuple[int, str, bytes]:
        plain = {"accept-encoding": "identity"}  # packed bytes are no answer: a few could become very many
        async with self._http.stream(method, url, content=body or None, headers=plain) as answer:
            parts, size = [], 0
            async for part in answer.aiter_raw():
                size += len(part)
                if size > (NOTE_BYTES_MAX if method == "GET" else ANSWER_BYTES_MAX):
                    raise httpx.ReadError("the answer is too long")
                parts.append(part)
            return answer.status_code, answer.headers.get("content-type", ""), b"".join(parts)


def _prefix(witness: WitnessKey) -> str:
    return witness.url.rstrip("/")


def _is_size(text: bytes) -> bool:
    digits = text.strip()
    return digits.isdigit() and len(digits) < 20  # noqa: PLR2004 - digits of 2^63


def _shown(text: bytes) -> str:
    """The beginning of an answer, fit for a line of a page."""
    first = text[:200].decode(errors="replace").strip().splitlines()
    return "".join(char for char in (first[0] if first else "") if char.isprintable())[:120]
