"""The one tree of errors: each class has a stable code, each error says in Chinese and English what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class ElicenseError(Exception):
    """Something the caller can act on went wrong; nothing is left half done behind it."""

    code: ClassVar[str] = "error"
    """Stable across releases; clients may match on it."""

    def __init__(self, en: str, zh: str, *, field: str | None = None) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh
        self.field = field

    def text(self, lang: str = "en") -> str:
        """Return the message in `lang` ("zh" or "en")."""
        return self.zh if lang == "zh" else self.en

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.en, self.zh, self.__dict__))


def _rebuild(kind: type[ElicenseError], en: str, zh: str, state: dict[str, object]) -> ElicenseError:
    """Unpickle an error that crossed a process border."""
    error = kind.__new__(kind)
    Exception.__init__(error, en)
    error.__dict__.update(state, en=en, zh=zh)
    return error


class InvalidLicenceData(ElicenseError):
    """A value does not conform to its type; `field` names it."""

    code = "invalid_licence_data"


class UnknownLicenceType(ElicenseError):
    """No such licence type in the catalogue."""

    code = "unknown_licence_type"


class InvalidTemplate(ElicenseError):
    """A licence type's own files are wrong; the operator must mend them."""

    code = "invalid_template"


class NotAuthorised(ElicenseError):
    """This authority, person or key may not do this."""

    code = "not_authorised"


class RenderingError(ElicenseError):
    """The page cannot be made as the template says (a character without a glyph, a value that does not fit)."""

    code = "rendering_error"


class PreflightFailed(ElicenseError):
    """The finished page differs from the licence; nothing was signed."""

    code = "preflight_failed"

    def __init__(self, en: str, zh: str, *, findings: Sequence[str] = (), field: str | None = None) -> None:
        super().__init__(en, zh, field=field)
        self.findings = tuple(findings)


class SealError(ElicenseError):
    """The seal is not usable: out of date, wrong holder, bad picture, text that does not fit."""

    code = "seal_error"


class SigningError(ElicenseError):
    """The signature could not be made."""

    code = "signing_error"


class KeyUnavailable(SigningError):
    """The private key cannot be opened: file, passphrase, token or PIN."""

    code = "key_unavailable"


class TimestampUnavailable(SigningError):
    """The timestamp authority did not answer, or answered with something unusable."""

    code = "timestamp_unavailable"


class CertificatePathError(ElicenseError):
    """No valid path from a certificate to a trust anchor at the asked moment."""

    code = "certificate_path_error"


class MalformedDocument(ElicenseError):
    """Bytes that are not a readable sealed document."""

    code = "malformed_document"


class ConfigurationError(ElicenseError):
    """A setting, a trust file or a start-up condition is wrong."""

    code = "configuration_error"


class InvalidSheet(ElicenseError):
    """A file of many requests cannot be used: its encoding, its form, or a column of its header."""

    code = "invalid_sheet"


class WorkerLost(ElicenseError):
    """A process that issues for a bulk run ended before its work, twice at the same rows."""

    code = "worker_lost"


class RegistryError(ElicenseError):
    """The register refused or failed."""

    code = "registry_error"


class LicenceNotFound(RegistryError):
    """The register has no such licence."""

    code = "licence_not_found"


class NumberTaken(RegistryError):
    """The number or identifier is already in use."""

    code = "number_taken"


class IllegalTransition(RegistryError):
    """The licence's state does not allow this step."""

    code = "illegal_transition"


class SealAwaited(IllegalTransition):
    """A joint document waits for the seal of an authority whose keeper is elsewhere; it is on record so far."""

    code = "seal_awaited"


class IdempotencyConflict(RegistryError):
    """The same idempotency key came with different content."""

    code = "idempotency_conflict"


class VerificationFailed(ElicenseError):
    """`report.require_passed()` was called on a report that is not TOTAL_PASSED; carries the report."""

    code = "verification_failed"

    def __init__(self, en: str, zh: str, *, report: object) -> None:
        super().__init__(en, zh)
        self.report = report
