"""An issuer for tests: registered with a key of its own, and what it signs."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api_world import World
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM
from fairkey.business.issuers import RegisterIssuer, RotateIssuerKey, SuspendIssuer
from fairkey.proofs.attestations import Written, public_key_of, write_outage_statement, write_statement

PATH = "/api/v1/issuer/attestations"
OUTAGES = "/api/v1/issuer/outages"


@dataclass
class AnIssuer:
    """Signs what it is told and sends it."""

    world: World
    issuer_id: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def write(self, code: str, says: str = "activated", *, ago_ms: int = 60_000, **more: object) -> Written:
        now_ms = self.world.clock()
        given: dict[str, Any] = {
            "issuer_id": self.issuer_id,
            "said_at_ms": now_ms,
            "says": says,
            "code": code,
            "happened_at_ms": now_ms - ago_ms,
            **more,
        }
        return write_statement(given.pop("key", self.key), **given)

    async def send(self, *written: Written, **changes: str) -> httpx.Response:
        body = {"attestations": [{**one._asdict(), **changes} for one in written]}
        return await self.world.post(PATH, body)

    async def say(self, code: str, says: str = "activated", *, ago_ms: int = 60_000, **more: object) -> httpx.Response:
        return await self.send(self.write(code, says, ago_ms=ago_ms, **more))

    def outage(self, says: str, *, ago_ms: int = 0, **more: object) -> dict[str, str]:
        """What he sends about an outage of his."""
        now_ms = self.world.clock()
        given: dict[str, Any] = {"said_at_ms": now_ms, "says": says, "happened_at_ms": now_ms - ago_ms, **more}
        statement, signature = write_outage_statement(given.pop("key", self.key), issuer_id=self.issuer_id, **given)
        return {"statement": statement, "signature": signature}

    async def say_outage(self, says: str, *, ago_ms: int = 0) -> httpx.Response:
        return await self.world.post(OUTAGES, self.outage(says, ago_ms=ago_ms))

    async def rotate(self, *, at_once: bool = False) -> Ed25519PrivateKey:
        """Take a new key; the old one."""
        old, self.key = self.key, Ed25519PrivateKey.generate()
        command = RotateIssuerKey(
            shop_id=PLATFORM, issuer_id=self.issuer_id, public_key=public_key_of(self.key), at_once=at_once
        )
        assert not (await self.world.opened.house.ask(Asker.OPERATOR, command)).refusal
        return old

    async def suspend(self) -> None:
        command = SuspendIssuer(shop_id=PLATFORM, issuer_id=self.issuer_id, reason="signs what is not so")
        assert not (await self.world.opened.house.ask(Asker.OPERATOR, command)).refusal


async def an_issuer(world: World, *speaks_for: str) -> AnIssuer:
    """Registered for these words."""
    issuer = AnIssuer(world, str(uuid4()))
    command = RegisterIssuer(
        shop_id=PLATFORM,
        issuer_id=issuer.issuer_id,
        name="晨光游戏",
        public_key=public_key_of(issuer.key),
        speaks_for=speaks_for or ("Steam",),
        contact="issuer@example.com",
    )
    assert not (await world.opened.house.ask(Asker.OPERATOR, command)).refusal
    return issuer


async def heard(world: World, code: str) -> list[Any]:
    """What is on record about a code, sealed fields opened."""
    house = world.opened.house
    mark = house.keys.code_fingerprint(code)
    named = (await house.questions.issuers.named([mark]))[mark]
    return await house.questions.issuers.attestations(named.shop_id, [named.code_id], with_sealed=True)
