"""A timestamp token: who says that something existed when. Source: RFC 3161, 2.4.2; RFC 5816 (not read for this)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense.verification import der
from elicense.verification.cms import DIGESTS, TIMESTAMP_INFO, CmsError, SignedData, read_signed_data

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose content has the digest that was signed; signature and authority are not yet verified."""

    signed: SignedData
    """The authority's signed data."""
    time: datetime
    """The moment it states, UTC."""
    digest: str
    """hashlib name of the imprint's digest."""
    imprint: bytes
    """Digest of what was stamped."""

    def stamps(self, data: bytes) -> bool:
        """Return whether this is a timestamp of `data`."""
        return hashlib.new(self.digest, data).digest() == self.imprint


def read_token(data: bytes) -> Token:
    """Return the token. Raises CmsError or DerError if it is none, or its content was changed."""
    signed = read_signed_data(data, TIMESTAMP_INFO)
    content = signed.content or b""
    if hashlib.new(signed.digest, content).digest() != signed.message_digest:
        raise CmsError("cms.unreadable", "the timestamp's content was changed")
    try:
        version, _policy, imprint, _serial, moment, *_ = der.children(
            content, der.whole(content, der.SEQUENCE)
        )
        algorithm, digest = der.children(content, imprint)
    except ValueError as error:
        raise CmsError("cms.unreadable", "not a timestamp") from error
    name = DIGESTS.get(der.oid(content, der.children(content, algorithm)[0]))
    if der.integer(content, version) != 1 or name is None:
        raise CmsError("cms.algorithm", "timestamp version or digest algorithm not accepted")
    time = der.generalized_time(content, moment)
    return Token(signed, time, name, der.content(content, digest, der.OCTET_STRING))
