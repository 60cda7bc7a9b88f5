"""The mails that effects ask for: who gets which, in which language, with which links. Never a code in a mail."""

from fairkey.effects.outbox import Waiting
from fairkey.effects.ports import Mail
from fairkey.engine.house import House


class Letters:
    """Writes and sends the mail of a `tell_*` effect."""

    def __init__(self, house: House, mail: Mail | None) -> None:
        self._house = house
        self._mail = mail

    async def tell(self, waiting: Waiting) -> None:
        """Send what `waiting` asks for; raises what the mail carrier raises."""
