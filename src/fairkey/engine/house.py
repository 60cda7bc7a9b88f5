"""The house: everything an edge may use, wired once in `app.py` and handed in."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from fairkey.business.askers import Asker
from fairkey.business.basics import Command, Refusal
from fairkey.effects.issuer_check import IssuerCheck
from fairkey.effects.ports import Mail, PaymentProvider
from fairkey.read_tables.questions import Questions
from fairkey.settings import Settings

from .admission_port import Admissions
from .answers import Answer
from .cases_port import CaseRoom
from .desk_marks import DeskMarks
from .erasing import Erasures
from .evidence_port import EvidenceFiles
from .joint_port import JointRoom
from .log_port import PublicLog
from .people import People
from .statement_port import StatementIds
from .trace_port import CodeTraces
from .vault_port import CodeImports, CodeVault


class NoPaymentProvider(Refusal):
    """The house has no payment provider yet, so it takes no orders and moves no money."""


class Ask(Protocol):
    """Ask the engine; the only way an edge changes a business fact."""

    def __call__(
        self, by: Asker, command: Command, *, command_id: str | None = None, body_hash: bytes = b""
    ) -> Awaitable[Answer]:
        """The answer: done (with `kinds` and `facts`) or refused (with `refusal` and `details`); never half.

        `command_id` makes a repeat get the first answer; without one the command is asked once. Raises `Broken` for
        our own bugs, `StoreIsAway` when storage did not answer in time, `Stopping` while the process shuts down.
        """


class KeyWork(Protocol):
    """What edges need of the installation's keys; implemented by `fairkey.adapters.vault.keys.Keys`."""

    def order_secret(self, order_id: str) -> str:
        """The secret that opens this order; derived, never stored."""

    def check_order_secret(self, order_id: str, given: str) -> bool:
        """Constant-time, tolerant of case and dashes."""

    def buyer_pseudonym(self, shop_id: str, contact: str) -> str:
        """What this shop's public facts call the buyer; other shops call him differently."""

    def buyer_key(self, contact: str) -> bytes:
        """The same buyer anywhere on the platform; for limits only."""

    def fingerprint(self, purpose: str, value: bytes) -> bytes:
        """Keyed hash for a purpose."""

    def code_fingerprint(self, normalised: str) -> bytes:
        """The platform-wide mark of a code: equal for all writings of it, telling nothing else."""

    def exact_fingerprint(self, normalised: str) -> bytes:
        """The mark of this very writing, which codes were given before writings were compared."""


class ShopNumbers(Protocol):
    """The small number of each shop that order references carry."""

    async def number_for(self, shop_id: str) -> int:
        """The shop's number; a new one the first time."""

    async def shop_of(self, shop_no: int) -> str | None:
        """The shop with this number."""

    async def number_of(self, shop_id: str) -> int | None:
        """The shop's number if it has one."""


class House:
    """One process's view of everything.

    A plain class, not a dataclass: the web framework would otherwise look into its fields to validate what it hands on.
    """

    def __init__(  # noqa: PLR0913 - everything an edge may use
        self,
        *,
        settings: Settings,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        ask: Ask,
        keys: KeyWork,
        vault: CodeVault,
        imports: CodeImports,
        people: People,
        numbers: ShopNumbers,
        providers: Mapping[str, PaymentProvider],
        mail: Mail | None,  # none: no letters are written
        questions: Questions,
        marks: DeskMarks,
        statements: StatementIds,
        issuer_check: IssuerCheck,
        admissions: Admissions,
        erasures: Erasures,
        traces: CodeTraces,
        evidence: EvidenceFiles,
        cases: CaseRoom,
        joint: JointRoom,
        log: PublicLog,
        is_ready: Callable[[], Awaitable[bool]],
    ) -> None:
        """Wired once, in `fairkey.app`."""
        self.settings = settings
        self.now_ms = now_ms
        self.new_id = new_id
        self.ask = ask
        self.keys = keys
        self.vault = vault
        self.imports = imports
        self.people = people
        self.numbers = numbers
        self.providers = providers
        self.mail = mail
        self.questions = questions
        self.marks = marks
        self.statements = statements
        self.issuer_check = issuer_check
        self.admissions = admissions
        self.erasures = erasures
        self.traces = traces
        self.evidence = evidence
        self.cases = cases
        self.joint = joint
        self.log = log
        self.is_ready = is_ready

    @property
    def provider(self) -> PaymentProvider:
        """The provider that new orders are paid through."""
        for provider in self.providers.values():
            return provider
        raise NoPaymentProvider
