"""The public log over HTTP (C2SP tlog-tiles v0.1.0): its checkpoint, its tiles and bundles, and a page about it.

The same bytes as in the folder or bucket; whoever mirrors the log needs nothing but these paths.
"""

import asyncio
import gzip
import re
from typing import Final

from litestar import HttpMethod, Response, get, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.engine.house import House
from fairkey.proofs.tiles import ENTRIES, TileName, tile_named
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render

READING: Final = [HttpMethod.GET, HttpMethod.HEAD]
CHECKPOINT_TYPE: Final = "text/plain"  # the framework adds the charset
TILE_TYPE: Final = "application/octet-stream"
FOR_A_MOMENT: Final = "public, max-age=1"
FOR_A_MINUTE: Final = "public, max-age=60"
FOR_EVER: Final = "public, max-age=31536000, immutable"
GZIP_LEVEL: Final = 6
STAMP_TYPE: Final = "application/timestamp-token"
_OF_HISTORY: Final = re.compile(r"/(0|[1-9][0-9]{0,17})(?:\.([1-9][0-9]?)\.tst)?")
# Anybody's page may read the log: nothing in it is secret, and nobody's cookies count here.
_OPEN: Final = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}


@get("/log")
async def about(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """What the log is, how far it is, who watches it, how to verify."""
    checkpoint = await house.log.checkpoint()
    return render(
        frame(request, house),
        "log.html",
        status=await house.log.status(),
        is_watched=await house.log.is_watched(),
        checkpoint=checkpoint.decode() if checkpoint else "",
        address=f"{house.settings.origin}/log",
    )


@route("/log/checkpoint", http_method=READING)
async def checkpoint(house: NamedDependency[House]) -> Response[bytes]:
    """The published checkpoint."""
    data = await house.log.checkpoint()
    if data is None:
        return _nothing()
    return Response(data, media_type=CHECKPOINT_TYPE, headers={"cache-control": FOR_A_MOMENT, **_OPEN})


@route("/log/checkpoints/{path:path}", http_method=READING)
async def history(house: NamedDependency[House], path: FromPath[str]) -> Response[bytes]:
    """Earlier checkpoints, as an export has them: `index`, `<size>` (every published one), `<size>.<n>.tst`."""
    if path == "/index":
        lines = "".join(f"{size} {stamps}\n" for size, stamps in (await house.log.history()).items())
        headers = {"cache-control": FOR_A_MINUTE, **_OPEN}
        return Response(lines.encode(), media_type=CHECKPOINT_TYPE, headers=headers)
    named = _OF_HISTORY.fullmatch(path)
    if named is None:
        return _nothing()
    size, number = int(named[1]), named[2]
    data = await (house.log.stamp(size, int(number)) if number else house.log.published(size))
    if data is None:
        return _nothing()
    kind = STAMP_TYPE if number else CHECKPOINT_TYPE
    return Response(data, media_type=kind, headers={"cache-control": FOR_EVER, **_OPEN})


@route("/log/tile/{path:path}", http_method=READING)
async def tile(request: AnyRequest, house: NamedDependency[House], path: FromPath[str]) -> Response[bytes]:
    """One tile or bundle; its path is read strictly, so that each file has one address."""
    name = tile_named(f"tile{path}")
    data = await house.log.file(name.path) if name is not None else None
    if name is None or data is None:
        return _nothing()
    return await _tile(name, data, request.headers.get("accept-encoding", ""))


async def _tile(name: TileName, data: bytes, accepted: str) -> Response[bytes]:
    """Bundles are text and shrink well; hashes do not shrink."""
    headers = {"cache-control": FOR_EVER, **_OPEN}
    if name.level == ENTRIES:
        headers["vary"] = "accept-encoding"
        if takes_gzip(accepted):
            data = await asyncio.to_thread(gzip.compress, data, GZIP_LEVEL, mtime=0)
            headers["content-encoding"] = "gzip"
    return Response(data, media_type=TILE_TYPE, headers=headers)


def takes_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` header names gzip and does not forbid it."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";")
        if coding == "gzip":
            return not weight.startswith("q=0") or weight.strip("q=0.") != ""
    return False


def _nothing() -> Response[bytes]:
    # Not to be kept: what is missing now may be there in a moment.
    return Response(b"", status_code=404, media_type=CHECKPOINT_TYPE, headers={"cache-control": "no-store", **_OPEN})


HANDLERS: Final = [about, checkpoint, history, tile]
