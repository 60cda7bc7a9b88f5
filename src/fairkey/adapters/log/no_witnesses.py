"""For a log that nobody else watches yet: no policy, no witnesses, every signed head is published at once."""

from collections.abc import Mapping, Sequence

from fairkey.log.ports import Prove
from fairkey.proofs.notes import Note, Signature


class NoWitnesses:
    """Implements `fairkey.log.ports.Witnesses`."""

    async def cosign(self, note: Note, prove: Prove) -> Sequence[Signature]:  # noqa: ARG002 - nobody is asked
        """Nobody cosigns."""
        return ()

    async def latest(self) -> Mapping[str, bytes]:
        """Nobody saw anything."""
        return {}

    @property
    def answers(self) -> Mapping[str, str]:
        """Nobody answered."""
        return {}
