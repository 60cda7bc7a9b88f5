"""What the commands need from the house that is wired above them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from fairkey.engine.house import House
from fairkey.settings import Settings
from fairkey.verifying.sources import LogSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it must be."""

    rule: str
    what: str
    where: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLogFiles:
    """A house's own log: its files (asked in another thread than the house's), the policy's text, its key, and a
    comparison of entries, from a number on, with what the tables have: sentences, none when they agree.
    """

    source: LogSource
    policy: str
    vkey: str
    compare: Callable[[int, Sequence[bytes]], Sequence[str]]


class LogIsNotBegun(Exception):
    """The new log cannot have this origin; the argument is a sentence."""


class MasterKeyIsRefused(Exception):
    """The data keys cannot be wrapped by this master key; the argument is a sentence."""


class Entry(Protocol):
    """Everything a command line may start; implemented by `fairkey.main`."""

    def settings(self) -> Settings:
        """The settings of this environment. Raises `SettingsRefused`."""

    def migrate(self) -> list[str]:
        """Bring the database up to date; the revisions applied."""

    def house(self) -> AbstractAsyncContextManager[House]:
        """An opened house on the configured database, without a worker."""

    def serve(self) -> int:
        """Answer requests until told to stop; the exit code."""

    def work(self) -> int:
        """Carry out effects and deadlines until told to stop; the exit code."""

    def sequence(self) -> int:
        """Write the public log until told to stop; the exit code."""

    def begin_log_anew(self, origin: str, why: str) -> Awaitable[Mapping[str, str]]:
        """End the log and begin another under a new origin; its origin and verifier key. Raises `LogIsNotBegun`."""

    def own_log(self, *, published_only: bool) -> AbstractAsyncContextManager[OwnLogFiles]:
        """The newest log of this installation; heads that were never published as well, unless `published_only`."""

    def demo(self, *, port: int, fresh: bool, seed: int) -> int:
        """A small lively world on this machine until told to stop; the exit code."""

    def audit(self) -> Awaitable[Sequence[Finding]]:
        """Check every invariant on the live database."""

    def rebuild(self, *, check_only: bool) -> Awaitable[Sequence[Finding]]:
        """Fold all events again and compare with the kept tables; unless `check_only`, put right what differs."""

    def rotate_keys(self, purpose: str) -> Awaitable[int]:
        """A new data key for `purpose`; its number."""

    def rewrap_keys(self, new_key: str) -> Awaitable[int]:
        """Wrap every data key by another master key (base64); how many, 0 if it was done. Raises
        `MasterKeyIsRefused`.
        """

    def reseal(self) -> Awaitable[int]:
        """Seal what lies under older data keys anew; how many values."""

    def bench(self, name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run the benchmark `name`; its figures."""
