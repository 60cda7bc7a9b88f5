"""A program: for each line "AT WAY" of its input, a forked writer grows the log once and dies at operation AT."""

import asyncio
import os
import sys
from pathlib import Path
from typing import cast

import fairkey.log.sequencer as sequencer_module
from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.notes import Note, SignerKey
from log_breaking import Breaking, Way
from log_world import LogWorld


async def write(dsn: str, folder: Path) -> None:
    """Log everything that is committed."""
    import asyncpg

    connection = await asyncpg.connect(dsn)
    await LogWorld(dsn=dsn, folder=folder, connection=connection).grow()
    await connection.close()


def main() -> None:
    """As the first line of this file says."""
    dsn, folder, signed = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

    def sign(checkpoint: Checkpoint, key: SignerKey) -> Note:
        with signed.open("a") as told:
            told.write(f"{checkpoint.size} {checkpoint.root.hex()}\n")
        return sign_checkpoint(checkpoint, key)

    setattr(sequencer_module, "sign_checkpoint", sign)  # noqa: B010 - a name it imports
    for line in sys.stdin:
        at, way = line.split()
        child = os.fork()
        if child == 0:
            breaking = Breaking(folder, int(at), cast("Way", way))
            with breaking.installed():
                asyncio.run(write(dsn, folder))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
