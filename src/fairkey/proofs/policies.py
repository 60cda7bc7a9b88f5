"""Whom a verifier believes (C2SP tlog-policy): the log's key, the witnesses' keys, and how many of them are enough.

    log <vkey> [url]
    witness <name> <vkey> [url]
    group <name> all|any|<k> <member>...
    quorum <name>|none

Blank lines and lines that begin with `#` say nothing. Keys come from this file and from nowhere else: a receipt that
brought its own keys would prove nothing.
"""

from typing import NamedTuple

from .checkpoints import Checkpoint, read_checkpoint
from .notes import (
    COSIGNATURE,
    ED25519,
    KeyIsMalformed,
    Note,
    NoteIsNotSigned,
    VerifierKey,
    read_note,
    read_vkey,
    verified_signatures,
)

POLICY_BYTES_MAX = 256 * 1024
GROUPS_MAX = 100  # groups in groups are walked by recursion
COUNT_DIGITS_MAX = 10
NONE = "none"


class PolicyIsMalformed(Exception):
    """The policy file cannot be used. The argument names the line and says what is wrong."""


class QuorumIsNotMet(Exception):
    """Too few of the witnesses that the policy asks for have cosigned. The argument says which have."""


class LogKey(NamedTuple):
    """A log that is believed, and where it may be read (may be empty)."""

    key: VerifierKey
    url: str


class WitnessKey(NamedTuple):
    """A witness that is believed, by the name the policy gives it, and where it is asked (may be empty)."""

    name: str
    key: VerifierKey
    url: str


class Group(NamedTuple):
    """`needed` of `members` (witnesses or groups) must have cosigned."""

    name: str
    needed: int
    members: tuple[str, ...]


class Judged(NamedTuple):
    """A checkpoint that passed a policy, and when each known witness saw it (seconds since the epoch)."""

    checkpoint: Checkpoint
    note: Note
    witnessed_at_s: dict[str, int]


class Policy(NamedTuple):
    """A policy file, read."""

    logs: tuple[LogKey, ...]
    witnesses: tuple[WitnessKey, ...]
    groups: tuple[Group, ...]
    quorum: str

    def log_of(self, origin: str) -> LogKey | None:
        """The log of this origin, when the policy knows it."""
        return next((log for log in self.logs if log.key.name == origin), None)

    def is_met_by(self, names: set[str]) -> bool:
        """Whether these witnesses are enough."""
        return self.quorum == NONE or self._counts(self.quorum, names)

    def _counts(self, member: str, names: set[str]) -> bool:
        group = next((one for one in self.groups if one.name == member), None)
        if group is None:
            return member in names
        return sum(self._counts(one, names) for one in group.members) >= group.needed

    def judge(self, data: bytes) -> Judged:
        """Verify a signed checkpoint: the log's signature, the cosignatures, the quorum.

        Raises `NoteIsMalformed`, `NoteIsNotSigned`, `QuorumIsNotMet`.
        """
        note = read_note(data)
        checkpoint = read_checkpoint(note.text)
        log = self.log_of(checkpoint.origin)
        if log is None:
            raise NoteIsNotSigned(f"the policy knows no log {checkpoint.origin}")
        if not verified_signatures(note, (log.key,)):
            raise NoteIsNotSigned(f"{log.key.name} has not signed this checkpoint")
        by_key = {witness.key: witness.name for witness in self.witnesses}
        seen = {by_key[one.key]: one.at_s or 0 for one in verified_signatures(note, by_key)}
        if not self.is_met_by(set(seen)):
            who = ", ".join(sorted(seen)) or "no witness"
            raise QuorumIsNotMet(f"the quorum {self.quorum} is not met: {who} of this policy cosigned")
        return Judged(checkpoint, note, seen)

    def __str__(self) -> str:
        """The file's text."""
        lines = [f"log {log.key} {log.url}".rstrip() for log in self.logs]
        lines += [f"witness {one.name} {one.key} {one.url}".rstrip() for one in self.witnesses]
        lines += [f"group {one.name} {one.needed} {' '.join(one.members)}" for one in self.groups]
        return "\n".join([*lines, f"quorum {self.quorum}", ""])


def read_policy(data: bytes) -> Policy:
    """Read a policy file. Raises `PolicyIsMalformed`."""
    if len(data) > POLICY_BYTES_MAX:
        raise PolicyIsMalformed("the policy is too long")
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise PolicyIsMalformed("the policy is not UTF-8") from None
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            reading.take(words)
        except (KeyIsMalformed, PolicyIsMalformed) as error:
            raise PolicyIsMalformed(f"line {number}: {error}") from None
    return reading.policy()


class _Reading:
    """A policy while it is read, line by line: names come before their use, each member is used once."""

    def __init__(self) -> None:
        self._logs: list[LogKey] = []
        self._witnesses: list[WitnessKey] = []
        self._groups: list[Group] = []
        self._quorum = ""
        self._unused: set[str] = set()
        self._names: set[str] = {NONE}
        self._keys: set[bytes] = set()

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                key = read_vkey(vkey)
                if key.kind != ED25519:
                    raise PolicyIsMalformed("a log signs with an Ed25519 key (kind 1)")
                self._logs.append(LogKey(key, "".join(url)))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                key = read_vkey(vkey)
                if key.kind != COSIGNATURE:
                    raise PolicyIsMalformed("a witness cosigns with a key of kind 4")
                if key.public in self._keys:  # one key under two names would count as two witnesses
                    raise PolicyIsMalformed(f"the key of witness {name} is used twice")
                self._keys.add(key.public)
                self._name(name)
                self._witnesses.append(WitnessKey(name, key, "".join(url)))
            case ["group", name, needed, *members] if members:
                self._group(name, needed, members)
            case ["quorum", name]:
                if self._quorum:
                    raise PolicyIsMalformed("there is a second quorum line")
                if name not in self._names:
                    raise PolicyIsMalformed(f"{name} is not defined before its use")
                self._quorum = name
            case _:
                raise PolicyIsMalformed(f"this line is not understood: {words[0]}")

    def _name(self, name: str) -> None:
        if name in self._names:
            raise PolicyIsMalformed(f"the name {name} is used twice")
        self._names.add(name)
        self._unused.add(name)

    def _group(self, name: str, needed_text: str, members: list[str]) -> None:
        if not set(members) <= self._unused or len(set(members)) != len(members):
            raise PolicyIsMalformed(f"group {name}: a member is not defined before its use, or used twice")
        if len(self._groups) == GROUPS_MAX:
            raise PolicyIsMalformed("the policy has too many groups")
        counts = {"all": len(members), "any": 1}
        is_number = needed_text.isascii() and needed_text.isdigit() and len(needed_text) <= COUNT_DIGITS_MAX
        needed = counts.get(needed_text, int(needed_text) if is_number else 0)
        if not 1 <= needed <= len(members):
            raise PolicyIsMalformed(f"group {name}: {needed_text} of {len(members)} members cannot be")
        self._unused -= set(members)
        self._name(name)
        self._groups.append(Group(name, needed, tuple(members)))

    def policy(self) -> Policy:
        if not self._quorum:
            raise PolicyIsMalformed("there is no quorum line")
        if len({log.key.name for log in self._logs}) != len(self._logs):
            raise PolicyIsMalformed("two logs have the same origin")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)
