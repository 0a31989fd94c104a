"""Signatures taken apart and put together by asn1crypto, another hand than the one that makes them."""

from __future__ import annotations

from asn1crypto import cms


def signature_value(der: bytes) -> bytes:
    """Return the raw signature inside a CMS with one signer."""
    return bytes(_signer_info(cms.ContentInfo.load(der))["signature"].native)


def with_timestamp(der: bytes, token: bytes) -> bytes:
    """Return the CMS with a timestamp (DER of a token) as its only unsigned attribute."""
    content = cms.ContentInfo.load(der)
    attribute = cms.CMSAttribute(
        {"type": "signature_time_stamp_token", "values": [cms.ContentInfo.load(token)]}
    )
    _signer_info(content)["unsigned_attrs"] = cms.CMSAttributes([attribute])
    return bytes(content.dump())


def _signer_info(content: cms.ContentInfo) -> cms.SignerInfo:
    return content["content"]["signer_infos"][0]
