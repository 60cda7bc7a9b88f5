"""A second opinion on a token by another program: `openssl ts -verify`. Nothing here is needed to check a proof.

It also compares the signer's certificate with the one that the token's signed attributes name (ESSCertID, RFC 5816).
"""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from .timestamps import TOKEN_BYTES_MAX, TokenIsMalformed, TsaRoots

PATIENCE_S: Final = 20


class SecondOpinion(NamedTuple):
    """What openssl says: `holds` is None when it is not there, or did not come to an end."""

    holds: bool | None
    words: str


def second_opinion(token: bytes, data: bytes, roots: TsaRoots, *, at_ms: int | None = None) -> SecondOpinion:
    """Ask openssl whether `token` is over `data` under `roots`.

    `at_ms` is the moment at which the certificates must have been valid: the token's own genTime, once the first check
    has passed; without it openssl takes the present.
    """
    if len(token) > TOKEN_BYTES_MAX:
        raise TokenIsMalformed("the token is too long")
    program = shutil.which("openssl")
    if program is None:
        return SecondOpinion(None, "openssl is not installed")
    with TemporaryDirectory(prefix="fairkey-ts-") as folder:
        files = {"token": token, "data": data, "roots": roots.pem}
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        command = [program, "ts", "-verify", "-token_in", "-in", "token", "-data", "data", "-CAfile", "roots"]
        if at_ms is not None:
            command += ["-attime", str(at_ms // 1000)]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S, check=False
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            return SecondOpinion(None, f"openssl did not answer: {type(error).__name__}")
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Using configuration")]
    return SecondOpinion(done.returncode == 0 and "Verification: OK" in lines, (lines or ["nothing"])[-1][:200])
