"""Requests of strangers: what is taken from them, and what is not."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from enrol.made import NOW, OURS, authority, csr
from gatehouse_district.ca import names, requests
from gatehouse_district.errors import AuthorityError


@pytest.mark.parametrize(
    "name",
    [
        "district.receiver",
        "qd/sn",
        "qd+sn",
        "#",
        "qd-sn-0042/up/#",
        "QD-SN-0042",
        "网关-0042",
        "qd-sn-0042\n",
        "qd-sn\u0000-0042",
        "ab",
        "a" * 64 + "b",
        "qd sn 0042",
    ],
)
def test_a_name_that_the_rules_could_misread_is_refused(name: str) -> None:
    """Without it a certificate could name a wildcard or the receiver, and read every school."""
    with pytest.raises(AuthorityError):
        names.gateway(name)
    if len(name) <= 64:
        with pytest.raises(AuthorityError, match="no gateway's id"):
            requests.read(csr([name]))


def test_two_names_are_none() -> None:
    """Without it the broker could go by another name than the one that was checked."""
    with pytest.raises(AuthorityError, match="one common name"):
        requests.read(csr([OURS, "qd-sn-0043"]))
    with pytest.raises(AuthorityError, match="one common name"):
        requests.read(csr([]))


def test_of_a_request_only_key_and_name_are_taken(tmp_path: Path) -> None:
    """Without it a gateway could ask to be an authority, or another's broker, and be signed."""
    district = authority(tmp_path)
    asked = csr(
        extensions=[
            x509.BasicConstraints(ca=True, path_length=None),
            x509.SubjectAlternativeName([x509.DNSName("broker.example")]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        ]
    )
    signed = x509.load_pem_x509_certificate(district.sign_request(asked, NOW).pem)
    found = {type(extension.value): extension.value for extension in signed.extensions}
    assert found[x509.BasicConstraints] == x509.BasicConstraints(ca=False, path_length=None)
    assert x509.SubjectAlternativeName not in found
    assert found[x509.ExtendedKeyUsage] == x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    assert signed.subject.rfc4514_string() == f"CN={OURS}"


@pytest.mark.parametrize(
    ("key", "good"),
    [
        (ec.generate_private_key(ec.SECP256R1()), True),
        (ec.generate_private_key(ec.SECP384R1()), True),
        (rsa.generate_private_key(65537, 2048), True),
        (ed25519.Ed25519PrivateKey.generate(), True),
        (ec.generate_private_key(ec.SECP192R1()), False),
        (ec.generate_private_key(ec.SECP256K1()), False),
        (rsa.generate_private_key(65537, 1024), False),  # noqa: S505  # to be refused
        (dsa.generate_private_key(1024), False),  # noqa: S505  # to be refused
    ],
    ids=["P-256", "P-384", "RSA 2048", "Ed25519", "P-192", "secp256k1", "RSA 1024", "DSA"],
)
def test_keys_that_last(key: Any, good: bool) -> None:
    """Without it a key that can be worked out would stand for a school for a year."""
    request = csr(key=key)
    if good:
        assert requests.read(request).name == OURS
    else:
        with pytest.raises(AuthorityError, match="the key must be"):
            requests.read(request)


def test_a_key_that_is_somebody_elses_is_refused() -> None:
    """Without it one could be certified for a public key that was only copied."""
    good, other = csr().splitlines(), csr().splitlines()
    spliced = b"\n".join([*good[:-2], other[-2], good[-1]])
    with pytest.raises(AuthorityError, match=r"not signed by its own key|no certificate request"):
        requests.read(spliced)


def test_a_huge_request_is_not_even_read() -> None:
    """Without it a megabyte of ASN.1 would keep the authority busy."""
    with pytest.raises(AuthorityError, match="at most 16384"):
        requests.read(csr() + b"\n" * requests.LARGEST)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_in_words(rubbish: bytes) -> None:
    """Without it a stranger's bytes could end in a traceback, and a 500."""
    with pytest.raises(AuthorityError):
        requests.read(rubbish)


def test_a_request_that_its_own_key_did_not_sign_is_refused() -> None:
    """Without it somebody could have another's public key certified under a name of his own."""
    honest = x509.load_pem_x509_csr(csr())
    body = bytearray(honest.public_bytes(serialization.Encoding.DER))
    at = body.index(b"qd-sn-0042")
    body[at : at + 10] = b"qd-sn-0043"
    label = "CERTIFICATE REQUEST"
    text = base64.encodebytes(body).decode("ascii")
    forged = f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode("ascii")
    with pytest.raises(AuthorityError, match="not signed by its own key"):
        requests.read(forged)
