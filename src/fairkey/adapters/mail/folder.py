"""Mail into a folder: each letter a file `<time>-<key>.eml` that any mail program opens. For demos and tests."""

import asyncio
import datetime
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fairkey.adapters.mail.letter import address, key_digest, letter
from fairkey.effects.ports import Attachment

NOBODY = "fairkey@localhost"


class FolderMail:
    """Port `Mail`. A letter whose key was written before is not written again."""

    def __init__(
        self, folder: Path, sender: str = NOBODY, *, sender_name: str = "", now_s: Callable[[], float] = time.time
    ) -> None:
        """Write into `folder`, made if missing and readable by its owner only: letters hold order secrets."""
        self.folder = folder
        self._sender = address(sender, sender_name)
        self._now_s = now_s

    async def send(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None,
        idempotency_key: str,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        """See the port."""
        now_s = self._now_s()
        message = letter(
            sender=self._sender,
            to=to,
            subject=subject,
            text=text,
            html=html,
            idempotency_key=idempotency_key,
            attachments=attachments,
            sent_at_s=now_s,
        )
        stamp = datetime.datetime.fromtimestamp(now_s, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        await asyncio.to_thread(self._write, stamp, key_digest(idempotency_key), message.as_bytes())

    def letters(self) -> list[Path]:
        """All letters, oldest first."""
        return sorted(self.folder.glob("*.eml"))

    def _write(self, stamp: str, key: str, content: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(self.folder.glob(f"*-{key}.eml")):
            return
        # Whoever lists the folder must never see half a letter.
        unfinished = self.folder / f".{key}.{os.getpid()}"
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(content)
        unfinished.replace(self.folder / f"{stamp}-{key}.eml")
