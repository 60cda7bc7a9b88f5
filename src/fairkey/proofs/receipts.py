"""What a party keeps: a promise at once, and a receipt as soon as witnesses have seen the entry.

A promise is a signed note of the log's key: this leaf will be in the log by that moment. A receipt is one JSON object:
the entry's exact bytes, a tlog-proof, the disclosures its holder may show, RFC 3161 tokens over the checkpoint's text,
and the entries before it in the same stream, each named by the next one's `prev`. Neither brings keys: a verifier takes
those from a policy.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import Final, NamedTuple

import msgspec

from .commitments import Disclosed, DisclosureDoesNotFit, check_disclosure
from .merkle import HASH_BYTES, leaf_hash
from .notes import Note, NoteIsMalformed, NoteIsNotSigned, SignerKey, read_note, sign_note, verified_signatures
from .policies import Judged, Policy
from .tlog_proofs import ProofIsMalformed, TlogProof, read_tlog_proof

RECEIPT_SUFFIX: Final = ".fairkey-receipt"
PROMISE_SUFFIX: Final = ".fairkey-promise"
RECEIPT_BYTES_MAX: Final = 16 * 1024 * 1024
CHAIN_MAX: Final = 10_000  # no order has so many facts; a file that says so wants to keep its reader busy
DISCLOSURES_MAX: Final = 1_000
PROMISE_FIRST_LINE: Final = "fairkey promise v1"
PROMISE_LINES: Final = 5


class ReceiptIsMalformed(Exception):
    """The bytes are no receipt, or no promise. The argument is a sentence that says what is wrong."""


class ReceiptDoesNotHold(Exception):
    """The receipt's parts contradict each other. The argument is a sentence that says where."""


class Token(msgspec.Struct, frozen=True):
    """An RFC 3161 token (DER of the TimeStampToken, in base64) over the text of the proof's checkpoint."""

    tsa: str
    token: str


class _File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    fairkey_receipt: int
    entry: str
    proof: str
    disclosures: list[str] = []
    chain: list[str] = []
    tokens: list[Token] = []


class LeafFacts(msgspec.Struct, frozen=True):
    """What every entry says, whatever its kind."""

    kind: str
    at: int
    stream: str
    version: int
    prev: str
    shop: str
    sealed: dict[str, str]
    public: dict[str, object]
    v: int


class Receipt(NamedTuple):
    """A receipt, read. `chain` holds the bytes of earlier entries of the stream, oldest first; it may be empty."""

    entry: bytes
    proof: TlogProof
    disclosures: tuple[str, ...] = ()
    chain: tuple[bytes, ...] = ()
    tokens: tuple[tuple[str, bytes], ...] = ()

    def encode(self) -> bytes:
        """The file's bytes: JSON, indented, so that a person can look into it."""
        file = _File(
            fairkey_receipt=1,
            entry=b64encode(self.entry).decode(),
            proof=self.proof.encode().decode(),
            disclosures=list(self.disclosures),
            chain=[b64encode(one).decode() for one in self.chain],
            tokens=[Token(tsa, b64encode(token).decode()) for tsa, token in self.tokens],
        )
        return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"

    def facts(self) -> LeafFacts:
        """What the entry says. Raises `ReceiptIsMalformed` when it is none of ours."""
        return read_leaf(self.entry)

    def check_proof(self, policy: Policy) -> Judged:
        """Verify that the entry is in the log; raises as `TlogProof.check` does."""
        return self.proof.check(leaf_hash(self.entry), policy)

    def check_disclosures(self) -> list[Disclosed]:
        """Verify each disclosure against the digests in the entry (or, for a code, leave it to the trace).

        Raises `ReceiptDoesNotHold`.
        """
        sealed = self.facts().sealed
        shown = []
        for disclosure in self.disclosures:
            read = ((name, _disclosed(disclosure, digest)) for name, digest in sealed.items())
            # It must say the very name that its digest stands under: a text is no reason, though both are sealed.
            fitting = [one for name, one in read if one is not None and one.name == name]
            if not fitting:
                raise ReceiptDoesNotHold("a disclosure belongs to no sealed field of the entry")
            shown.append(fitting[0])
        return shown

    def check_chain(self) -> int:
        """Verify that the earlier entries lead to this one without a gap; how many there are.

        Raises `ReceiptDoesNotHold`; an empty chain holds.
        """
        last = self.facts()
        for entry in reversed(self.chain):
            before = read_leaf(entry)
            if last.prev != leaf_hash(entry).hex():
                raise ReceiptDoesNotHold(f"entry {last.version} of {last.stream} does not follow the one before it")
            if (before.stream, before.shop, before.version) != (last.stream, last.shop, last.version - 1):
                raise ReceiptDoesNotHold(f"entry {last.version} of {last.stream} follows an entry of something else")
            last = before
        if self.chain and (last.version != 1 or last.prev):
            raise ReceiptDoesNotHold(f"the first entries of {last.stream} are missing")
        return len(self.chain)


def _disclosed(disclosure: str, digest_hex: str) -> Disclosed | None:
    try:
        return check_disclosure(disclosure, bytes.fromhex(digest_hex))
    except (DisclosureDoesNotFit, ValueError):
        return None


def read_leaf(entry: bytes) -> LeafFacts:
    """What an entry says. Raises `ReceiptIsMalformed`."""
    try:
        return msgspec.json.decode(entry, type=LeafFacts)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ReceiptIsMalformed("the entry is not one of fairkey's") from None


def read_receipt(data: bytes) -> Receipt:
    """Read a receipt file. Raises `ReceiptIsMalformed`."""
    if len(data) > RECEIPT_BYTES_MAX:
        raise ReceiptIsMalformed("the receipt is too long")
    try:
        file = msgspec.json.decode(data, type=_File)
        proof = read_tlog_proof(file.proof.encode())
        entry = b64decode(file.entry, validate=True)
        chain = tuple(b64decode(one, validate=True) for one in file.chain)
        tokens = tuple((one.tsa, b64decode(one.token, validate=True)) for one in file.tokens)
    except ProofIsMalformed as error:
        raise ReceiptIsMalformed(str(error)) from None
    except (msgspec.MsgspecError, NotBase64, ValueError, RecursionError):
        raise ReceiptIsMalformed("the file is not a receipt of fairkey") from None
    if file.fairkey_receipt != 1:
        raise ReceiptIsMalformed("the receipt is of a later version than this program")
    if len(chain) > CHAIN_MAX or len(file.disclosures) > DISCLOSURES_MAX:
        raise ReceiptIsMalformed("the receipt holds more than one of fairkey can")
    return Receipt(entry, proof, tuple(file.disclosures), chain, tokens)


class Promise(NamedTuple):
    """That the entry with this leaf hash, recorded at `at_ms`, will be in the log of `origin` by `by_ms`."""

    origin: str
    leaf: bytes
    at_ms: int
    by_ms: int

    def text(self) -> bytes:
        """The text that is signed. Never to be taken for a checkpoint: its second line is no size."""
        return f"{PROMISE_FIRST_LINE}\n{self.origin}\n{self.leaf.hex()}\n{self.at_ms}\n{self.by_ms}\n".encode()


def sign_promise(promise: Promise, key: SignerKey) -> bytes:
    """The promise file's bytes: a note signed with the log's key."""
    text = promise.text()
    return Note(text, (sign_note(text, key),)).encode()


def open_promise(data: bytes, policy: Policy) -> Promise:
    """Read a promise and verify the log's signature under it. Raises `ReceiptIsMalformed`, `NoteIsNotSigned`."""
    try:
        note = read_note(data)
    except NoteIsMalformed as error:
        raise ReceiptIsMalformed(str(error)) from None
    lines = note.text.decode().split("\n")
    if len(lines) != PROMISE_LINES + 1 or lines[0] != PROMISE_FIRST_LINE:
        raise ReceiptIsMalformed("the note is not a promise of fairkey")
    try:
        promise = Promise(lines[1], bytes.fromhex(lines[2]), int(lines[3]), int(lines[4]))
    except ValueError:
        raise ReceiptIsMalformed("the promise's numbers cannot be read") from None
    if promise.text() != note.text or len(promise.leaf) != HASH_BYTES:
        raise ReceiptIsMalformed("the promise is not written as promises are")
    log = policy.log_of(promise.origin)
    if log is None or not verified_signatures(note, (log.key,)):
        raise NoteIsNotSigned(f"the log {promise.origin} of the policy has not signed this promise")
    return promise
