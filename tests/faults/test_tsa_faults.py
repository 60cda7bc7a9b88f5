"""Authorities that are slow, away, wrong or garrulous cost their own token and nothing else."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from fairkey.adapters.postgres.clockwork import PostgresClockwork
from fairkey.adapters.postgres.log_tokens import PostgresLogTokens
from fairkey.adapters.tsa.http_tsa import PATIENCE_S, PAUSES_S, HttpTsa
from fairkey.log.stamping import Authority, Stamper, Token, TsaIsAway, TsaIsUnverifiable
from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.notes import signer_key
from fairkey.proofs.openssl_ts import SecondOpinion, second_opinion
from fairkey.proofs.timestamps import (
    TOKEN_BYTES_MAX,
    Stamp,
    StampWasNotGranted,
    TokenHasAnotherNonce,
    TokenIsMalformed,
    TokenIsNotTrusted,
    check_token,
    read_roots,
)
from tsa_world import LocalTsa, needs_openssl, served

pytestmark = needs_openssl

ORIGIN = "keys.example/log"
EVERY_S = 300
START_MS = 1_790_000_000_000


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    return LocalTsa(tmp_path_factory.mktemp("tsa") / "one")


class Pauses(list[float]):
    """Counts what would have been waited."""

    async def __call__(self, pause_s: float) -> None:
        self.append(pause_s)


@asynccontextmanager
async def asked(
    tsa: LocalTsa,
    url: str,
    *,
    sleep: Pauses | None = None,
    patience_s: float = PATIENCE_S,
    opinion: Callable[..., SecondOpinion] = second_opinion,
) -> AsyncIterator[HttpTsa]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield HttpTsa(
            "one",
            url,
            read_roots(tsa.root_pem),
            client,
            sleep=Pauses() if sleep is None else sleep,
            patience_s=patience_s,
            opinion=opinion,
        )


async def test_a_good_authority(tsa: LocalTsa) -> None:
    seen: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        seen.append(body)
        return 200, tsa.reply(body)

    with served(answer) as url:
        async with asked(tsa, url) as one:
            first, second = await one.stamp(b"text\n"), await one.stamp(b"text\n")
    assert check_token(first.token, b"text\n", read_roots(tsa.root_pem)) == first.stamp
    assert second.stamp.serial == first.stamp.serial + 1
    assert seen[0] != seen[1]  # a nonce each


async def test_the_first_token_is_shown_to_openssl_too(tsa: LocalTsa) -> None:
    shown: list[bytes] = []

    def doubting(token: bytes, data: bytes, roots: object, *, at_ms: int) -> SecondOpinion:
        shown.append(data)
        return SecondOpinion(len(shown) > 1, "not mine")

    with served(lambda body: (200, tsa.reply(body))) as url:
        async with asked(tsa, url, opinion=doubting) as one:
            with pytest.raises(TsaIsUnverifiable, match="not mine"):
                await one.stamp(b"a")
            await one.stamp(b"b")
            await one.stamp(b"c")
    assert shown == [b"a", b"b"]


async def test_a_moment_of_trouble_is_tried_again(tsa: LocalTsa) -> None:
    answers = iter([(503, b""), (500, b"")])
    pauses = Pauses()
    with served(lambda body: next(answers, None) or (200, tsa.reply(body))) as url:
        async with asked(tsa, url, sleep=pauses) as one:
            await one.stamp(b"text")
    assert pauses == list(PAUSES_S)


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (302, 1), (503, 1 + len(PAUSES_S))])
async def test_no_other_status_than_200_is_an_answer(tsa: LocalTsa, status: int, tries: int) -> None:
    seen: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        seen.append(body)
        return status, tsa.reply(body)

    with served(answer) as url:
        async with asked(tsa, url) as one:
            with pytest.raises(TsaIsAway, match=str(status)):
                await one.stamp(b"text")
    assert len(seen) == tries


async def test_an_authority_that_is_too_slow(tsa: LocalTsa) -> None:
    let_go = threading.Event()

    def answer(body: bytes) -> tuple[int, bytes]:
        let_go.wait(60)
        return 200, b""

    with served(answer) as url:
        async with asked(tsa, url, patience_s=0.05) as one:
            with pytest.raises(TsaIsAway, match="did not answer"):
                await one.stamp(b"text")
        let_go.set()


async def test_an_authority_that_is_not_there(tsa: LocalTsa) -> None:
    with served(lambda body: (200, b"")) as url:
        pass
    async with asked(tsa, url) as one:
        with pytest.raises(TsaIsAway, match="ConnectError"):
            await one.stamp(b"text")


async def test_an_authority_that_does_not_stop_talking(tsa: LocalTsa) -> None:
    with served(lambda body: (200, b"\0" * (TOKEN_BYTES_MAX + 1))) as url:
        async with asked(tsa, url) as one:
            with pytest.raises(TsaIsAway, match="too long"):
                await one.stamp(b"text")


async def test_wrong_answers_are_refused_and_not_asked_for_again(tsa: LocalTsa, tmp_path: Path) -> None:
    namesake, strict = LocalTsa(tmp_path / "namesake"), LocalTsa(tmp_path / "strict", digests="sha512")
    old: list[bytes] = []

    def replayed(body: bytes) -> bytes:
        old.append(tsa.reply(body))
        return old[0]

    wrongs: list[tuple[Callable[[bytes], bytes], type[Exception]]] = [
        (namesake.reply, TokenIsNotTrusted),
        (strict.reply, StampWasNotGranted),
        (lambda body: b"<html>", TokenIsMalformed),
    ]
    for reply, refusal in wrongs:
        seen: list[bytes] = []

        def answer(
            body: bytes, reply: Callable[[bytes], bytes] = reply, seen: list[bytes] = seen
        ) -> tuple[int, bytes]:
            seen.append(body)
            return 200, reply(body)

        with served(answer) as url:
            async with asked(tsa, url) as one:
                with pytest.raises(refusal):
                    await one.stamp(b"text")
        assert len(seen) == 1
    with served(lambda body: (200, replayed(body))) as url:
        async with asked(tsa, url) as one:
            await one.stamp(b"text")
            with pytest.raises(TokenHasAnotherNonce):
                await one.stamp(b"text")


# ---- what the log does with them


class Scripted:
    """An authority whose answers are written down beforehand."""

    def __init__(self, name: str, now_ms: Callable[[], int]) -> None:
        self.name = name
        self.fails = False
        self.asked: list[bytes] = []
        self._now_ms = now_ms

    async def stamp(self, data: bytes) -> Token:
        self.asked.append(data)
        if self.fails:
            raise TsaIsAway("it is away")
        at_ms = self._now_ms()
        return Token(b"token %d" % len(self.asked), Stamp(at_ms, None, "CN=x", len(self.asked), "1.2", "SHA-256"))


class Town:
    """A log with published heads, authorities, a clock."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.now_ms = START_MS
        self.key = signer_key(ORIGIN, bytes(range(32)))
        self.tokens = PostgresLogTokens(pool)
        self.one, self.two = (Scripted(name, lambda: self.now_ms) for name in ("one", "two"))

    def stamper(self, *authorities: Authority) -> Stamper:
        return Stamper(
            self.tokens,
            authorities or (self.one, self.two),
            lease=PostgresClockwork(self.pool).lease,
            now_ms=lambda: self.now_ms,
            every_s=EVERY_S,
        )

    async def publish(self, size: int, *, is_published: bool = True) -> bytes:
        note = sign_checkpoint(Checkpoint(ORIGIN, size, bytes(31) + bytes([size])), self.key)
        await self.pool.execute(
            "INSERT INTO logs VALUES (1, $1, $2, $3, '', now()) ON CONFLICT DO NOTHING", ORIGIN, "vkey", b"seed"
        )
        await self.pool.execute(
            """
            INSERT INTO log_heads (log_no, size, root, note, epoch, signed_at, cosigned, published_at)
            VALUES (1, $1, $2, $3, 1, now(), $4, $5)
            """,
            size,
            bytes(31) + bytes([size]),
            note.encode(),
            note.encode() if is_published else None,
            await self.pool.fetchval("SELECT now()") if is_published else None,
        )
        return note.text


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=3) as pool:
        yield Town(pool)


async def test_the_newest_published_text_is_stamped_by_each(town: Town) -> None:
    stamper = town.stamper()
    assert await stamper.step() == 0  # no log yet
    await town.publish(3)
    text = await town.publish(7)
    await town.publish(9, is_published=False)
    assert await stamper.step() == 2
    assert town.one.asked == town.two.asked == [text]
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 3
    kept = await town.tokens.tokens_for(1, 7)
    assert [(one.tsa, one.token, one.gen_time_ms) for one in kept] == [
        ("one", b"token 1", START_MS),
        ("two", b"token 1", START_MS),
    ]
    assert await town.tokens.tokens_for(1, 3) == []
    assert await stamper.step() == 0
    town.now_ms += 10 * EVERY_S * 1000  # nothing new was published: it is not stamped twice
    assert await stamper.step() == 0
    assert town.one.asked == [text]


async def test_each_period_one_checkpoint_whoever_asks(town: Town) -> None:
    first, other_process = town.stamper(), town.stamper()
    await town.publish(3)
    assert await first.step() == 2
    await town.publish(4)
    town.now_ms += EVERY_S * 1000 - 1
    assert (await first.step(), await other_process.step()) == (0, 0)
    town.now_ms += 1
    assert (await other_process.step(), await first.step()) == (2, 0)
    assert [one.size for one in await town.tokens.all_tokens(1)] == [3, 3, 4, 4]
    assert [await town.tokens.newest_stamped(1, size) for size in (0, 4, 5)] == [4, 4, None]


async def test_one_that_fails_delays_only_itself_and_is_asked_more_rarely(town: Town) -> None:
    stamper = town.stamper()
    town.two.fails = True
    asked_at = []
    for period in range(40):
        await town.publish(period + 1)
        before = len(town.two.asked)
        assert await stamper.step() == 1
        if len(town.two.asked) > before:
            asked_at.append(period)
        town.now_ms += EVERY_S * 1000
    assert asked_at[:5] == [0, 1, 3, 7, 15]
    assert asked_at[5:] == [27, 39]  # every hour at least
    town.two.fails = False
    town.now_ms += 3_600_000
    await town.publish(60)
    assert await stamper.step() == 2


async def test_a_real_authority_from_the_log_to_the_verifier(town: Town, tsa: LocalTsa) -> None:
    text = await town.publish(5)
    town.now_ms = START_MS
    with served(lambda body: (200, tsa.reply(body))) as url:
        async with asked(tsa, url) as one:
            assert await town.stamper(one).step() == 1
    (kept,) = await town.tokens.tokens_for(1, 5)
    assert check_token(kept.token, text, read_roots(tsa.root_pem)).gen_time_ms == kept.gen_time_ms
