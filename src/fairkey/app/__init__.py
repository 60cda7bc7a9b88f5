"""The one place where everything is wired, and the processes that run it."""

from fairkey.app.standard_start import publish_standard
from fairkey.app.wiring import Opened, make_asgi_app, make_litestar, master_key_of, new_id, open_house, wall_clock_ms

__all__ = [
    "Opened",
    "make_asgi_app",
    "make_litestar",
    "master_key_of",
    "new_id",
    "open_house",
    "publish_standard",
    "wall_clock_ms",
]
