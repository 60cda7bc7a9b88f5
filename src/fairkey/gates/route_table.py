"""The table route -> permission. Every route of the application has exactly one row here; a test compares.

Whoever adds a route adds its row. Rows that let anybody in are also listed in `tests/repo/unprotected_routes.txt`, so
that opening a route shows in two places of a change.
"""

from collections.abc import Mapping
from typing import Final

from fairkey.gates.permissions import Gate, Permission

# Pages: cookies count here. No scopes.
_PAGES: Final = {
    "GET /static/{file_path}": Gate(Permission.PUBLIC),
}

# Programs: keys (scopes), order secrets and signatures count here.
_PROGRAMS: Final[Mapping[str, Gate]] = {}

ROUTES: Final[Mapping[str, Gate]] = {**_PAGES, **_PROGRAMS}
