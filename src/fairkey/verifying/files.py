"""The kinds of files and what is checked of each, step by step: the same steps as the page at /verify."""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from fairkey.proofs.checkpoints import Checkpoint
from fairkey.proofs.code_proofs import CodeProof, CodeProofDoesNotHold, CodeProofIsMalformed, read_code_proof
from fairkey.proofs.merkle import InclusionIsNotProven, check_inclusion, leaf_hash
from fairkey.proofs.notes import NoteIsNotSigned
from fairkey.proofs.policies import NONE, Policy
from fairkey.proofs.receipt_tokens import check_tokens
from fairkey.proofs.receipts import (
    PROMISE_FIRST_LINE,
    RECEIPT_BYTES_MAX,
    LeafFacts,
    Promise,
    Receipt,
    ReceiptDoesNotHold,
    ReceiptIsMalformed,
    open_promise,
    read_leaf,
    read_receipt,
)
from fairkey.proofs.tlog_proofs import FIRST_LINE, ProofIsMalformed, TlogProof, read_tlog_proof

from .judging import Given, Head, add_policy, add_seen, attempt, judge_head, told_at
from .reports import Report, State

FILE_BYTES_MAX: Final = RECEIPT_BYTES_MAX
BARE_PROOF: Final = "tlog-proof"
_PUBLIC_MAX: Final = 40


class Kind(NamedTuple):
    """One kind of file: how it begins to be told from others, and what is checked. Told by content, never by name."""

    name: str
    is_it: Callable[[bytes], bool]
    check: Callable[[Report, bytes, Given, bytes | None], None]


def kind_of(data: bytes) -> Kind | None:
    """The kind of these bytes; None when they are of none that proves anything."""
    return next((kind for kind in KINDS if kind.is_it(data)), None)


def check_file(report: Report, data: bytes, given: Given, entry: bytes | None = None) -> None:
    """Check one file. `entry`: the entry that a bare proof is about."""
    kind = kind_of(data)
    if kind is None:
        report.add("file", State.UNKNOWN, "This is no receipt, promise, proof or code's proof that this program knows.")
        return
    report.kind = kind.name
    kind.check(report, data, given, entry)


def _begins(first_line: str) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(f"{first_line}\n".encode())


def _says(member: str, *, anywhere: bool) -> Callable[[bytes], bool]:
    def is_it(data: bytes) -> bool:
        if len(data) > FILE_BYTES_MAX or not data.lstrip(b" \t\r\n").startswith(b"{"):
            return False
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
        try:
            members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError):
            return _holds(data, member)
        return member in members or (anywhere and _holds(data, member))

    return is_it


def _holds(data: bytes, member: str) -> bool:
    return f'"{member}"'.encode() in data


def _check_receipt(report: Report, data: bytes, given: Given, _: bytes | None) -> None:
    receipt = attempt(report, "file", lambda: read_receipt(data), ReceiptIsMalformed)
    if receipt is None:
        return
    report.add("file", State.GOOD, "A receipt, whole and readable.")
    head = _check_proof_of(report, receipt.proof, receipt.entry, given)
    facts = _add_entry(report, receipt.entry)
    if facts is None:
        return
    _add_disclosures(report, receipt, facts)
    _add_chain(report, receipt, facts)
    _add_tokens(report, receipt, head, given)
    if head is not None:
        add_seen(report, head, given)


def _check_code(report: Report, data: bytes, given: Given, _: bytes | None) -> None:
    proof = attempt(report, "file", lambda: read_code_proof(data), CodeProofIsMalformed)
    if proof is None:
        return
    report.add("file", State.GOOD, "A code's proof, whole and readable. It holds the code in clear: show it to few.")
    head = _check_proof_of(report, proof.receipt.proof, proof.receipt.entry, given)
    facts = _add_entry(report, proof.receipt.entry)
    if facts is None:
        return
    _add_code(report, proof)
    if proof.receipt.disclosures:
        _add_disclosures(report, proof.receipt, facts)
    _add_chain(report, proof.receipt, facts)
    _add_tokens(report, proof.receipt, head, given)
    if head is not None:
        add_seen(report, head, given)


def _add_code(report: Report, proof: CodeProof) -> None:
    code = attempt(report, "code", proof.check, CodeProofDoesNotHold)
    if code is None:
        return
    if code.place is None:
        where = "The entry commits to this text, as it was typed at delivery."
    else:
        where = f"The text is number {code.place} of the {code.size} codes that the entry registers, counted from 0."
    report.add("code", State.GOOD, where if code.code_id else f"{where} An early proof: it names no id.")
    report.shown.append(("code", code.text))
    report.facts |= {"code's id": code.code_id or "not proven", "source": code.source}
    report.not_proven += [
        "That the code works, or that it was not sold elsewhere.",
        "What became of the code afterwards: that stands in later entries.",
    ]


def _check_promise(report: Report, data: bytes, given: Given, _: bytes | None) -> None:
    origin = data.split(b"\n", 2)[1].decode("utf-8", "replace")
    log = given.trust.policy.log_of(origin) if given.trust.policy is not None else None
    only = Policy((log,) if log else (), (), (), NONE)
    try:
        promise: Promise | None = open_promise(data, only)
    except NoteIsNotSigned:
        promise = None  # it can be read; whether it is signed is told below
    except ReceiptIsMalformed as error:
        report.add("file", State.BAD, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return
    report.add("file", State.GOOD, "A promise, whole and readable.")
    report.not_proven += [
        "That the entry is in the log: a promise says that it will be. The proof is the receipt.",
        "What the entry says: a promise names it by its hash only.",
    ]
    report.facts["log"] = origin
    if add_policy(report, given.trust, origin) is None:
        report.add("log", State.UNKNOWN, "Not checked: no key for this log.")
    elif promise is None:
        report.add("log", State.BAD, "The log has not signed this promise.")
    else:
        report.add("log", State.GOOD, f"{origin} has signed this promise.")
        report.facts |= {
            "leaf hash": promise.leaf.hex(),
            "recorded": told_at(promise.at_ms),
            "in the log by": told_at(promise.by_ms),
        }


def _check_bare_proof(report: Report, data: bytes, given: Given, entry: bytes | None) -> None:
    proof = attempt(report, "file", lambda: read_tlog_proof(data), ProofIsMalformed)
    if proof is None:
        return
    report.add("file", State.GOOD, "A proof (C2SP tlog-proof), whole and readable.")
    head = _check_proof_of(report, proof, entry, given)
    if head is None:
        return
    if entry is not None:
        try:
            read_leaf(entry)
        except ReceiptIsMalformed:
            report.add("entry", State.LEFT, "It is no entry of fairkey; only its place is proven.")
        else:
            _add_entry(report, entry)
    add_seen(report, head, given)


def _check_proof_of(report: Report, proof: TlogProof, entry: bytes | None, given: Given) -> Head | None:
    """Head and place of an entry. None when the head cannot be read."""
    head = judge_head(report, proof.checkpoint, given)
    if head is None:
        return None
    report.facts["number"] = str(proof.index)
    if entry is None:
        report.add("place", State.UNKNOWN, "The entry that this proof is about is not here: name it with --entry.")
        return head
    _add_place(report, proof, leaf_hash(entry), head.checkpoint)
    return head


def _add_place(report: Report, proof: TlogProof, leaf: bytes, head: Checkpoint) -> None:
    report.facts["leaf hash"] = leaf.hex()
    try:
        check_inclusion(leaf=leaf, index=proof.index, size=head.size, proof=proof.path, root=head.root)
    except InclusionIsNotProven:
        sentence = f"The path does not lead from this entry at place {proof.index} to the root of that tree."
        report.add("place", State.BAD, sentence)
    else:
        sentence = f"The entry is number {proof.index} of that tree of {head.size}, counted from 0."
        report.add("place", State.GOOD, sentence)


def _add_entry(report: Report, entry: bytes) -> LeafFacts | None:
    facts = attempt(report, "entry", lambda: read_leaf(entry), ReceiptIsMalformed)
    if facts is None:
        return None
    report.add("entry", State.GOOD, "It is an entry of fairkey and can be read.")
    report.facts |= {
        "kind": facts.kind,
        "written": told_at(facts.at),
        "stream": facts.stream,
        "shop": facts.shop,
        "version": str(facts.version),
    }
    for name, value in list(facts.public.items())[:_PUBLIC_MAX]:
        report.facts[f"says {name}"] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    report.not_proven += [
        "That what the entry says is true: it proves that this was written down, and not changed since.",
        "That nothing happened afterwards: later entries may say more.",
    ]
    return facts


def _add_disclosures(report: Report, receipt: Receipt, facts: LeafFacts) -> None:
    shown = attempt(report, "disclosures", receipt.check_disclosures, ReceiptDoesNotHold)
    if shown is None:
        return
    report.shown += [(one.name, one.value) for one in shown]
    count = len(facts.sealed)
    if shown:
        sentence = f"{len(shown)} of {count} sealed fields are shown in clear and fit the entry."
        report.add("disclosures", State.GOOD, sentence)
    else:
        report.add("disclosures", State.LEFT, f"None in the file; {count} fields stay sealed.")


def _add_chain(report: Report, receipt: Receipt, facts: LeafFacts) -> None:
    count = attempt(report, "chain", receipt.check_chain, ReceiptDoesNotHold, ReceiptIsMalformed)
    if count is None:
        return
    if count:
        report.add("chain", State.GOOD, f"{count} earlier entries lead to this one without a gap.")
    elif facts.version == 1:
        report.add("chain", State.LEFT, "This is the first entry; nothing is before it.")
    else:
        report.add("chain", State.LEFT, "The file brings none.")
        sentence = f"What was before: the {facts.version - 1} earlier entries are not in this file."
        report.not_proven.append(sentence)


def _add_tokens(report: Report, receipt: Receipt, head: Head | None, given: Given) -> None:
    if not receipt.tokens or head is None:
        return
    names = ", ".join(name for name, _ in receipt.tokens)
    if given.roots is None:
        sentence = f"Time stamps of {names} are in the file; --tsa-roots checks them."
        report.add("tokens", State.LEFT, sentence)
        report.not_proven.append("What the time stamps in the file are worth: they were not checked.")
        return
    checked = check_tokens(receipt, head.checkpoint, given.roots)
    good = [one.stamp for one in checked if one.stamp is not None]
    details = tuple(f"{one.name}: {one.refused}" for one in checked if one.stamp is None)
    if good:
        first = min(good, key=lambda stamp: stamp.gen_time_ms)
        report.facts["existed at"] = f"{told_at(first.gen_time_ms)}, by {first.tsa}"
        sentence = f"{len(good)} of {len(checked)} time stamps hold: the entry existed at {told_at(first.gen_time_ms)}."
        report.add("tokens", State.GOOD, sentence, details)
    else:
        report.add("tokens", State.LEFT, "None of the time stamps holds; they say nothing.", details)
        report.not_proven.append("When the entry existed: no time stamp holds under these roots.")


KINDS: Final = (
    Kind(BARE_PROOF, _begins(FIRST_LINE), _check_bare_proof),
    Kind("promise", _begins(PROMISE_FIRST_LINE), _check_promise),
    Kind("code's proof", _says("fairkey_code", anywhere=False), _check_code),
    Kind("receipt", _says("fairkey_receipt", anywhere=True), _check_receipt),
)
"""Asked in this order. A further kind of file is a line here."""
