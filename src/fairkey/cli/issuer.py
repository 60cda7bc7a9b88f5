"""What issuers do on their own machine: make a key, sign what became of their codes. Needs no server and no network."""

import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Final

import rich_click as click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairkey.proofs.attestations import (
    SAYS_OF_OUTAGE,
    SEED_BYTES,
    StatementIsMalformed,
    public_key_of,
    write_list_statement,
    write_outage_statement,
    write_statement,
)

_OF_LIST: Final = frozenset({"product", "count", "shop_no", "list_id"})
_OF_CODE: Final = frozenset({"says", "code", "happened_at", "account", "reason", "id"})


class _Wrong(click.ClickException):
    exit_code = 2


@click.group()
def issuer() -> None:
    """For issuers: a key, and statements signed with it (see docs/issuers.md)."""


@issuer.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def keygen(file: Path) -> None:
    """Make a new secret key in FILE, readable by you alone, and print the public key for the operator."""
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _Wrong(f"{file} cannot be made: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as made:
        made.write(key.private_bytes_raw().hex() + "\n")
    click.echo(public_key_of(key))


@issuer.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--issuer", "issuer_id", type=click.UUID, required=True, help="Your number, from the operator.")
def sign(file: Path, key_file: Path, issuer_id: object) -> None:
    """Sign what FILE says and print what is to be sent.

    FILE holds JSON: a list of {"says": "activated", "code": "...", "happened_at": "2026-05-01T08:00:00Z",
    "account": "..."}, and the body for POST /api/v1/issuer/attestations is printed; or one {"product": "...",
    "count": 500, "shop_no": 101, "list_id": "..."}, and the attestation for that list is.
    """
    key = _key(key_file)
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(told, dict) and told.keys() == _OF_LIST:
            out: object = _list(key, str(issuer_id), told)
        elif isinstance(told, list) and told:
            out = {"attestations": [_statement(key, str(issuer_id), one) for one in told]}
        else:
            raise _Wrong("the file holds neither a list of statements nor one list to attest")
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"{file} cannot be read: {error}") from None
    except StatementIsMalformed as error:
        raise _Wrong(f"this would not be taken: {error}") from None
    json.dump(out, sys.stdout, ensure_ascii=False)
    click.echo()


@issuer.command()
@click.argument("says", type=click.Choice(SAYS_OF_OUTAGE))
@click.option("--at", "happened_at", help="When, like 2026-05-01T08:00:00Z; left out: now.")
@click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--issuer", "issuer_id", type=click.UUID, required=True, help="Your number, from the operator.")
def outage(says: str, happened_at: str | None, key_file: Path, issuer_id: object) -> None:
    """Sign that an outage began, ended, or that there was none, and print the body for POST /api/v1/issuer/outages."""
    key, now_ms = _key(key_file), time.time_ns() // 1_000_000
    try:
        at_ms = _ms(happened_at) if happened_at else now_ms
        statement, signature = write_outage_statement(
            key, issuer_id=str(issuer_id), said_at_ms=now_ms, says=says, happened_at_ms=at_ms
        )
    except ValueError as error:
        raise _Wrong(f"--at cannot be read: {error}") from None
    except StatementIsMalformed as error:
        raise _Wrong(f"this would not be taken: {error}") from None
    json.dump({"statement": statement, "signature": signature}, sys.stdout, ensure_ascii=False)
    click.echo()


def _statement(key: Ed25519PrivateKey, issuer_id: str, told: object) -> dict[str, str]:
    if not isinstance(told, dict) or not told.keys() <= _OF_CODE or not {"says", "code", "happened_at"} <= told.keys():
        raise _Wrong("a statement has says, code and happened_at, and perhaps account, reason, id")
    written = write_statement(
        key,
        issuer_id=issuer_id,
        said_at_ms=time.time_ns() // 1_000_000,
        says=str(told["says"]),
        code=str(told["code"]),
        happened_at_ms=_ms(str(told["happened_at"])),
        account=str(told.get("account", "")),
        reason=str(told.get("reason", "")),
        statement_id=str(told.get("id", "")),
    )
    return dict(written._asdict())


def _list(key: Ed25519PrivateKey, issuer_id: str, told: dict[str, object]) -> dict[str, str]:
    count, shop_no = told["count"], told["shop_no"]
    if not isinstance(count, int) or not isinstance(shop_no, int):
        raise _Wrong("count and shop_no are whole numbers")
    statement, signature = write_list_statement(
        key,
        issuer_id=issuer_id,
        said_at_ms=time.time_ns() // 1_000_000,
        product=str(told["product"]),
        count=count,
        shop_no=shop_no,
        list_id=str(told["list_id"]),
    )
    return {"statement": statement, "signature": signature}


def _key(file: Path) -> Ed25519PrivateKey:
    try:
        seed = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise _Wrong(f"{file} holds no key that fairkey issuer keygen made")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _ms(text: str) -> int:
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise _Wrong("happened_at needs its offset, like 2026-05-01T08:00:00Z")
    return int(read.timestamp() * 1_000)
