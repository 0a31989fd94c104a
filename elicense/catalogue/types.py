"""The catalogue: licence types by name, and the one way from a request to a checked draft."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Self

from elicense.catalogue.definition import TypeDefinition, load_model
from elicense.catalogue.drafting import make_draft
from elicense.errors import InvalidTemplate, UnknownLicenceType
from elicense.model import AuthorityLevel, Holder, IssueRequest, IssuingAuthority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from elicense.catalogue.definition import FieldSpec
    from elicense.catalogue.numbers import NumberFormat
    from elicense.model import DocumentCategory, LicenceDraft


@dataclass(frozen=True, slots=True)
class LicenceType:
    """A licence type: its definition, its folder and what follows from both."""

    slug: str
    """Name of its folder."""
    definition: TypeDefinition
    """Its `type.yaml`."""
    folder: Path
    """Where its files lie."""
    digest: str
    """SHA-256 (hex) over names and contents of all files of the folder: changes when anything changes."""
    number_format: NumberFormat
    """How its numbers are formed."""
    sample: Mapping[str, object]
    """Its `sample.json`: an invented authority and request."""

    @property
    def name_zh(self) -> str:
        """证照类型名称."""
        return self.definition.name.zh

    @property
    def name_en(self) -> str:
        """Its name in English."""
        return self.definition.name.en

    @property
    def type_code(self) -> str:
        """证照类型代码."""
        return self.definition.type_code

    @property
    def category(self) -> DocumentCategory:
        """Licence or approval document."""
        return self.definition.category

    @property
    def fields(self) -> tuple[FieldSpec, ...]:
        """Its fields, in the order of the file."""
        return self.definition.fields

    @property
    def seal_use(self) -> str:
        """印章用途 that it needs."""
        return self.definition.seal.use

    @property
    def most_authorities(self) -> int:
        """How many authorities may issue one document together; 1 unless the type may be joint."""
        joint = self.definition.seal.joint
        return 1 if joint is None else joint.max

    @property
    def page_width(self) -> float:
        """Width of a page as turned, mm."""
        return self.definition.page.extent[0]

    @property
    def page_height(self) -> float:
        """Height of a page as turned, mm."""
        return self.definition.page.extent[1]

    def field(self, name: str) -> FieldSpec:
        """Return the field of that name. Raises KeyError if there is none."""
        for spec in self.fields:
            if spec.name == name:
                return spec
        raise KeyError(name)

    def number(self, draft: LicenceDraft, sequence: int) -> str:
        """Return the printed number of the `sequence`-th licence of its authority, type and year.

        Raises:
            InvalidLicenceData: the number format has no room for the sequence or a value.
        """
        return self.number_format.number(draft, sequence)

    def sample_authority(self) -> IssuingAuthority:
        """Return the invented authority of the sample."""
        return _authority(self.sample["authority"])

    def sample_joint_authorities(self) -> tuple[IssuingAuthority, ...]:
        """Return the invented authorities that issue the sample together with the main one, in sealing order."""
        found = self.sample.get("joint_authorities", ())
        return tuple(_authority(body) for body in found)  # type: ignore[attr-defined]

    def require_unchanged(self) -> None:
        """Return if the folder holds what was read from it. Raises InvalidTemplate if it changed since.

        What is made of files read at different times would bear a digest that is true of none of them.
        """
        if _folder_digest(self.folder) != self.digest:
            raise InvalidTemplate(
                f"the files of {self.slug} changed since they were read: load the licence types again "
                "(the service: SIGHUP)",
                f"证照类型 {self.slug} 的文件在读取后发生了变化：请重新加载证照类型（服务进程：SIGHUP）",
                field=self.slug,
            )

    def sample_request(self) -> IssueRequest:
        """Return the invented request of the sample."""
        body = dict(self.sample["request"])  # type: ignore[call-overload]
        return IssueRequest(
            type=self.slug,
            authority_code=self.sample_authority().code,
            holders=tuple(Holder(**holder) for holder in body["holders"]),
            fields=body["fields"],
            issued_on=_day(body.get("issued_on")),
            valid_from=_day(body.get("valid_from")),
            valid_until=_day(body.get("valid_until")),
            case_number=body.get("case_number"),
            joint_authority_codes=tuple(authority.code for authority in self.sample_joint_authorities()),
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All licence types of one folder."""

    types: tuple[LicenceType, ...]
    """Sorted by folder name."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the types in the subfolders of `folder` that hold a `type.yaml`.

        Raises:
            InvalidTemplate: there is none, a file is wrong (the error names it), or two share a type code.
        """
        found = tuple(load_type(path.parent) for path in sorted(folder.glob("*/type.yaml")))
        if not found:
            raise InvalidTemplate(
                "no licence type found: name a folder whose subfolders hold a type.yaml",
                "未找到任何证照类型：请指定其子文件夹内有 type.yaml 的文件夹",
                field=folder.name,
            )
        codes = [licence_type.type_code for licence_type in found]
        if doubled := {code for code in codes if codes.count(code) > 1}:
            raise InvalidTemplate(
                f"two licence types have the type code {min(doubled)}: give each its own",
                f"有两个证照类型使用同一证照类型代码{min(doubled)}，请分别编码",
                field="type_code",
            )
        return cls(found)

    def __getitem__(self, slug: str) -> LicenceType:
        """Return the type of that name. Raises UnknownLicenceType."""
        for licence_type in self.types:
            if licence_type.slug == slug:
                return licence_type
        names = ", ".join(licence_type.slug for licence_type in self.types)
        raise UnknownLicenceType(
            f"there is no licence type of this name: choose one of {names}",
            f"没有该证照类型，可选：{names}",
            field="type",
        )

    def draft(
        self,
        request: IssueRequest,
        authority: IssuingAuthority,
        *joint: IssuingAuthority,
        at: datetime,
        verify_base: str,
    ) -> LicenceDraft:
        """Return the request, checked and made canonical.

        Args:
            request: what a clerk asks for.
            authority: who would issue it.
            joint: who would issue it together with that one, in the order of sealing.
            at: moment of the request, aware; its day in Beijing is the date of issue unless one is given.
            verify_base: address that checks a licence when its identifier is appended.

        Raises:
            UnknownLicenceType: no such type.
            NotAuthorised: an authority's level may not issue the type, or the request names another one.
            InvalidLicenceData: a value is missing, unknown or does not conform; `field` names it.
        """
        return make_draft(self[request.type], request, authority, *joint, at=at, verify_base=verify_base)


def load_type(folder: Path) -> LicenceType:
    """Return the licence type that lies in `folder`.

    Raises:
        InvalidTemplate: a file is missing or wrong; the error names it.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,59}", folder.name):
        raise InvalidTemplate(
            f"the folder {folder.name!r} has to be renamed: small letters, digits and hyphens",
            f"文件夹“{folder.name}”须改名：只用小写字母、数字和连字符",
            field=folder.name,
        )
    definition = load_model(folder / "type.yaml", TypeDefinition)
    return LicenceType(
        slug=folder.name,
        definition=definition,
        folder=folder,
        digest=_folder_digest(folder),
        number_format=definition.number.parsed(),
        sample=_sample(folder / "sample.json"),
    )


def templates_folder() -> Path:
    """Return the folder of the shipped licence types: in the package if installed, else beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    # Hidden files are locks and leftovers of office programs, not part of the type.
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sample(path: Path) -> dict[str, object]:
    shown = f"{path.parent.name}/{path.name}"
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidTemplate(f"{shown}: {error}", f"{shown}：{error}", field=shown) from error
    if not isinstance(content, dict) or not {"authority", "request"} <= content.keys():
        raise InvalidTemplate(
            f"{shown}: it needs the keys authority and request",
            f"{shown}：须有authority和request",
            field=shown,
        )
    return content


def _authority(body: object) -> IssuingAuthority:
    values = dict(body)  # type: ignore[call-overload]
    return IssuingAuthority(**(values | {"level": AuthorityLevel(values["level"])}))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
