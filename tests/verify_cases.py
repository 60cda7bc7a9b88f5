"""Files to verify, good and spoiled in every way, made with the real `proofs/`; and what Python says of them."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fairkey.business.basics import Event, Stream
from fairkey.business.orders import OrderConfirmed, OrderDelivered, OrderPaid
from fairkey.business.shops import ShopSuspended
from fairkey.proofs.checkpoints import Checkpoint, read_checkpoint, sign_checkpoint
from fairkey.proofs.commitments import commitment
from fairkey.proofs.leaf import Leaf, leaf_of, salt_of
from fairkey.proofs.merkle import InclusionIsNotProven, check_inclusion, inclusion_proof, leaf_hash, merkle_root
from fairkey.proofs.notes import (
    COSIGNATURE,
    NoteIsMalformed,
    NoteIsNotSigned,
    SignerKey,
    cosign_note,
    read_note,
    signer_key,
    with_signatures,
)
from fairkey.proofs.policies import Group, LogKey, Policy, QuorumIsNotMet, WitnessKey, read_policy
from fairkey.proofs.receipts import (
    Promise,
    Receipt,
    ReceiptDoesNotHold,
    ReceiptIsMalformed,
    open_promise,
    read_leaf,
    read_receipt,
    sign_promise,
)
from fairkey.proofs.tlog_proofs import ProofIsMalformed, TlogProof, read_tlog_proof

ORIGIN = "keys.example/log"
AT_MS = 1_790_000_000_000
SEALING_KEY = bytes(range(32))
HOSTILE = "<img src=x onerror=document.title='broken'>\u202e"
BIT_FLIPS = 120


def _key(name: str, seed: int, kind: int = 1) -> SignerKey:
    return signer_key(name, bytes([seed]) * 32, kind)


LOG_KEY = _key(ORIGIN, 1)
WITNESSES = {name: _key(f"{name}.example", 10 + at, COSIGNATURE) for at, name in enumerate(("ash", "birch", "cedar"))}


def policy_of(log: SignerKey = LOG_KEY, needed: int = 2, names: tuple[str, ...] = ("ash", "birch", "cedar")) -> str:
    """A policy file's text; nobody is asked when `needed` is 0."""
    witnesses = tuple(WitnessKey(name, WITNESSES[name].verifier, "") for name in names)
    groups = (Group("enough", needed, names),) if needed else ()
    return str(Policy((LogKey(log.verifier, ""),), witnesses, groups, "enough" if needed else "none"))


def leaves() -> list[Leaf]:
    """A log of two streams, mixed: an order's three facts, and those of shops around them."""
    order = Stream("shop-1", "order", "order-1")
    other = Stream("shop-2", "shop", "shop-2")
    told: list[tuple[Stream, Event]] = [
        (other, ShopSuspended(reason="not today")),
        (order, OrderPaid(amount_fen=123_450, late=False, delivery="vault", deliver_by_ms=0, listing_id="listing-1",
                          quantity=2, coupon_id="")),
        (other, ShopSuspended(reason="nor tomorrow")),
        (order, OrderDelivered(quantity=2)),
        (order, OrderConfirmed()),
        (other, ShopSuspended(reason=HOSTILE)),
        (Stream("shop-3", HOSTILE, HOSTILE), OrderDelivered(quantity=1)),
    ]  # fmt: skip
    made: list[Leaf] = []
    last: dict[Stream, tuple[int, bytes]] = {}
    for at, (stream, event) in enumerate(told):
        version, prev = last.get(stream, (0, b""))
        made.append(leaf_of(stream, version + 1, event, AT_MS + at * 1000, prev, SEALING_KEY))
        last[stream] = (version + 1, made[-1].hash)
    return made


def checkpoint(*, log: SignerKey = LOG_KEY, by: tuple[str, ...] = ("ash", "birch"), size: int = 7) -> bytes:
    """A signed head of the log, cosigned by these witnesses."""
    root = merkle_root(leaf.hash for leaf in leaves()[:size])
    note = sign_checkpoint(Checkpoint(log.verifier.name, size, root), log)
    return with_signatures(note, [cosign_note(note.text, WITNESSES[name], AT_MS // 1000 + 5) for name in by]).encode()


def proof(index: int, head: bytes | None = None) -> TlogProof:
    """The proof of the entry at `index` of the whole log."""
    path = tuple(inclusion_proof([leaf.hash for leaf in leaves()], index))
    return TlogProof(index, path, head or checkpoint())


def receipt(index: int = 4, chain: tuple[int, ...] = (1, 3), head: bytes | None = None, clear: str = "") -> bytes:
    """A receipt of the entry at `index`; `clear` is the sealed reason that it shows."""
    shown = (commitment(salt_of(SEALING_KEY, "reason"), "reason", clear)[1],) if clear else ()
    told = leaves()
    return Receipt(told[index].body, proof(index, head), shown, tuple(told[at].body for at in chain)).encode()


def promise(log: SignerKey = LOG_KEY) -> bytes:
    """A promise about the order's last fact."""
    return sign_promise(Promise(log.verifier.name, leaves()[4].hash, AT_MS, AT_MS + 60_000), log)


def under_another_name() -> bytes:
    """A receipt whose disclosure fits a digest of the entry, but says another name than that digest stands under."""
    digest, shown = commitment(salt_of(SEALING_KEY, "text"), "text", "not today")
    leaf = json.loads(leaves()[0].body)
    leaf["sealed"] = {"reason": digest.hex(), "text": bytes(32).hex()}
    body = json.dumps(leaf).encode()
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(body)), LOG_KEY)
    head = with_signatures(note, [cosign_note(note.text, WITNESSES[name], AT_MS // 1000) for name in ("ash", "birch")])
    return Receipt(body, TlogProof(0, (), head.encode()), (shown,)).encode()


@dataclass(frozen=True)
class Case:
    """One file (with its `entry` for a bare proof), the policy, and what must come out: good, bad or unknown."""

    expected: str
    data: bytes
    policy: str = field(default_factory=policy_of)
    entry: bytes | None = None
    name: str = "a.fairkey-receipt"


def _spoiled(change: Callable[[dict[str, Any]], None]) -> bytes:
    file = json.loads(receipt())
    change(file)
    return json.dumps(file).encode()


def _flipped(text: str) -> str:
    raw = bytearray(b64decode(text))
    raw[len(raw) // 2] ^= 1
    return b64encode(raw).decode()


def _line(file: dict[str, Any], starts: str, change: Callable[[str], str], which: int = 0) -> None:
    lines = file["proof"].split("\n")
    at = [number for number, line in enumerate(lines) if line.startswith(starts)][which]
    lines[at] = change(lines[at])
    file["proof"] = "\n".join(lines)


def _with_larger_scalar(line: str) -> str:
    """S and S plus the order of the curve's group fit the same equation; only the smaller one is a signature."""
    head, _, last = line.rpartition(" ")
    raw = b64decode(last)
    scalar = int.from_bytes(raw[36:68], "little") + 2**252 + 27742317777372353535851937790883648493
    return f"{head} {b64encode(raw[:36] + scalar.to_bytes(32, 'little')).decode()}"


def _nested_groups(count: int) -> str:
    lines = policy_of(needed=0, names=("ash",)).split("\n")[:2]
    lines += [f"group g{at} 1 {f'g{at - 1}' if at else 'ash'}" for at in range(count)]
    return "\n".join([*lines, f"quorum g{count - 1}", ""])


def _flip_last_word(line: str) -> str:
    head, _, last = line.rpartition(" ")
    return f"{head} {_flipped(last)}".strip()


def _path_line(file: dict[str, Any], change: Callable[[list[str]], None]) -> None:
    head, _, rest = file["proof"].partition("\n\n")
    lines = head.split("\n")
    change(lines)
    file["proof"] = "\n".join(lines) + "\n\n" + rest


def cases() -> dict[str, Case]:
    """All of them by name."""
    told = leaves()
    stranger = _key("other.example/log", 77)
    impostor = _key(ORIGIN, 78)
    tail = "\u2014 "
    return {
        "a receipt": Case("good", receipt()),
        "a receipt without the entries before": Case("good", receipt(chain=())),
        "a receipt with a field in clear": Case("good", receipt(0, (), clear="not today")),
        "a receipt whose text is markup": Case("good", receipt(5, (0, 2), clear=HOSTILE), name=HOSTILE),
        "a stream whose name is markup": Case("good", receipt(6, ())),
        "more witnesses than asked for": Case("good", receipt(head=checkpoint(by=("ash", "birch", "cedar")))),
        "a policy without witnesses": Case("good", receipt(), policy_of(needed=0)),
        "a promise": Case("good", promise(), name="a.fairkey-promise"),
        "a proof with its entry": Case("good", proof(3).encode(), entry=told[3].body),
        "a proof without its entry": Case("unknown", proof(3).encode()),
        "a proof with another entry": Case("bad", proof(3).encode(), entry=told[2].body),
        "no policy": Case("unknown", receipt(), ""),
        "a policy with a wrong letter": Case("unknown", receipt(), policy_of().replace("quorum", "quorom")),
        "another log's policy": Case("unknown", receipt(), policy_of(stranger)),
        "another log's receipt": Case("unknown", receipt(head=checkpoint(log=stranger))),
        "another log's promise": Case("unknown", promise(stranger)),
        "a policy with another key of this log": Case("bad", receipt(), policy_of(impostor)),
        "a promise signed with another key": Case("bad", promise(impostor)),
        "too few witnesses": Case("bad", receipt(head=checkpoint(by=("ash",)))),
        "no witnesses": Case("bad", receipt(head=checkpoint(by=()))),
        "a checkpoint of a smaller tree": Case("bad", receipt(head=checkpoint(size=6))),
        "a bit of the entry": Case("bad", _spoiled(lambda file: file.update(entry=_flipped(file["entry"])))),
        "a bit of the path": Case(
            "bad", _spoiled(lambda file: _path_line(file, lambda lines: lines.append(_flipped(lines.pop()))))
        ),
        "a path that is too short": Case(
            "bad", _spoiled(lambda file: _path_line(file, lambda lines: lines.pop(-1) and None))
        ),
        "a path that is too long": Case(
            "bad", _spoiled(lambda file: _path_line(file, lambda lines: lines.append(b64encode(bytes(32)).decode())))
        ),
        "another place": Case("bad", _spoiled(lambda file: _line(file, "index ", lambda _: "index 3"))),
        "a place outside the tree": Case("bad", _spoiled(lambda file: _line(file, "index ", lambda _: "index 7"))),
        "a bit of the log's signature": Case("bad", _spoiled(lambda file: _line(file, tail, _flip_last_word, 0))),
        "a bit of a cosignature": Case("bad", _spoiled(lambda file: _line(file, tail, _flip_last_word, 1))),
        "another stream's entry before": Case("bad", receipt(chain=(2, 3))),
        "the first entry left out": Case("bad", receipt(chain=(3,))),
        "an entry between left out": Case("bad", receipt(chain=(1,))),
        "a field in clear that was another": Case("bad", receipt(0, (), clear="not to-day")),
        "a field in clear that belongs elsewhere": Case("bad", receipt(4, (1, 3), clear="not today")),
        "a field in clear under another name": Case("bad", under_another_name()),
        "a member too many": Case("bad", _spoiled(lambda file: file.update(keys="mine"))),
        "a space in the entry": Case("bad", _spoiled(lambda file: file.update(entry=f" {file['entry']}   "))),
        "a signature with its scalar put round once more": Case(
            "bad", _spoiled(lambda file: _line(file, tail, _with_larger_scalar, 0))
        ),
        "a thousand and one fields in clear": Case(
            "bad", _spoiled(lambda file: file.update(disclosures=["YQ"] * 1001))
        ),
        "a chain without end": Case("bad", _spoiled(lambda file: file.update(chain=["YQ=="] * 10_001))),
        "groups in groups without end": Case("unknown", receipt(), _nested_groups(101)),
        "groups in groups": Case("good", receipt(), _nested_groups(100)),
        "a later version": Case("bad", _spoiled(lambda file: file.update(fairkey_receipt=2))),
        "a receipt cut off": Case("bad", receipt()[:-400]),
        "a proof cut off": Case("bad", proof(3).encode()[:-30], entry=told[3].body),
        "a picture": Case("unknown", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        "nothing": Case("unknown", b""),
        "markup": Case("unknown", HOSTILE.encode()),
        "braces without end": Case("bad", b'{"fairkey_receipt":' + b"[" * 200_000),
    }


def flips() -> list[Case]:
    """A receipt and a promise with one bit changed, all over; what must come out is what Python says."""
    made = []
    for data in (receipt(0, (), clear="not today"), receipt(), promise()):
        for at in range(BIT_FLIPS):
            place = at * len(data) // BIT_FLIPS
            spoiled = bytearray(data)
            spoiled[place] ^= 1 << at % 8
            made.append(Case("", bytes(spoiled)))
    return [Case(python_verdict(one), one.data) for one in made]


def python_verdict(case: Case) -> str:
    """What `proofs/` says of a case, in the page's three words."""
    policy: Policy | None
    try:
        policy = read_policy(case.policy.encode())
    except Exception:  # noqa: BLE001 - whatever is wrong with it: there is none
        policy = None
    start = case.data[:200].decode("ascii", "replace")
    try:
        if start.startswith("c2sp.org/tlog-proof@v1\n"):
            found = read_tlog_proof(case.data)
            return _of_proof(found, None if case.entry is None else leaf_hash(case.entry), policy)
        if start.startswith("fairkey promise v1\n"):
            return _of_promise(case.data, policy)
        if start.lstrip(" \t\r\n").startswith("{") and b'"fairkey_receipt"' in case.data and _is_utf8(case.data):
            read = read_receipt(case.data)
            word = _of_proof(read.proof, leaf_hash(read.entry), policy)
            read_leaf(read.entry)
            read.check_disclosures()
            read.check_chain()
            return word
    except (ReceiptIsMalformed, ReceiptDoesNotHold, ProofIsMalformed, NoteIsMalformed, NoteIsNotSigned):
        return "bad"
    except (QuorumIsNotMet, InclusionIsNotProven):
        return "bad"
    return "unknown"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _of_proof(found: TlogProof, leaf: bytes | None, policy: Policy | None) -> str:
    head = read_checkpoint(read_note(found.checkpoint).text)
    is_known = policy is not None and policy.log_of(head.origin) is not None
    if policy is not None and is_known:
        policy.judge(found.checkpoint)
    if leaf is None:
        return "unknown"
    check_inclusion(leaf=leaf, index=found.index, size=head.size, proof=found.path, root=head.root)
    return "good" if is_known else "unknown"


def _of_promise(data: bytes, policy: Policy | None) -> str:
    origin = data.split(b"\n")[1].decode("utf-8", "replace")
    if policy is not None and policy.log_of(origin) is not None:
        open_promise(data, policy)
        return "good"
    # Whether it is one at all can be told without a key: under a policy that knows whatever log it names.
    try:
        open_promise(data, Policy((), (), (), "none"))
    except NoteIsNotSigned:
        return "unknown"
    return "unknown"
