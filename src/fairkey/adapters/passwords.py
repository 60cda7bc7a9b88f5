"""Passwords: which are refused, and how they are hashed (argon2id) and checked off the event loop.

Parameters are the first recommendation of the OWASP Password Storage Cheat Sheet (m = 19 MiB, t = 2, p = 1). Hashes
made with other parameters are still checked and reported as stale, so that the caller can replace them at the next
log-in.
"""

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from fairkey.engine.people import PasswordIsWeak

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 200  # long enough for any passphrase, short enough that hashing it costs no more than another

# What people take when they are asked for ten characters. Compared without case, without the digits and signs around
# it, and with the usual swaps undone (p4ssw0rd), so that one entry stands for its hundred variants.
_WORDS: Final = """
password passwort passwords passwordpassword motdepasse contrasena mima wodemima letmein letmeinnow welcome
welcomeback qwerty qwertyuiop qwertyui qwertyqwerty qwertz qwertzuiop azerty azertyuiop asdfgh asdfghjkl
asdfasdf asdfghjk zxcvbn zxcvbnm qazwsx qazwsxedc qazwsxedcrfv qwer qwerasdf qweasd qweasdzxc qwaszx zaqwsx
xswqaz poiuytrewq lkjhgfdsa mnbvcxz admin administrator adminadmin administer root rootroot toor user username
guest default changeme changeit secret secrets supersecret topsecret test testtest testing tester temp
temporary demo demodemo login loginlogin access master superman batman spiderman pokemon dragon monkey
football baseball basketball soccer hockey princess sunshine shadow michael jennifer jordan charlie ashley
thomas daniel iloveyou ilovey iloveu ihateyou loveyou lovelove forever starwars computer internet samsung
google facebook microsoft windows apple iphone android wechat weixin alipay taobao tencent xiaomi huawei steam
woaini woainima woaiwojia woaiwo woaizhongguo zhongguo beijing shanghai shenzhen guangzhou nihao nihaoma
caonima aini wangyi zhangwei wangwei liwei laopo laogong baobao baobei mama baba abc abcd abcde abcdef abcdefg
abcdefgh abcdefghi abcdefghij abcabc abcabcabc aaa aaaaaa qqq www wwwwww asd asdasd asdasdasd qwe qweqwe
qweqweqwe zxc zxczxc zxczxczxc abcqwe aabbcc aabbccdd abab hello helloworld hellohello whatever nothing
trustno correcthorsebatterystaple fairkey fairkeyfairkey
"""
COMMON_STEMS: Final = frozenset(_WORDS.split())
_SWAPS: Final = str.maketrans("04315$@7!", "oaeissati")
_RUNS: Final = ("0123456789" * 4, "9876543210" * 4, "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba")

T = TypeVar("T")


def normalised(password: str) -> str:
    """The same characters whichever keyboard typed them (NFKC), before checking and hashing."""
    return unicodedata.normalize("NFKC", password)


def require_strong(password: str, *, email: str = "") -> None:
    """Refuse what falls to a short list. Raises `PasswordIsWeak` with why = too_short | too_long | common |
    like_email.
    """
    text = normalised(password)
    if len(text) < LENGTH_MIN:
        raise PasswordIsWeak(why="too_short", length_min=LENGTH_MIN)
    if len(text) > LENGTH_MAX:
        raise PasswordIsWeak(why="too_long", length_min=LENGTH_MIN)
    folded = text.casefold()
    if _is_common(folded):
        raise PasswordIsWeak(why="common", length_min=LENGTH_MIN)
    local, _, domain = email.casefold().partition("@")
    if email and _stem(folded) in {_stem(local), _stem(domain), _stem(email.casefold())} - {""}:
        raise PasswordIsWeak(why="like_email", length_min=LENGTH_MIN)


def _is_common(folded: str) -> bool:
    if re.fullmatch(r"(.{1,4}?)\1+.?", folded):  # 1111111111, 1212121212, abcabcabca
        return True
    # 1234567890, 0987654321a, abcdefghij12
    if any(folded[: len(folded) - extra] in run for run in _RUNS for extra in range(3)):
        return True
    if re.fullmatch(
        r"\d{10,11}", folded
    ):  # a telephone number or a date with something behind it: a few billion at most
        return True
    bare = _stem(folded)
    return (
        bare in COMMON_STEMS
        or bare.translate(_SWAPS) in COMMON_STEMS
        or _stem(folded.translate(_SWAPS)) in COMMON_STEMS
    )


def _stem(folded: str) -> str:
    """Without the digits and signs in front and behind: `!!password2024` and `password` are one."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password fits, and whether its hash should be made anew with today's parameters."""

    fits: bool
    stale: bool


class Passwords:
    """Makes and checks hashes in threads of its own: two at a time, so that a storm of log-ins costs 38 MiB and not
    gigabytes.
    """

    def __init__(self, *, memory_kib: int = 19_456, rounds: int = 2, threads: int = 2) -> None:
        """`memory_kib` and `rounds` are argon2's m and t; tests take small ones."""
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2")
        # What unknown addresses are checked against, so that they take as long as known ones. Nobody's password has a
        # zero byte.
        self._nobody = self._hasher.hash("\0nobody")

    async def make(self, password: str) -> str:
        """The encoded hash (PHC string) of a password."""
        return await self._off_the_loop(lambda: self._hasher.hash(normalised(password)))

    async def check(self, encoded: str | None, password: str) -> Verdict:
        """Whether the password belongs to this hash; None costs the same time and never fits."""
        return await self._off_the_loop(lambda: self._check(encoded, password))

    def _check(self, encoded: str | None, password: str) -> Verdict:
        try:
            # Longer than anything we ever accepted: cannot fit, and need not be hashed in full.
            self._hasher.verify(encoded or self._nobody, normalised(password[: LENGTH_MAX + 1]))
        except (VerificationError, InvalidHashError):
            return Verdict(fits=False, stale=False)
        if encoded is None:
            return Verdict(fits=False, stale=False)
        return Verdict(fits=True, stale=self._hasher.check_needs_rehash(encoded))

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def stop(self) -> None:
        """Let running hashes finish and the threads go."""
        self._threads.shutdown()
