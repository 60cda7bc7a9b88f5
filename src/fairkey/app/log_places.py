"""What the writer of the log and those who read it must agree on: its origin, where its tiles lie, whom it asks."""

from urllib.parse import urlsplit

from fairkey.adapters.log.bucket import BucketTiles, bucket_of
from fairkey.adapters.log.folder import FolderTiles
from fairkey.log.ports import OwnLog, TileStore
from fairkey.proofs.policies import NONE, LogKey, Policy, PolicyIsMalformed, read_policy
from fairkey.settings import Settings, SettingsRefused


def log_origin(settings: Settings) -> str:
    """The origin that the first log of this installation gets."""
    return settings.log_origin or f"{urlsplit(settings.origin).netloc}/log"


def tile_store(settings: Settings, log_no: int) -> TileStore:
    """Where the tiles of a log lie; each log of an installation has a folder of its own there."""
    if settings.log_store:
        return BucketTiles(bucket_of(settings.log_store), f"{log_no}/")
    return FolderTiles(settings.state / "log" / str(log_no))


def policy_of(settings: Settings, own: OwnLog) -> Policy:
    """Whom to believe about this log: its key, its witnesses, and how many of them are enough."""
    mine = (LogKey(own.key.verifier, f"{settings.origin}/log"),)
    named = witnesses_named(settings)
    return Policy(mine, named.witnesses, named.groups, named.quorum) if named else Policy(mine, (), (), NONE)


def witnesses_named(settings: Settings) -> Policy | None:
    """What the file of FAIRKEY_WITNESSES says; None when there is none. Raises `SettingsRefused`."""
    file = settings.witnesses
    if file is None:
        return None
    try:
        policy = read_policy(file.read_bytes())
    except OSError as error:
        raise SettingsRefused([f"FAIRKEY_WITNESSES: {file} cannot be read: {error.strerror}."]) from None
    except PolicyIsMalformed as error:
        raise SettingsRefused([f"FAIRKEY_WITNESSES: {file} is no policy file: {error}."]) from None
    without = [witness.name for witness in policy.witnesses if not witness.url]
    if without:
        raise SettingsRefused([f"FAIRKEY_WITNESSES: {', '.join(without)} of {file} has no address to be asked at."])
    return policy
