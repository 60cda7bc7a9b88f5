"""A time-stamping authority on this machine: its own CA, `openssl ts -reply`, and a small HTTP server in front."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

POLICY = "1.2.3.4.1"
_CONFIG = """\
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
{certs}
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = {policy}
digests = {digests}
accuracy = secs:1, millisecs:500
ess_cert_id_alg = sha256
"""


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class LocalTsa:
    """One authority in a folder. `with_chain` lets it send its root along, in the order openssl takes."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "TSA",
        root: "LocalTsa | None" = None,
        purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
        is_critical: bool = True,
        valid_days: tuple[int, int] = (-30, 3650),
        with_chain: bool = False,
        digests: str = "sha256",
    ) -> None:
        """`root`: another authority under whose root the signer stands. `purposes` empty: no such extension."""
        self.folder = folder
        folder.mkdir(parents=True)
        self._now = datetime.now(UTC).replace(microsecond=0)
        if root is None:
            self._root_key = ec.generate_private_key(ec.SECP256R1())
            self.root = self._certificate(f"{name} Root", f"{name} Root", self._root_key, self._root_key, ca=True)
        else:
            self._root_key, self.root = root._root_key, root.root
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        assert isinstance(issuer, str)
        usage = x509.ExtendedKeyUsage(purposes) if purposes else None
        self.signer = self._certificate(
            f"{name} Unit", issuer, key, self._root_key, days=valid_days, usage=usage, is_critical=is_critical
        )
        self.root_pem = self.root.public_bytes(serialization.Encoding.PEM)
        (folder / "root.pem").write_bytes(self.root_pem)
        (folder / "signer.pem").write_bytes(self.signer.public_bytes(serialization.Encoding.PEM))
        (folder / "signer.key").write_bytes(_pem(key))
        (folder / "serial").write_text("01")
        certs = f"certs = {folder}/root.pem" if with_chain else ""
        text = _CONFIG.format(folder=folder, certs=certs, policy=POLICY, digests=digests)
        (folder / "tsa.cnf").write_text(text)
        self._lock = threading.Lock()

    def _certificate(
        self,
        subject: str,
        issuer: str,
        key: ec.EllipticCurvePrivateKey,
        signing_key: ec.EllipticCurvePrivateKey,
        *,
        days: tuple[int, int] = (-365, 7300),
        ca: bool = False,
        usage: x509.ExtendedKeyUsage | None = None,
        is_critical: bool = True,
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + timedelta(days=days[0]))
            .not_valid_after(self._now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if usage is not None:
            builder = builder.add_extension(usage, critical=is_critical)
        return builder.sign(signing_key, hashes.SHA256())

    def reply(self, query: bytes) -> bytes:
        """What `openssl ts -reply` answers."""
        with self._lock:
            (self.folder / "query").write_bytes(query)
            done = subprocess.run(
                ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"],
                cwd=self.folder,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr.decode()
            return (self.folder / "reply").read_bytes()


Answer = Callable[[bytes], tuple[int, bytes]]


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """A server on loopback that answers each POST with `answer(body)`: status and bytes. Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, reply = answer(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
