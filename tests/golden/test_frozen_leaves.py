"""Every kind of event has frozen bytes, and events come back from their bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785

from fairkey.business.basics import Event, Stream
from fairkey.business.files import EVENT_OF_KIND
from fairkey.engine.codec import event_from
from fairkey.proofs.commitments import commitment
from fairkey.proofs.leaf import leaf_of, salt_of
from golden.samples import AT_MS, SAMPLES, SEALING_KEY, SHOP, leaf_bytes

HERE = Path(__file__).parent
by_kind = pytest.mark.parametrize("event", SAMPLES, ids=[event.kind for event in SAMPLES])


@by_kind
def test_its_bytes_are_the_frozen_ones(event: Event) -> None:
    assert leaf_bytes(event) == (HERE / "leaves" / f"{event.kind}.leaf").read_bytes()


@by_kind
def test_its_bytes_are_canonical_json(event: Event) -> None:
    body = leaf_bytes(event)
    assert body == rfc8785.dumps(json.loads(body))


@by_kind
def test_it_comes_back_from_its_bytes(event: Event) -> None:
    leaf = leaf_of(Stream(SHOP, "order", "x"), 1, event, AT_MS, b"", SEALING_KEY)
    assert event_from(leaf.body, leaf.sealed) == (event, AT_MS)


@by_kind
def test_without_its_sealed_fields_it_comes_back_with_empty_ones(event: Event) -> None:
    erased, at_ms = event_from(leaf_bytes(event), {})
    assert at_ms == AT_MS
    for name in event.__struct_fields__:
        assert getattr(erased, name) == ("" if name in event.sealed else getattr(event, name))


@by_kind
def test_no_sealed_text_is_in_its_bytes_but_a_commitment_to_it(event: Event) -> None:
    leaf = json.loads(leaf_bytes(event))
    assert not set(leaf["public"]) & event.sealed
    filled = {name: getattr(event, name) for name in event.sealed if getattr(event, name)}
    assert leaf["sealed"] == {
        name: commitment(salt_of(SEALING_KEY, name), name, text)[0].hex() for name, text in filled.items()
    }


def test_every_kind_has_a_sample_and_every_file_a_kind() -> None:
    assert sorted(event.kind for event in SAMPLES) == sorted(EVENT_OF_KIND)
    assert sorted(file.stem for file in (HERE / "leaves").iterdir()) == sorted(EVENT_OF_KIND)


def test_freezing_again_changes_nothing() -> None:
    again = subprocess.run([sys.executable, HERE / "freeze.py"], capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
