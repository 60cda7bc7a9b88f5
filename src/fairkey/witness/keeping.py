"""A witness's folder: its name and key, and which logs it watches."""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkstemp

from fairkey.proofs.notes import COSIGNATURE, KeyIsMalformed, SignerKey, VerifierKey, read_vkey, signer_key
from fairkey.proofs.policies import PolicyIsMalformed, read_policy

KEY_FILE = "witness.key"
SEEN_FILE = "seen.sqlite"
LOGS_FILE = "logs.txt"
SEED_BYTES = 32
OTHERS_MAY_READ = 0o077


class CannotKeep(Exception):
    """The folder cannot be used. The argument is a sentence for the witness's keeper."""


def make_key(folder: Path, name: str) -> SignerKey:
    """A new key under this name (an address without scheme, like witness.example/w1); the file is there as a whole or
    not at all. Raises `CannotKeep`, OSError.
    """
    seed = os.urandom(SEED_BYTES)
    try:
        key = signer_key(name, seed, COSIGNATURE)
    except KeyIsMalformed as error:
        raise CannotKeep(f"{name!r} cannot be a witness's name: {error}.") from None
    descriptor, beside = mkstemp(dir=folder)  # nobody else may read it, from the start
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{name}\n{b64encode(seed).decode()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, folder / KEY_FILE)
    except FileExistsError:
        raise CannotKeep(f"{folder / KEY_FILE} is there already; a witness keeps its key for life.") from None
    finally:
        os.unlink(beside)  # noqa: PTH108 - a path in text
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return key


def read_key(folder: Path) -> SignerKey:
    """The folder's key. Raises `CannotKeep`."""
    file = folder / KEY_FILE
    try:
        is_open = file.stat().st_mode & OTHERS_MAY_READ
        name, seed_text = file.read_text(encoding="utf-8").splitlines()
        key = signer_key(name, b64decode(seed_text, validate=True), COSIGNATURE)
    except FileNotFoundError:
        raise CannotKeep(f"{file} is missing; make it with: fairkey witness init --state {folder} --name …") from None
    except (ValueError, NotBase64, KeyIsMalformed):
        raise CannotKeep(f"{file} is damaged.") from None
    except OSError as error:
        raise CannotKeep(f"{file} cannot be read: {error.strerror}.") from None
    if is_open:
        raise CannotKeep(f"{file} can be read by others; say chmod 600 {file}.")
    return key


def logs_watched(
    vkeys: Iterable[str], policies: Iterable[Path], folder: Path | None = None
) -> dict[str, tuple[VerifierKey, ...]]:
    """The keys of the logs to watch, by origin: from keys, from the `log` lines of policy files, and from `logs.txt` in
    the folder (one key a line). Raises `CannotKeep`.
    """
    lines = list(vkeys)
    if folder is not None and (folder / LOGS_FILE).exists():
        text = (folder / LOGS_FILE).read_text(encoding="utf-8")
        lines += [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        keys = [read_vkey(line) for line in lines]
        keys += [log.key for file in policies for log in read_policy(file.read_bytes()).logs]
    except (KeyIsMalformed, PolicyIsMalformed, OSError) as error:
        raise CannotKeep(f"A log's key cannot be used: {error}.") from None
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for key in dict.fromkeys(keys):
        logs[key.name] = (*logs.get(key.name, ()), key)
    if not logs:
        raise CannotKeep("There is no log to watch; name one with --log VKEY or --policy FILE.")
    return logs
