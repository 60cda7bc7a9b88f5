"""How data keys lie in the database: wrapped by a master key that never does.

`KeyWrapper` is the port for a key management service; `LocalKeyWrapper` is the one for a master key in a file or the
environment.
"""

import hashlib
import secrets
from base64 import b64decode, b64encode
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_MARK_BYTES: Final = 4


class MasterKeyIsMalformed(Exception):
    """The master key is not 32 bytes in base64."""


class MasterKeyDoesNotFit(Exception):
    """The data keys in this database were wrapped by another master key, or were changed."""


class KeyWrapper(Protocol):
    """Wraps data keys. `label` says which key it is and must be given again to unwrap (a KMS calls it encryption
    context).
    """

    async def wrap(self, key: bytes, label: bytes) -> bytes:
        """The wrapped form of a 32-byte key."""
        ...

    async def unwrap(self, wrapped: bytes, label: bytes) -> bytes:
        """The 32-byte key again; `MasterKeyDoesNotFit` when it was not wrapped by this master key under this label."""
        ...


def new_master_key() -> str:
    """A fresh master key: 32 random bytes in base64."""
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


class LocalKeyWrapper:
    """AES-256-GCM under a master key of our own. Wrapped form: 4 bytes that mark the master key, nonce, ciphertext
    and tag.
    """

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise MasterKeyIsMalformed
        self._cipher = AESGCM(master)
        self._mark = hashlib.sha256(b"fairkey master key\x00" + master).digest()[:_MARK_BYTES]

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """From the value of the environment variable or the content of the file (white space around it is fine)."""
        try:
            return cls(b64decode(text.strip(), validate=True))
        except ValueError as error:
            raise MasterKeyIsMalformed from error

    async def wrap(self, key: bytes, label: bytes) -> bytes:
        """See `KeyWrapper.wrap`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self._mark + nonce + self._cipher.encrypt(nonce, key, label)

    async def unwrap(self, wrapped: bytes, label: bytes) -> bytes:
        """See `KeyWrapper.unwrap`."""
        nonce, ciphertext = wrapped[_MARK_BYTES : _MARK_BYTES + NONCE_BYTES], wrapped[_MARK_BYTES + NONCE_BYTES :]
        if not wrapped.startswith(self._mark):
            raise MasterKeyDoesNotFit
        try:
            return self._cipher.decrypt(nonce, ciphertext, label)
        except InvalidTag as error:
            raise MasterKeyDoesNotFit from error
