"""Where files of evidence lie, and who looks at them."""

import shlex
from collections.abc import Callable

import asyncpg

from fairkey.adapters.files.looking_apart import LooksApart
from fairkey.adapters.files.places import BucketPlace, FolderPlace
from fairkey.adapters.files.store import SealedFiles
from fairkey.adapters.log.bucket import bucket_of
from fairkey.adapters.postgres.evidence import PostgresEvidence
from fairkey.adapters.vault.keys import Keys
from fairkey.engine.evidence_port import EvidenceFiles
from fairkey.settings import Settings


def evidence_files(settings: Settings, pool: asyncpg.Pool, keys: Keys, now_ms: Callable[[], int]) -> EvidenceFiles:
    """As the settings say."""
    bucket = settings.evidence_store
    place = BucketPlace(bucket_of(bucket)) if bucket else FolderPlace(settings.state / "evidence")
    store = SealedFiles(place, scanner=shlex.split(settings.evidence_scanner))
    return EvidenceFiles(store=store, rows=PostgresEvidence(pool, keys, now_ms), looks=LooksApart())
