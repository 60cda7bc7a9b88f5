"""Where the embedded servers of the tests live."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for a server, removed afterwards.

    Not below pytest's own: that one is closed to the server's user whenever another run of pytest starts as root.
    """
    with tempfile.TemporaryDirectory(prefix="fairkey-test-", ignore_cleanup_errors=True) as place:
        yield Path(place) / "postgres"
