"""Proof of work: makes flooding dear where a captcha would shut people out. Off by default (difficulty 0).

The server keeps nothing of a challenge: it is signed. A browser with scripts finds a `nonce` such that
SHA-256(challenge + ":" + nonce) begins with `difficulty_bits` zero bits and sends `challenge:nonce`. A browser
without scripts sends the challenge back alone after having waited: `WAIT_MS` per form (the page shows the countdown
and reloads itself), which slows a flood down about as much as the work does. Each challenge is good once per process
and for ten minutes.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from fairkey.business.basics import MINUTE_MS, SECOND_MS
from fairkey.gates.refusals import WorkIsMissing

GOOD_FOR_MS: Final = 10 * MINUTE_MS
WAIT_MS: Final = 20 * SECOND_MS
DIFFICULTY_BITS_MAX: Final = 28  # about a minute in a phone's browser; more would only punish people
SPENT_MAX: Final = 100_000
_ANSWER_LENGTH_MAX: Final = 300
FIELD: Final = "_work"


class ProofOfWork:
    """Challenges and their answers for one kind of form (`use`: "place", "register", …)."""

    def __init__(self, key: bytes, difficulty_bits: int, now_ms: Callable[[], int]) -> None:
        """`key` signs; `now_ms` is the clock. Raises ValueError for a difficulty nobody could answer."""
        if not 0 <= difficulty_bits <= DIFFICULTY_BITS_MAX:
            raise ValueError(f"difficulty must be 0..{DIFFICULTY_BITS_MAX} bits")
        self._key = key
        self.difficulty_bits = difficulty_bits
        self._now_ms = now_ms
        self._spent: OrderedDict[str, None] = OrderedDict()

    def challenge(self, use: str, network: str) -> str:
        """A fresh challenge for a form shown to this network; "" when no work is asked for."""
        if not self.difficulty_bits:
            return ""
        body = f"{use}.{self._now_ms()}.{self.difficulty_bits}.{secrets.token_urlsafe(12)}"
        return f"{body}.{self._mac(body, network)}"

    def require(self, use: str, network: str, answer: str) -> None:
        """Accept an answer (`challenge:nonce`, or a `challenge` that was waited for) or raise `WorkIsMissing`."""
        if not self.difficulty_bits:
            return
        challenge, colon, _ = answer[:_ANSWER_LENGTH_MAX].partition(":")
        body, _, mac = challenge.rpartition(".")
        if not hmac.compare_digest(mac.encode(errors="replace"), self._mac(body, network).encode()):
            raise WorkIsMissing(difficulty_bits=self.difficulty_bits)
        # Signed by us, so it has the shape we gave it.
        for_use, issued, bits, _ = body.split(".")
        age_ms = self._now_ms() - int(issued)
        done = zero_bits(answer) >= int(bits) if colon else age_ms >= WAIT_MS
        if for_use != use or not 0 <= age_ms <= GOOD_FOR_MS or not done or challenge in self._spent:
            raise WorkIsMissing(difficulty_bits=self.difficulty_bits)
        self._spent[challenge] = None
        if len(self._spent) > SPENT_MAX:
            self._spent.popitem(last=False)

    def _mac(self, body: str, network: str) -> str:
        return hmac.digest(self._key, f"{network}|{body}".encode(errors="replace"), hashlib.sha256).hex()


def zero_bits(answer: str) -> int:
    """How many zero bits SHA-256 of the answer begins with."""
    return 256 - int.from_bytes(hashlib.sha256(answer.encode(errors="replace")).digest(), "big").bit_length()


def solve(challenge: str, difficulty_bits: int) -> str:
    """The answer to a challenge, as a script in the browser finds it; for programs and tests."""
    nonce = 0
    while zero_bits(f"{challenge}:{nonce}") < difficulty_bits:
        nonce += 1
    return f"{challenge}:{nonce}"
