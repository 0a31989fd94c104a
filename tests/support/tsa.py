"""A timestamp authority for tests: tokens made here, served on loopback, well or badly."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from asn1crypto import cms, core, tsp, x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.pki import AT, tsa_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from elicense.pki.throwaway import Identity


def make_token(
    digest: bytes,
    algorithm: str,
    *,
    identity: Identity | None = None,
    at: datetime = AT,
    nonce: int | None = None,
) -> cms.ContentInfo:
    """Return a token over `digest` with the time `at`, signed by `identity` (ECDSA P-256)."""
    identity = identity or tsa_identity()
    info = {
        "version": "v1",
        "policy": "1.3.6.1.4.1.13762.3",
        "message_imprint": {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": digest},
        "serial_number": int.from_bytes(hashlib.sha256(digest).digest()[:8]),
        "gen_time": at,
    }
    if nonce is not None:
        info["nonce"] = nonce
    content = tsp.TSTInfo(info).dump()
    certificate = x509.Certificate.load(identity.certificate.public_bytes(Encoding.DER))
    ess = tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(certificate.dump()).digest()}]})
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
            {"type": "signing_certificate_v2", "values": [ess]},
        ]
    )
    signer_info = {
        "version": "v1",
        "sid": {
            "issuer_and_serial_number": {
                "issuer": certificate.issuer,
                "serial_number": certificate.serial_number,
            }
        },
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": identity.signer().sign(attributes.dump()),
    }
    chain = [x509.Certificate.load(c.public_bytes(Encoding.DER)) for c in identity.chain]
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content)},
        "certificates": [certificate, *chain],
        "signer_infos": [signer_info],
    }
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})


def answer(request: bytes, *, identity: Identity | None = None, at: datetime = AT) -> bytes:
    """Return a correct answer to an RFC 3161 request."""
    question = tsp.TimeStampReq.load(request)
    imprint = question["message_imprint"]
    token = make_token(
        imprint["hashed_message"].native,
        imprint["hash_algorithm"]["algorithm"].native,
        identity=identity,
        at=at,
        nonce=question["nonce"].native,
    )
    return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()


@dataclass
class DirectTsa:
    """A timestamp authority without a network in between; keeps count of its tokens."""

    at: datetime = AT
    identity: Identity | None = None
    token_size: int = 8192
    asked: int = 0

    def stamp(self, digest: bytes, algorithm: str) -> bytes:
        """Return a token over `digest`."""
        self.asked += 1
        return make_token(digest, algorithm, identity=self.identity, at=self.at).dump()


@contextmanager
def serving(
    reply: Callable[[bytes], bytes],
    *,
    status: int = 200,
    content_type: str = "application/timestamp-reply",
    delay: float = 0.0,
    location: str = "",
) -> Iterator[str]:
    """Serve `reply` on loopback; `delay` seconds pass before every byte of the answer. Yields the address."""
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = reply(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            try:
                if not delay:
                    self.wfile.write(body)
                    return
                for byte in body:
                    if stopped.wait(delay):
                        return
                    self.wfile.write(bytes([byte]))
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
