"""From a request as typed to a checked draft: authority, holders, fields, validity."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from elicense.catalogue.values import canonical, check_date, check_text, refuse
from elicense.errors import InvalidLicenceData, NotAuthorised
from elicense.identifiers import check_credit_code, check_region, check_resident_id
from elicense.model import BEIJING, FieldValue, Holder, IssueRequest, IssuingAuthority, LicenceDraft, Validity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.catalogue.types import LicenceType


def make_draft(
    licence_type: LicenceType,
    request: IssueRequest,
    authority: IssuingAuthority,
    *joint: IssuingAuthority,
    at: datetime,
    verify_base: str,
) -> LicenceDraft:
    """Return the request, checked by the type's rules and made canonical.

    Args and Raises: as `Catalogue.draft`, but for the unknown type.
    """
    _require_asked(licence_type, request, (authority, *joint))
    _require_authority(licence_type, authority, "authority")
    for number, one in enumerate(joint, 1):
        _require_authority(licence_type, one, f"joint_authorities.{number}")
    issued_on = _issued_on(request, at)
    fields = _fields(licence_type, request.fields, issued_on)
    case_number = request.case_number
    return LicenceDraft(
        type=licence_type.slug,
        type_code=licence_type.type_code,
        type_name=licence_type.name_zh,
        category=licence_type.category,
        authority=authority,
        holders=_holders(licence_type, request.holders, issued_on),
        issued_on=issued_on,
        validity=_validity(licence_type, request, fields, issued_on),
        fields=fields,
        labels={
            spec.name: {"zh": words.zh, "en": words.en}
            for spec in licence_type.fields
            if spec.choices and (words := spec.choices.get(str(fields.get(spec.name))))
        },
        verify_base=_verify_base(verify_base),
        case_number=None if case_number is None else check_text(case_number, "case_number", most=40),
        joint_authorities=joint,
    )


def _require_asked(
    licence_type: LicenceType, request: IssueRequest, authorities: tuple[IssuingAuthority, ...]
) -> None:
    """Return if these are the authorities asked and may be so many. Raises NotAuthorised, InvalidLicenceData."""
    codes = tuple(authority.code for authority in authorities)
    if codes != (request.authority_code, *request.joint_authority_codes):
        raise NotAuthorised(
            "the request names another authority: send it to the authority whose credit code it bears",
            "申请中的颁发机构与本机构不一致，请向申请所载机构提出",
            field="authority_code",
        )
    if len(set(codes)) != len(codes):
        refuse(
            "joint_authority_codes",
            "the same authority stands twice: delete one",
            "联合发文机关重复，请删除",
        )
    if len(codes) > licence_type.most_authorities:
        most = licence_type.most_authorities
        refuse(
            "joint_authority_codes",
            f"{licence_type.name_en} is issued by at most {most}, not by {len(codes)}: leave authorities out",
            f"{licence_type.name_zh}的发文机关最多{most}个，现有{len(codes)}个，请减少",
        )


def _require_authority(licence_type: LicenceType, authority: IssuingAuthority, where: str) -> None:
    """Return if `authority` may issue the type and its data are sound. Raises NotAuthorised, InvalidLicenceData."""
    if authority.level not in licence_type.definition.issuing_levels:
        levels = ", ".join(licence_type.definition.issuing_levels)
        raise NotAuthorised(
            f"an authority at {authority.level} level may not issue {licence_type.name_en}, only {levels}",
            f"该级别机构（{authority.level}）无权颁发{licence_type.name_zh}，仅限：{levels}",
            field=f"{where}.level",
        )
    _check_authority(authority, where)


@lru_cache(maxsize=1024)
def _check_authority(authority: IssuingAuthority, where: str) -> None:
    """Return if the authority's data are sound, looked at once for the same. Raises InvalidLicenceData."""
    check_credit_code(authority.code, f"{where}.code")
    check_region(authority.region, f"{where}.region")
    check_text(authority.name, f"{where}.name", least=2, most=60)
    check_text(authority.place, f"{where}.place", most=20)
    check_text(authority.prefix, f"{where}.prefix", most=20)


def _issued_on(request: IssueRequest, at: datetime) -> date:
    if at.tzinfo is None:
        raise TypeError("`at` must carry its time zone")
    today = at.astimezone(BEIJING).date()
    if request.issued_on is None:
        return today
    day = check_date(request.issued_on, "issued_on")
    if day > today:
        refuse("issued_on", "the date of issue lies in the future: wait for that day", "颁发日期不得晚于今日")
    return day


def _fields(licence_type: LicenceType, given: Mapping[str, object], issued_on: date) -> dict[str, FieldValue]:
    """Return all given fields in canonical form, in the type's order. Raises InvalidLicenceData."""
    known = licence_type.definition.field_names
    if not known.issuperset(given):
        unknown = sorted(str(name) for name in given if name not in known)
        refuse(
            unknown[0][:60],
            f"{licence_type.name_en} has no such field: take it out or correct its name",
            f"{licence_type.name_zh}没有此项，请删除或更正名称",
        )
    fields: dict[str, FieldValue] = {}
    for spec in licence_type.fields:
        value = given.get(spec.name)
        if value is None or value in ("", [], ()):
            if spec.required:
                refuse(spec.name, f"fill in {spec.en}", f"请填写{spec.zh}")
            continue
        fields[spec.name] = canonical(spec, value, on=issued_on)
    _require_date_order(licence_type, fields, issued_on)
    return fields


def _require_date_order(licence_type: LicenceType, fields: Mapping[str, FieldValue], issued_on: date) -> None:
    for spec in licence_type.fields:
        if spec.not_after is None or spec.name not in fields:
            continue
        latest = issued_on.isoformat() if spec.not_after == "issued_on" else fields.get(spec.not_after)
        # Days are compared when one side has no time of day.
        if latest is not None and _order(fields[spec.name], latest):
            refuse(
                spec.name,
                f"{spec.en} may not be later than {spec.not_after}",
                f"{spec.zh}不得晚于{spec.not_after}",
            )


def _order(first: FieldValue, second: FieldValue) -> bool:
    """Return True if the first date or moment is later than the second, as far as both are known."""
    a, b = str(first), str(second)
    length = min(len(a), len(b))
    return a[:length] > b[:length]


def _holders(licence_type: LicenceType, holders: tuple[Holder, ...], issued_on: date) -> tuple[Holder, ...]:
    """Return the holders with canonical codes. Raises InvalidLicenceData."""
    most = licence_type.definition.max_holders
    if not 1 <= len(holders) <= most:
        en, zh = ("exactly 1 holder is", "1个") if most == 1 else (f"1 to {most} holders are", f"1至{most}个")
        refuse(
            "holders", f"{en} allowed here, not {len(holders)}: correct the list", f"持证主体应为{zh}：请更正"
        )
    checked = tuple(_holder(licence_type, holder, n, issued_on) for n, holder in enumerate(holders, 1))
    if len({(holder.code_kind, holder.code) for holder in checked}) != len(checked):
        refuse("holders", "the same holder stands twice: delete one", "持证主体重复，请删除")
    return checked


def _holder(licence_type: LicenceType, holder: Holder, position: int, issued_on: date) -> Holder:
    where = f"holders.{position}"
    kinds = licence_type.definition.holder_kinds
    if holder.code_kind not in kinds:
        refuse(
            f"{where}.code_kind",
            f"this kind of holder is not allowed, only {', '.join(kinds)}",
            f"不允许此类持证主体代码类型，仅限{'、'.join(kinds)}",
        )
    name = check_text(holder.name, f"{where}.name", least=2, most=60)
    code = check_text(holder.code, f"{where}.code", most=30)
    if holder.code_kind == "001":
        code = check_credit_code(code, f"{where}.code")
    elif holder.code_kind == "111":
        code = check_resident_id(code, f"{where}.code", on=issued_on)
    elif not re.fullmatch(r"[0-9A-Za-z()（）\u4e00-\u9fff-]{2,30}", code):
        refuse(
            f"{where}.code",
            "a document number has 2 to 30 letters and digits",
            "证件号码应为2至30位字母和数字",
        )
    return Holder(name=name, code_kind=holder.code_kind, code=code)


def _validity(
    licence_type: LicenceType, request: IssueRequest, fields: Mapping[str, FieldValue], issued_on: date
) -> Validity:
    """Return first and last day by the type's rule. Raises InvalidLicenceData."""
    rule = licence_type.definition.validity
    start, end = request.valid_from, request.valid_until
    if end is not None and rule.kind != "request":
        refuse(
            "valid_until", "the type's rule sets the last day: leave it out", "截止日期由规则确定，请勿填写"
        )
    if start is not None and rule.kind == "fields":
        refuse(
            "valid_from", "the type's rule sets the first day: leave it out", "起始日期由规则确定，请勿填写"
        )
    start = issued_on if start is None else check_date(start, "valid_from")
    if rule.kind == "fields":
        start = _field_date(fields, rule.start) or start
        end = _field_date(fields, rule.until)
    elif rule.years is not None:
        end = _anniversary(start, rule.years) - timedelta(days=1)
    elif end is not None:
        end = check_date(end, "valid_until")
    if end is not None and end < start:
        refuse(
            rule.until or "valid_until",
            "the last day of validity lies before the first: correct the dates",
            "有效期截止日期早于起始日期，请更正",
        )
    return Validity(start=start, end=end)


def _field_date(fields: Mapping[str, FieldValue], name: str | None) -> date | None:
    value = fields.get(name) if name else None
    return date.fromisoformat(str(value)[:10]) if value else None


def _anniversary(day: date, years: int) -> date:
    """Return the same day `years` later; for 29 February in a common year, 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


@lru_cache(maxsize=64)
def _verify_base(text: str) -> str:
    """Return the address if it may stand before an identifier. Raises InvalidLicenceData."""
    if not re.fullmatch(r"https?://[!-~]{1,180}[/=]", text):
        raise InvalidLicenceData(
            "the checking address begins with http:// or https:// and ends with / or =: correct the setting",
            "查验地址应以http://或https://开头、以/或=结尾，请更正设置",
            field="verify_base",
        )
    return text
