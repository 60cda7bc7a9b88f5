"""Whom a verifier believes: a policy that he has chosen, found in his own places and never beside what is judged."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from fairkey.proofs.policies import NONE, POLICY_BYTES_MAX, Policy, PolicyIsMalformed, read_policy

from .reading import FileCannotBeRead, FileIsMissing, read_regular

POLICY_VARIABLE: Final = "FAIRKEY_POLICY"


class Trust(NamedTuple):
    """A policy that was read, or None and a sentence that says why there is none. `fingerprint`: SHA-256 in groups."""

    policy: Policy | None
    why: str
    path: str = ""
    fingerprint: str = ""


def config_folder(environment: Mapping[str, str]) -> Path:
    """Where this person's settings lie (XDG base directories)."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config") / "fairkey"


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where this person's programs remember things (XDG base directories)."""
    return _xdg(environment, "XDG_STATE_HOME", ".local/state") / "fairkey"


def _xdg(environment: Mapping[str, str], name: str, otherwise: str) -> Path:
    told = environment.get(name, "")
    if told and Path(told).is_absolute():
        return Path(told)
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - no RuntimeError without a home
    # Who has no home has no settings either: "~" itself would be a folder of whatever lies in the current one.
    return (home if home.is_absolute() else Path(os.sep)) / otherwise


def find_trust(given: Path | None, environment: Mapping[str, str]) -> Trust:
    """The policy that was named, or the one of FAIRKEY_POLICY, or the one in this person's settings."""
    told = environment.get(POLICY_VARIABLE, "")
    path = given or (Path(told) if told else config_folder(environment) / "policy")
    try:
        data = read_regular(path, POLICY_BYTES_MAX)
    except FileIsMissing:
        return Trust(None, f"No policy: there is none at {path}, and --policy names none.", str(path))
    except FileCannotBeRead as error:
        return Trust(None, f"No policy: {path} {error}.", str(path))
    fingerprint = fingerprint_of(data)
    try:
        return Trust(read_policy(data), "", str(path), fingerprint)
    except PolicyIsMalformed as error:
        return Trust(None, f"No policy: {path} is none: {error}.", str(path), fingerprint)


def fingerprint_of(data: bytes) -> str:
    """SHA-256 in groups of eight, to be compared with print or another site, as the page shows it."""
    digest = hashlib.sha256(data).hexdigest()
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def quorum_in_words(policy: Policy, member: str = "") -> str:
    """The quorum as a person reads it: `2 of (a, b, 1 of (c, d))`."""
    name = member or policy.quorum
    group = next((one for one in policy.groups if one.name == name), None)
    if group is None:
        return name
    return f"{group.needed} of ({', '.join(quorum_in_words(policy, one) for one in group.members)})"


def trusted_in_words(policy: Policy, origin: str) -> str:
    """One sentence: what one believes with this policy about this log."""
    if policy.quorum == NONE:
        return f"You trust the log {origin} alone; the policy asks for no witnesses."
    return f"You trust the log {origin} as far as these witnesses have seen it: {quorum_in_words(policy)}."
