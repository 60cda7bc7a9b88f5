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
    # signing in and up, the account, what anybody may read
    "GET /login": Gate(Permission.PUBLIC),
    "POST /login": Gate(Permission.PUBLIC, limit="log_in"),
    "POST /logout": Gate(Permission.PUBLIC),
    "GET /register": Gate(Permission.PUBLIC),
    "POST /register": Gate(Permission.PUBLIC, limit="register"),
    "GET /verify/{token}": Gate(Permission.PUBLIC, limit="log_in"),
    "GET /forgot": Gate(Permission.PUBLIC),
    "POST /forgot": Gate(Permission.PUBLIC, limit="letter"),
    "GET /reset/{token}": Gate(Permission.PUBLIC),
    "POST /reset/{token}": Gate(Permission.PUBLIC, limit="log_in"),
    "POST /demo/enter/{who}": Gate(Permission.PUBLIC, limit="log_in"),
    "GET /about": Gate(Permission.PUBLIC),
    "GET /sell": Gate(Permission.PUBLIC),
    "GET /account": Gate(Permission.ACCOUNT),
    "POST /account": Gate(Permission.ACCOUNT),
    "POST /account/password": Gate(Permission.ACCOUNT, limit="log_in"),
    "POST /account/verification": Gate(Permission.ACCOUNT, limit="letter"),
    "POST /account/sessions/{session_ref}": Gate(Permission.ACCOUNT),
    "POST /account/leave-all": Gate(Permission.ACCOUNT),
    "POST /account/close": Gate(Permission.ACCOUNT, limit="log_in"),
}

# Programs: keys (scopes), order secrets and signatures count here.
_PROGRAMS: Final[Mapping[str, Gate]] = {}

ROUTES: Final[Mapping[str, Gate]] = {**_PAGES, **_PROGRAMS}
