"""The issuer of the demo world: signs a list he sold, and says what became of codes that people quarrel about."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Broken
from fairkey.business.issuers import RegisterIssuer
from fairkey.engine import attesting
from fairkey.engine.attesting import Sent
from fairkey.proofs.attestations import public_key_of, write_list_statement, write_statement

from .stage import Stage

CONTACT = "issuer@xinghe.example"
NAME = "星河发行（演示）"
SPEAKS_FOR = ("eShop", "网盘", "Steam")


class Maker:
    """Speaks through the same door as issuers do who send signed statements."""

    def __init__(self, stage: Stage, issuer_id: str) -> None:
        self._stage = stage
        self._issuer_id = issuer_id
        self._key = Ed25519PrivateKey.generate()

    async def register(self) -> None:
        """The operator has met him."""
        command = RegisterIssuer(
            shop_id=PLATFORM,
            issuer_id=self._issuer_id,
            name=NAME,
            public_key=public_key_of(self._key),
            speaks_for=SPEAKS_FOR,
            contact=CONTACT,
        )
        self._stage.contacts.add(CONTACT)
        await self._stage.ask(Asker.OPERATOR, command)

    def list_for(self, *, product: str, count: int, shop_no: int, list_id: str) -> tuple[str, str]:
        """(statement, signature): this list was made by him and sold to this shop."""
        return write_list_statement(
            self._key,
            issuer_id=self._issuer_id,
            said_at_ms=self._stage.clock(),
            product=product,
            count=count,
            shop_no=shop_no,
            list_id=list_id,
        )

    async def say(self, code: str, says: str, ago_ms: int, account: str = "") -> None:
        """He sends one statement."""
        now_ms = self._stage.clock()
        if account:
            self._stage.contacts.add(account)
        written = write_statement(
            self._key,
            issuer_id=self._issuer_id,
            said_at_ms=now_ms,
            says=says,
            code=code,
            happened_at_ms=now_ms - ago_ms,
            account=account,
        )
        received = await attesting.take_statements(self._stage.house, [Sent(*written)])
        if len(received) != 1:
            raise Broken("the demo's issuer was not heard")
