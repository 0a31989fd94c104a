"""Chains of issuers: which are found, and what a crowd of certificates costs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.building import candidate_chains
from elicense.pki.evidence import Evidence
from elicense.pki.paths import PathStatus, find_path
from elicense.pki.throwaway import _name, _usage, make_key, make_pki
from elicense.pki.trust import TrustStore
from tests.support.ocsp import answer
from tests.support.pki import AT, pki, seal_identity, store

DAY = timedelta(days=1)
LEAF = seal_identity().certificate
ISSUER, ROOT = pki().issuing.certificate, pki().root.certificate


def certify(subject, key, issuer, issuer_key, *, until=AT + 300 * DAY, authority=True):
    """Return a certificate made by hand."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - 300 * DAY)
        .not_valid_after(until)
        .add_extension(
            _usage(digital_signature=True, key_cert_sign=authority, crl_sign=authority), critical=True
        )
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def test_chains_follow_signatures_from_the_leaf_to_an_anchor():
    """Of look-alikes, strangers and the true issuer only the true one is in a chain."""
    twin = make_pki(at=AT)
    pool = (twin.issuing.certificate, twin.root.certificate, ISSUER, LEAF, ROOT)
    assert list(candidate_chains(LEAF, pool, [ROOT])) == [(LEAF, ISSUER, ROOT)]
    assert list(candidate_chains(LEAF, pool, [twin.root.certificate])) == []
    assert list(candidate_chains(LEAF, pool, [ISSUER, ROOT])) == [(LEAF, ISSUER)]
    assert list(candidate_chains(LEAF, pool, [LEAF])) == [(LEAF,)]


def test_another_way_to_the_anchor_is_tried():
    """If the first chain has expired, a cross-certificate for the same authority gives the path."""
    other = make_key()
    name = _name("交叉根", "示例")
    anchor = certify(name, other, name, other)
    cross = certify(ISSUER.subject, pki().issuing.key, name, other)
    old = certify(ISSUER.subject, pki().issuing.key, name, other, until=AT - DAY)
    lists = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name)
        .last_update(AT - 2 * DAY)
        .next_update(AT + DAY)
        .sign(other, hashes.SHA256())
    )
    trust = replace(store(), anchors=(anchor,), crls=(*store().crls, lists))
    assert find_path(LEAF, (old,), trust, AT).status is PathStatus.EXPIRED
    result = find_path(LEAF, (old, cross), trust, AT)
    assert result.status is PathStatus.VALID
    assert result.certificates[1] == cross.public_bytes(Encoding.DER)


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("have", ["RAB", "RA", "RB", "AB", "R", "A", "B", ""])
def test_each_certificate_needs_a_list_of_its_own_issuer(have, answered):
    """On a path of three authorities a list of one says nothing about what another issued, OCSP at hand or not."""
    keys = {name: make_key() for name in "RABL"}
    names = {name: _name(name, "示例") for name in keys}
    root = certify(names["R"], keys["R"], names["R"], keys["R"])
    upper = certify(names["A"], keys["A"], names["R"], keys["R"])
    lower = certify(names["B"], keys["B"], names["A"], keys["A"])
    leaf = certify(names["L"], keys["L"], names["B"], keys["B"], authority=False)
    lists = tuple(
        x509.CertificateRevocationListBuilder()
        .issuer_name(names[name])
        .last_update(AT)
        .next_update(AT + DAY)
        .sign(keys[name], hashes.SHA256())
        for name in have
    )
    # An answer of somebody else, so that lists are looked at one by one.
    ocsps = (answer(LEAF, ISSUER, pki().issuing, AT),) if answered else ()
    trust = TrustStore((root,), crls=lists, ocsps=ocsps)
    expected = PathStatus.VALID if have == "RAB" else PathStatus.NO_REVOCATION_DATA
    assert find_path(leaf, (upper, lower), trust, AT).status is expected


@pytest.mark.parametrize("below_the_anchor", [False, True])
def test_a_crowd_of_one_name_costs_no_time(below_the_anchor):
    """Two hundred certificates of one name that all certify each other are no path, within two seconds."""
    name = ROOT.subject if below_the_anchor else _name("人群", "示例")
    keys = [make_key() for _ in range(15)]
    crowd = [certify(name, key, name, other) for key in keys for other in keys if key is not other][:200]
    leaf = certify(_name("leaf", "示例"), make_key(), name, keys[0], authority=False)
    evidence = Evidence(tuple(one.public_bytes(Encoding.DER) for one in crowd))
    trust = replace(store(), intermediates=tuple(crowd))
    begin = time.perf_counter()
    assert find_path(leaf, crowd[:16], store(), AT).status is PathStatus.NO_ANCHOR
    assert find_path(leaf, (), store(), AT, evidence=evidence).status is PathStatus.NO_ANCHOR
    assert find_path(leaf, (), trust, AT).status is PathStatus.NO_ANCHOR
    assert time.perf_counter() - begin < 2
