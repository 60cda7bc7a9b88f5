"""That one code is the one that was registered: its disclosure, its place under its batch's root, and the receipt of
the entry that says so.

A code's commitment is the SHA-256 of its disclosure `[salt, code id, text]`. For a deposited batch the digests are the
leaves of a Merkle tree whose size and root stand in `batch.registered`; a code typed at delivery has its id and digest
in `code.delivered` itself. So disclosure, place and receipt together tie the text to the id by which the log calls the
code, and to the moment at which it was registered. Keys come from a policy, never from the file.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from .commitments import Disclosed, DisclosureDoesNotFit, check_disclosure
from .merkle import InclusionIsNotProven, check_inclusion, leaf_hash
from .policies import Judged, Policy
from .receipts import LeafFacts, Receipt, ReceiptIsMalformed, read_receipt

CODE_PROOF_SUFFIX: Final = ".fairkey-code"
CODE_PROOF_BYTES_MAX: Final = 16 * 1024 * 1024
DISCLOSURE_CHARS_MAX: Final = 65_536
PATH_MAX: Final = 63
REGISTERED: Final = "batch.registered"
TYPED: Final = "code.delivered"
OLDER_NAME: Final = "code"  # what disclosures of early codes call every code; those prove no id


class CodeProofIsMalformed(Exception):
    """The bytes are no proof of a code. The argument is a sentence that says what is wrong."""


class CodeProofDoesNotHold(Exception):
    """The parts contradict each other. The argument is a sentence that says where."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    fairkey_code: int
    disclosure: str
    registered: msgspec.Raw
    place: int | None = None
    path: list[str] = []


class ProvenCode(NamedTuple):
    """What a proof says once it was checked. `code_id` is empty when the disclosure is of the older form."""

    text: str
    code_id: str
    kind: str
    stream: str
    source: str
    place: int | None
    size: int
    root: str
    at_ms: int


class CodeProof(NamedTuple):
    """A proof, read. `place` (from 0) and `path` are None and empty for a code typed at delivery."""

    disclosure: str
    receipt: Receipt
    place: int | None = None
    path: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The file's bytes: JSON, indented."""
        file = _File(
            fairkey_code=1,
            disclosure=self.disclosure,
            registered=msgspec.Raw(self.receipt.encode()),
            place=self.place,
            path=[b64encode(part).decode() for part in self.path],
        )
        return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"

    def check(self) -> ProvenCode:
        """Follow disclosure -> digest -> place -> root -> entry. Whether the entry is in the log: `check_log`.

        Raises `CodeProofDoesNotHold`.
        """
        digest = sha256(self.disclosure.encode("ascii", "replace")).digest()
        try:
            shown = check_disclosure(self.disclosure, digest)
            facts = self.receipt.facts()
        except DisclosureDoesNotFit:
            raise CodeProofDoesNotHold("the disclosure is not one of a code") from None
        except ReceiptIsMalformed as error:
            raise CodeProofDoesNotHold(str(error)) from None
        if facts.kind == REGISTERED:
            return self._under_root(shown, digest, facts)
        if facts.kind == TYPED:
            return self._as_typed(shown, digest, facts)
        raise CodeProofDoesNotHold(f"the entry registers no codes: it is {facts.kind}")

    def check_log(self, policy: Policy) -> Judged:
        """Verify that the entry is in the log, and that the entries with it lead to it.

        Raises what `Receipt.check_proof` and `Receipt.check_chain` raise.
        """
        self.receipt.check_chain()
        return self.receipt.check_proof(policy)

    def _under_root(self, shown: Disclosed, digest: bytes, facts: LeafFacts) -> ProvenCode:
        count, root, source = facts.public.get("count"), facts.public.get("root"), facts.public.get("source")
        if type(count) is not int or not isinstance(root, str) or not isinstance(source, str):
            raise CodeProofDoesNotHold("the entry tells no number of codes, root and source")
        if self.place is None:
            raise CodeProofDoesNotHold("the code's place under the root is missing")
        try:
            check_inclusion(
                leaf=leaf_hash(digest), index=self.place, size=count, proof=self.path, root=bytes.fromhex(root)
            )
        except (InclusionIsNotProven, ValueError):
            raise CodeProofDoesNotHold("the code is not at this place under the batch's root") from None
        return ProvenCode(
            shown.value, _id_in(shown), facts.kind, facts.stream, source, self.place, count, root, facts.at
        )

    def _as_typed(self, shown: Disclosed, digest: bytes, facts: LeafFacts) -> ProvenCode:
        codes, commitments = facts.public.get("codes"), facts.public.get("commitments")
        if not isinstance(codes, list) or not isinstance(commitments, list) or len(codes) != len(commitments):
            raise CodeProofDoesNotHold("the entry commits to no codes")
        if self.place is not None or self.path:
            raise CodeProofDoesNotHold("a code typed at delivery has no place under a root")
        if digest.hex() not in commitments:
            raise CodeProofDoesNotHold("the entry commits to other codes")
        code_id = codes[commitments.index(digest.hex())]
        if not isinstance(code_id, str) or shown.name not in (code_id, OLDER_NAME):
            raise CodeProofDoesNotHold("the disclosure is of another code than the entry names")
        return ProvenCode(shown.value, code_id, facts.kind, facts.stream, "typed", None, len(codes), "", facts.at)


def _id_in(shown: Disclosed) -> str:
    if shown.name == OLDER_NAME:
        return ""
    try:
        is_id = str(UUID(shown.name)) == shown.name
    except ValueError:
        is_id = False
    if not is_id:
        raise CodeProofDoesNotHold("the disclosure names no code")
    return shown.name


def read_code_proof(data: bytes) -> CodeProof:
    """Read a proof file. Raises `CodeProofIsMalformed`; nothing in it is checked yet."""
    if len(data) > CODE_PROOF_BYTES_MAX:
        raise CodeProofIsMalformed("the proof is too long")
    try:
        file = msgspec.json.decode(data, type=_File)
        path = tuple(b64decode(part, validate=True) for part in file.path)
        receipt = read_receipt(bytes(file.registered))
    except ReceiptIsMalformed as error:
        raise CodeProofIsMalformed(str(error)) from None
    except (msgspec.MsgspecError, NotBase64, ValueError, RecursionError):
        raise CodeProofIsMalformed("the file is not a code's proof of fairkey") from None
    if file.fairkey_code != 1:
        raise CodeProofIsMalformed("the proof is of a later version than this program")
    if len(path) > PATH_MAX or len(file.disclosure) > DISCLOSURE_CHARS_MAX:
        raise CodeProofIsMalformed("the proof holds more than one of fairkey can")
    return CodeProof(file.disclosure, receipt, file.place, path)
