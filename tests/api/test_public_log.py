"""The log over HTTP, as any C2SP tool reads it: paths, types, caches, and nothing but what is meant to be read."""

import gzip
from pathlib import Path

from api_world import a_world
from fairkey.proofs.merkle import leaf_hash, merkle_root
from fairkey.proofs.tiles import TiledTree, bundles_of, tiles_of
from fairkey.verifying.sources import read_index
from receipt_world import own_log, policy, write_log


async def test_the_log_is_read_over_http_as_it_lies_in_the_folder(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        assert (await world.get("/log/checkpoint")).status_code == 404
        assert (await world.get("/log")).status_code == 200
        for _ in range(4):
            await world.paid() if _ < 3 else await world.place(listing_id=world.manual_id)
        await write_log(world.opened, database_url)
        folder = tmp_path / "log" / "1"
        head = await world.get("/log/checkpoint")
        assert head.content == (folder / "checkpoint").read_bytes()
        assert head.headers["content-type"] == "text/plain; charset=utf-8"
        assert head.headers["cache-control"] == "public, max-age=1"
        assert head.headers["access-control-allow-origin"] == "*"
        checkpoint = (await policy(world.opened)).judge(head.content).checkpoint
        files = {}
        for name in (*tiles_of(checkpoint.size), *bundles_of(checkpoint.size)):
            answer = await world.get(f"/log/{name.path}", accept_encoding="identity")
            assert answer.status_code == 200, name.path
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.content == (folder / name.path).read_bytes()
            files[name.path] = answer.content
        tree = TiledTree(files.__getitem__, checkpoint.size)
        entries = list(tree.entries(0, checkpoint.size))
        assert tree.root() == merkle_root(map(leaf_hash, entries)) == checkpoint.root


async def test_earlier_checkpoints_are_served_for_who_watches(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        empty = await world.get("/log/checkpoints/index")
        assert (empty.status_code, empty.content) == (200, b"")
        kept = {}
        for _ in range(3):
            await world.paid()
            await write_log(world.opened, database_url)
            head = (await world.get("/log/checkpoint")).content
            kept[int(head.split(b"\n")[1])] = head
        first, second, last = sorted(kept)
        await world.opened.pool.execute("ALTER TABLE log_heads DISABLE TRIGGER USER")  # its hours are to be other ones
        await world.opened.pool.execute(
            "UPDATE log_heads SET published_at = published_at - interval '2 hours' WHERE size <= $1", second
        )
        index = await world.get("/log/checkpoints/index")
        assert index.headers["cache-control"] == "public, max-age=60"
        assert index.content == f"{second} 0\n{last} 0\n".encode()
        for tsa in ("one", "two"):
            await world.opened.pool.execute(
                "INSERT INTO log_tokens (log_no, size, tsa, token, serial, gen_time) VALUES (1, $1, $2, $3, 7, now())",
                first,
                tsa,
                tsa.encode(),
            )
        told = (await world.get("/log/checkpoints/index")).content
        assert read_index(told) == {first: 2, second: 0, last: 0}  # as `fairkey log audit URL` reads it
        for number, token in ((1, b"one"), (2, b"two")):
            served = await world.get(f"/log/checkpoints/{first}.{number}.tst")
            assert (served.content, served.headers["content-type"]) == (token, "application/timestamp-token")
        for size, head in kept.items():
            served = await world.get(f"/log/checkpoints/{size}")
            assert served.content == head
            assert served.headers["content-type"] == "text/plain; charset=utf-8"
            assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert served.headers["access-control-allow-origin"] == "*"
        paths = (
            f"{last + 1}",
            f"0{first}",
            f"{first}.3.tst",
            f"{first}.0.tst",
            "9" * 19,
            "-1",
            "INDEX",
            "1/2",
        )
        for path in paths:
            missing = await world.get(f"/log/checkpoints/{path}")
            assert (missing.status_code, missing.headers.get("cache-control")) == (404, "no-store"), path


async def test_bundles_are_packed_for_who_takes_it(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        await write_log(world.opened, database_url)
        size = (await world.opened.house.log.status()).published_size
        path = f"/log/tile/entries/000.p/{size}"
        plain = await world.get(path, accept_encoding="gzip;q=0, identity")
        packed = await world.get(path, accept_encoding="br, gzip")
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
        assert packed.content == plain.content  # httpx unpacks
        assert int(packed.headers["content-length"]) < len(plain.content)
        assert len(gzip.compress(plain.content)) > 0
        tile = await world.get(f"/log/tile/0/000.p/{size}", accept_encoding="gzip")
        assert "content-encoding" not in tile.headers


async def test_head_says_the_same_without_a_body(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        await write_log(world.opened, database_url)
        size = (await world.opened.house.log.status()).published_size
        for path in ("/log/checkpoint", f"/log/tile/0/000.p/{size}"):
            got, told = await world.get(path), await world.send("HEAD", path)
            assert told.status_code == 200
            assert told.content == b""
            for name in ("content-type", "cache-control", "content-length"):
                assert told.headers[name] == got.headers[name], (path, name)
        assert (await world.send("HEAD", "/log/tile/0/999")).status_code == 404


async def test_whatever_else_is_asked_for_is_not_there(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        await write_log(world.opened, database_url)
        (tmp_path / "log" / "1" / "secret").write_text("x")
        for path in (
            "tile/0/000",
            "tile/0/001",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/00/000",
            "tile/64/000",
            "tile/entries/0",
            "tile/data/000",
            "tile/0/x000/000",
            "tile/0/../../secret",
            "tile/%2e%2e/secret",
            "tile/0/..%2f..%2fsecret",
            "tile/0/000%00",
            "tile/0//000",
            "tile/0/000/",
            "tile/",
            "tile/0/" + "x999/" * 40 + "999",
        ):
            answer = await world.get(f"/log/{path}")
            assert answer.status_code == 404, path
            assert answer.content != b"x"
        assert (await world.post("/log/checkpoint")).status_code in (403, 405)


async def test_the_page_about_the_log_says_what_a_stranger_needs(database_url: str, tmp_path: Path) -> None:
    async with a_world(database_url, tmp_path, codes=3) as world:
        await write_log(world.opened, database_url)
        own = await own_log(world.opened)
        for language, words in (("zh-CN", "公开日志"), ("en", "The public log")):
            page = (await world.get("/log", accept_language=language)).text
            assert words in page
            assert own.origin in page
            assert str(own.key.verifier).replace("+", "&#43;") in page or str(own.key.verifier) in page
        assert 'href="/log"' in (await world.get("/about")).text
