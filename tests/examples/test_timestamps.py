"""Checking tokens of a real authority: what is right passes both programs, each wrong says what is wrong."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from fairkey.proofs.checkpoints import Checkpoint
from fairkey.proofs.der import CONTEXT_0, INTEGER, SEQUENCE, element_at, encoded, inside, the_element
from fairkey.proofs.openssl_ts import second_opinion
from fairkey.proofs.timestamps import (
    TOKEN_BYTES_MAX,
    RootsAreUnreadable,
    SignerMayNotStamp,
    SignerWasNotValid,
    StampWasNotGranted,
    TokenHasAnotherNonce,
    TokenHasAnotherPolicy,
    TokenIsMalformed,
    TokenIsNotTrusted,
    TokenIsOverOtherBytes,
    TokenIsRefused,
    check_token,
    read_roots,
    token_of,
    with_certificates_in_order,
)
from tsa_world import POLICY, LocalTsa, needs_openssl

pytestmark = needs_openssl

TEXT = Checkpoint("keys.example/log", 15, bytes(range(32))).text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tsa")


@pytest.fixture(scope="module")
def tsa(folder: Path) -> LocalTsa:
    return LocalTsa(folder / "good")


@pytest.fixture(scope="module")
def good(tsa: LocalTsa) -> bytes:
    return stamped(tsa)[0]


def stamped(tsa: LocalTsa, data: bytes = TEXT) -> tuple[bytes, int | None]:
    """A token over `data` as it came, and the nonce that was asked with."""
    request = TimestampRequestBuilder(data, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
    return token_of(tsa.reply(request.as_bytes())), request.nonce


def test_a_good_token_passes_here_and_at_openssl(tsa: LocalTsa) -> None:
    token, nonce = stamped(tsa)
    roots = read_roots(tsa.root_pem)
    stamp = check_token(token, TEXT, roots, nonce=nonce, policy=POLICY)
    assert (stamp.tsa, stamp.policy, stamp.hash_name, stamp.accuracy_ms) == ("CN=TSA Unit", POLICY, "SHA-256", 1500)
    assert stamp.serial > 0
    assert second_opinion(token, TEXT, roots, at_ms=stamp.gen_time_ms).holds is True


def test_a_token_over_other_bytes(tsa: LocalTsa, good: bytes) -> None:
    roots = read_roots(tsa.root_pem)
    for other in (TEXT[:-1], TEXT + b"\n", TEXT.replace(b"15", b"16"), b""):
        with pytest.raises(TokenIsOverOtherBytes):
            check_token(good, other, roots)
    assert second_opinion(good, TEXT[:-1], roots).holds is False


def test_a_token_of_another_request(tsa: LocalTsa) -> None:
    token, nonce = stamped(tsa)
    assert nonce is not None
    with pytest.raises(TokenHasAnotherNonce):
        check_token(token, TEXT, read_roots(tsa.root_pem), nonce=nonce + 1)


def test_a_token_without_a_nonce_answers_no_request_that_had_one(tsa: LocalTsa) -> None:
    request = TimestampRequestBuilder(TEXT, HashAlgorithm.SHA256, nonce=False, cert_req=True).build()
    token = token_of(tsa.reply(request.as_bytes()))
    check_token(token, TEXT, read_roots(tsa.root_pem))
    with pytest.raises(TokenHasAnotherNonce):
        check_token(token, TEXT, read_roots(tsa.root_pem), nonce=5)


def test_a_token_under_another_policy(tsa: LocalTsa, good: bytes) -> None:
    with pytest.raises(TokenHasAnotherPolicy, match=r"1\.2\.3\.4\.1, not 1\.2\.3"):
        check_token(good, TEXT, read_roots(tsa.root_pem), policy="1.2.3")


def test_a_certificate_that_had_ended_when_it_stamped(folder: Path) -> None:
    late = LocalTsa(folder / "late", valid_days=(-30, -1))
    token, _ = stamped(late)
    with pytest.raises(SignerWasNotValid, match="CN=TSA Unit was not valid"):
        check_token(token, TEXT, read_roots(late.root_pem))
    assert second_opinion(token, TEXT, read_roots(late.root_pem)).holds is False


@pytest.mark.parametrize("purposes", [
    (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING),
    (ExtendedKeyUsageOID.CODE_SIGNING,),
    (),
    None,
])  # fmt: skip
def test_a_certificate_that_is_not_for_stamping_alone(
    tmp_path: Path, purposes: tuple[x509.ObjectIdentifier, ...] | None
) -> None:
    # openssl refuses to stamp with such a certificate, so it is put in the place of a good one with the same key:
    # the signature holds, the chain holds, and only the purpose is wrong.
    token, root_pem = reissued(tmp_path, purposes)
    with pytest.raises(SignerMayNotStamp):
        check_token(token, TEXT, read_roots(root_pem))
    assert second_opinion(token, TEXT, read_roots(root_pem)).holds is False


def test_a_certificate_issued_again_for_stamping_is_as_good(tmp_path: Path) -> None:
    # So that the refusals above are about the purpose and not about the exchange.
    token, root_pem = reissued(tmp_path, (ExtendedKeyUsageOID.TIME_STAMPING,))
    assert check_token(token, TEXT, read_roots(root_pem)).tsa == "CN=TSA Unit"


def reissued(folder: Path, purposes: tuple[x509.ObjectIdentifier, ...] | None) -> tuple[bytes, bytes]:
    """A token whose signer's certificate was issued again (same names, serial and key) with other purposes, and the
    root; `purposes` None: the right one, but not critical.
    """
    tsa = LocalTsa(folder / "reissued")
    token, _ = stamped(tsa)
    old, key = tsa.signer, tsa.signer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    builder = x509.CertificateBuilder(
        issuer_name=old.issuer,
        subject_name=old.subject,
        public_key=key,
        serial_number=old.serial_number,
        not_valid_before=old.not_valid_before_utc,
        not_valid_after=old.not_valid_after_utc,
    )
    if purposes is None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=False)
    elif purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=True)
    return with_certificate(token, builder.sign(tsa._root_key, hashes.SHA256())), tsa.root_pem


def with_certificate(token: bytes, certificate: x509.Certificate) -> bytes:
    """The token with this certificate alone in its set, all lengths made right again."""
    kind, content = inside(token, the_element(token, SEQUENCE))
    parts = [
        encoded(CONTEXT_0, certificate.public_bytes(Encoding.DER)) if part.tag == CONTEXT_0 else part.whole(token)
        for part in inside(token, element_at(token, content.body, content.end, SEQUENCE))
    ]
    return encoded(SEQUENCE, kind.whole(token) + encoded(CONTEXT_0, encoded(SEQUENCE, b"".join(parts))))


def test_a_root_that_was_not_pinned(tsa: LocalTsa, folder: Path, good: bytes) -> None:
    # Same names, other keys: what counts is the key, not what a certificate calls itself.
    namesake = LocalTsa(folder / "namesake")
    with pytest.raises(TokenIsNotTrusted):
        check_token(good, TEXT, read_roots(namesake.root_pem))
    assert second_opinion(good, TEXT, read_roots(namesake.root_pem)).holds is False


def test_several_roots_may_be_pinned(tsa: LocalTsa, folder: Path, good: bytes) -> None:
    other = LocalTsa(folder / "other", name="Other")
    roots = read_roots(other.root_pem + tsa.root_pem)
    assert check_token(good, TEXT, roots).tsa == "CN=TSA Unit"


def test_certificates_in_an_order_that_der_forbids(folder: Path) -> None:
    # The order depends on the bytes of the certificates; after a few tries both have been seen.
    disordered = 0
    for number in range(8):
        tsa = LocalTsa(folder / f"chain{number}", with_chain=True)
        token, nonce = stamped(tsa)
        ordered = with_certificates_in_order(token)
        assert len(ordered) == len(token)
        assert sorted(ordered) == sorted(token)
        if ordered != token:
            disordered += 1
            granted = encoded(SEQUENCE, encoded(INTEGER, b"\0"))
            with pytest.raises(ValueError, match="InvalidSetOrdering"):  # why the copy is needed at all
                decode_timestamp_response(encoded(SEQUENCE, granted + token)).signed_data.certificates  # noqa: B018
        roots = read_roots(tsa.root_pem)
        stamp = check_token(token, TEXT, roots, nonce=nonce)
        assert second_opinion(token, TEXT, roots, at_ms=stamp.gen_time_ms).holds is True
    assert disordered


def test_a_certificate_that_another_has_signed_is_no_root(tsa: LocalTsa) -> None:
    pem = tsa.signer.public_bytes(Encoding.PEM)
    with pytest.raises(RootsAreUnreadable, match="CN=TSA Unit is no root"):
        read_roots(pem)


def test_a_refusal_of_the_authority_is_told_in_its_words(folder: Path) -> None:
    strict = LocalTsa(folder / "strict", digests="sha512")
    request = TimestampRequestBuilder(TEXT, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
    with pytest.raises(StampWasNotGranted, match="rejected"):
        token_of(strict.reply(request.as_bytes()))


@pytest.mark.parametrize("garbage", [b"", b"0", b"\x30\x80", b"<html>busy</html>", b"\x30\x03\x02\x01\x00", b"\0" * 99])
def test_garbage(garbage: bytes, tsa: LocalTsa) -> None:
    with pytest.raises(TokenIsMalformed):
        token_of(garbage)
    with pytest.raises(TokenIsMalformed):
        check_token(garbage, TEXT, read_roots(tsa.root_pem))


def test_what_is_too_long(tsa: LocalTsa, good: bytes) -> None:
    for check in (token_of, lambda data: check_token(data, TEXT, read_roots(tsa.root_pem))):
        with pytest.raises(TokenIsMalformed, match="too long"):
            check(good + b"\0" * TOKEN_BYTES_MAX)
    with pytest.raises(TokenIsMalformed, match="after the end"):
        check_token(good + b"\0", TEXT, read_roots(tsa.root_pem))


def test_roots_that_are_none() -> None:
    for pem in (b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(RootsAreUnreadable):
            read_roots(pem)


def test_a_certificate_without_a_positive_number_is_refused(tsa: LocalTsa, good: bytes) -> None:
    """The library warns of it, and would fail one day; the number's first byte is 0, or less than 128."""
    roots = read_roots(tsa.root_pem)
    reply = decode_timestamp_response(encoded(SEQUENCE, encoded(SEQUENCE, encoded(INTEGER, b"\0")) + good))
    for one in reply.signed_data.certificates:
        number = x509.load_der_x509_certificate(one).serial_number
        bare = number.to_bytes(number.bit_length() // 8 + 1)
        assert good.count(bare) >= 1
        at = good.index(bare, good.index(one))
        spoilt = bytearray(good)
        spoilt[at] ^= 0x80
        with pytest.raises(TokenIsMalformed, match="positive"):
            check_token(bytes(spoilt), TEXT, roots)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 3000), bit=st.integers(0, 7), cut=st.integers(0, 12))
def test_a_spoilt_token_is_refused_or_says_the_same(
    tsa: LocalTsa, good: bytes, at: int, bit: int, cut: int
) -> None:
    """Nothing but a refusal comes out, and no spoilt token ever tells another time."""
    roots = read_roots(tsa.root_pem)
    spoilt = bytearray(good)
    at %= len(spoilt)
    spoilt[at] ^= 1 << bit
    if cut > 8:
        del spoilt[at : at + cut - 8]
    try:
        stamp = check_token(bytes(spoilt), TEXT, roots)
    except TokenIsRefused:
        return
    assert stamp == check_token(good, TEXT, roots)
