"""Fetching revocation data for a trust register: only from its sources, only what is checked, never backwards."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from elicense.cli import run
from elicense.errors import ConfigurationError
from elicense.pki import refresh as module
from elicense.pki.keys import fingerprint
from elicense.pki.refresh import Outcome, refresh
from elicense.pki.throwaway import make_pki
from elicense.pki.trust import TrustEntry, TrustSource, dump_register, load_sources, load_trust
from tests.support.ocsp import answer, delegate
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER, pki, seal_identity

DAY = timedelta(days=1)
LEAF = seal_identity().certificate
ISSUER = pki().issuing.certificate
PEM = Encoding.PEM


class Site:
    """What a loopback server offers: path -> bytes, and what it was asked."""

    def __init__(self):
        self.pages, self.asked, self.moved = {}, [], {}
        self.url = ""


@contextmanager
def serving():
    """Yield a running site."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(site.pages.get(self.path))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            page = site.pages.get(self.path)
            self.answer(page(body) if callable(page) else page)

        def answer(self, body):
            site.asked.append(self.path)
            moved = site.moved.get(self.path)
            self.send_response(302 if moved else 200 if body is not None else 404)
            if moved:
                self.send_header("Location", moved)
            kind = "application/ocsp-response" if self.path.startswith("/ocsp") else "application/pkix-crl"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def site():
    """A running site."""
    with serving() as running:
        yield running


def list_of(at, **changes):
    """Return the issuing authority's list of that moment."""
    return pki().with_crls(at=at, days=7, **changes).crls[1]


def write(folder, site, *, with_ocsp=False, until=AT + 300 * DAY, issuer=ISSUER):
    """Write a register with one source and return its path."""
    pki().write(folder)
    (folder / "crls.pem").write_bytes(pki().crls[0].public_bytes(PEM))
    (folder / "seals.pem").write_bytes(LEAF.public_bytes(PEM))
    entry = TrustEntry(
        AUTHORITY_CODE, AUTHORITY, fingerprint(LEAF), SEAL_NUMBER, ("119900000000000000001",), AT - DAY, until
    )
    source = TrustSource(fingerprint(issuer), f"{site.url}/list", f"{site.url}/ocsp" if with_ocsp else "")
    text = dump_register(
        [entry], anchors=["anchors.pem"], intermediates=["intermediates.pem", "seals.pem"], crls=["crls.pem"],
        sources=[source],
    )  # fmt: skip
    path = folder / "register.json"
    path.write_text(text, encoding="utf-8")
    return path


def fetched(path):
    """Return the lists of the issuing authority that the register has now."""
    return [crl for crl in load_trust(path).crls if crl.issuer == ISSUER.subject]


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_current_list_is_fetched_and_used(tmp_path, site, encoding):
    """The list offered lies beside the register, and `load_trust` reads it; a second time it is already current."""
    path = write(tmp_path, site)
    assert load_sources(path) == (TrustSource(fingerprint(ISSUER), f"{site.url}/list"),)
    assert fetched(path) == []
    site.pages["/list"] = list_of(AT).public_bytes(encoding)
    (done,) = refresh(path, at=AT)
    assert (done.outcome, done.issuer) == (Outcome.REPLACED, fingerprint(ISSUER))
    assert [crl.last_update_utc for crl in fetched(path)] == [AT]
    assert [done.outcome for done in refresh(path, at=AT)] == [Outcome.CURRENT]
    assert site.asked == ["/list"] * 2


def test_a_newer_list_replaces_an_older_one_and_never_the_other_way(tmp_path, site):
    """The list of day 2 replaces that of day 1; offered again, the list of day 1 is refused and stays out."""
    path = write(tmp_path, site)
    for day, outcome, kept in ((1, "replaced", 1), (2, "replaced", 2), (1, "failed", 2)):
        site.pages["/list"] = list_of(AT + day * DAY).public_bytes(Encoding.DER)
        (done,) = refresh(path, at=AT + 2 * DAY)
        assert (done.outcome, [crl.last_update_utc for crl in fetched(path)]) == (outcome, [AT + kept * DAY])
    assert "older" in done.en


def test_a_list_that_alone_knows_the_expired_is_kept(tmp_path, site):
    """If a right ended between two lists the older one stays at hand beside the newer, each once."""
    path = write(tmp_path, site, until=AT + 1.5 * DAY)
    for day in (1, 2, 3):
        site.pages["/list"] = list_of(AT + day * DAY).public_bytes(Encoding.DER)
        refresh(path, at=AT + day * DAY)
    assert sorted(crl.last_update_utc for crl in fetched(path)) == [AT + DAY, AT + 3 * DAY]


TWIN = make_pki(at=AT)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: None, "404"),
        (lambda: b"", "no revocation list"),
        (lambda: b"<html>", "no revocation list"),
        (lambda: list_of(AT).public_bytes(Encoding.DER)[:-1], "no revocation list"),
        (lambda: TWIN.crls[1].public_bytes(Encoding.DER), "signed by its issuer"),
        (lambda: pki().crls[0].public_bytes(Encoding.DER), "signed by its issuer"),
        (lambda: list_of(AT - 30 * DAY).public_bytes(Encoding.DER), "not current"),
        (lambda: list_of(AT + DAY).public_bytes(Encoding.DER), "not current"),
        (lambda: bytes(70_000), "longer"),
    ],
)
def test_what_is_no_current_list_of_the_issuer_changes_nothing(tmp_path, site, monkeypatch, make, words):
    """Whatever else is offered, the file stays as it was and the reason is told."""
    monkeypatch.setattr(module, "LIST_LIMIT", 65_536)
    path = write(tmp_path, site)
    site.pages["/list"] = list_of(AT - DAY).public_bytes(Encoding.DER)
    refresh(path, at=AT)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    site.pages["/list"] = make()
    (done,) = refresh(path, at=AT)
    assert done.outcome is Outcome.FAILED
    assert words in done.en
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_redirects_are_not_followed(tmp_path, site):
    """A source that points elsewhere is refused, and elsewhere is never asked."""
    path = write(tmp_path, site)
    site.moved["/list"] = f"{site.url}/other"
    (done,) = refresh(path, at=AT)
    assert (done.outcome, site.asked) == (Outcome.FAILED, ["/list"])
    assert "302" in done.en


def test_a_source_of_an_unknown_issuer_is_not_asked(tmp_path, site):
    """Without the issuer's certificate in the register's files nothing could be checked, so nothing is fetched."""
    path = write(tmp_path, site, issuer=TWIN.issuing.certificate)
    (done,) = refresh(path, at=AT)
    assert (done.outcome, site.asked) == (Outcome.FAILED, [])


def test_answers_about_the_register_s_certificates_are_fetched(tmp_path, site):
    """The responder is asked about each certificate of that issuer at hand; its answer is read with the register."""
    path = write(tmp_path, site, with_ocsp=True)
    responder = delegate(pki())
    site.pages["/list"] = list_of(AT).public_bytes(Encoding.DER)
    site.pages["/ocsp"] = lambda body: (
        answer(LEAF, ISSUER, responder, AT)
        if ocsp.load_der_ocsp_request(body).serial_number == LEAF.serial_number
        else None
    )
    assert [done.outcome for done in refresh(path, at=AT)] == [Outcome.REPLACED] * 2
    (kept,) = load_trust(path).ocsps
    assert ocsp.load_der_ocsp_response(kept).serial_number == LEAF.serial_number
    assert site.asked == ["/list", "/ocsp"]
    for offered in (
        answer(LEAF, ISSUER, responder, AT - DAY),
        answer(ISSUER, pki().root.certificate, pki().root, AT),
        answer(LEAF, ISSUER, TWIN.issuing, AT),
        answer(LEAF, ISSUER, responder, AT - 30 * DAY),
        b"junk",
    ):
        site.pages["/ocsp"] = offered
        assert refresh(path, at=AT)[1].outcome is Outcome.FAILED
        assert load_trust(path).ocsps == (kept,)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "x"},
        {"crl": "file:///etc/passwd"},
        {"crl": "http://user@host/list"},
        {"ocsp": "ftp://host"},
        {"more": ""},
        {"crl": None},
    ],
)
def test_sources_of_another_form_are_refused(tmp_path, site, changes):
    """A source names an issuer by digest and http(s) addresses, nothing else."""
    path = write(tmp_path, site)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["sources"][0].update(changes)
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigurationError):
        refresh(path, at=AT)
    with pytest.raises(ConfigurationError):
        load_trust(path)


def test_the_command_says_what_it_did(tmp_path, site, monkeypatch, capsys):
    """`elicense trust refresh` prints one line a fetch and exits 0, or 1 if one failed."""
    monkeypatch.setattr("elicense.cli.trust.now", lambda: AT)
    path = write(tmp_path, site)
    site.pages["/list"] = list_of(AT).public_bytes(Encoding.DER)
    assert run(["trust", "refresh", str(path), "--lang", "en"]) == 0
    assert f"{site.url}/list: replaced" in capsys.readouterr().out
    site.pages["/list"] = b"junk"
    assert run(["trust", "refresh", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["outcome"] == "failed"
    assert run(["trust", "refresh", str(tmp_path / "none"), "--lang", "zh"]) == 2
