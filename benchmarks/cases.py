"""Licences to ask for, no two alike: the samples of the types with other names, places, codes and items in them.

What one number gives is always the same, so that every side prints the same words under the same number.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.content import Content, content_of
from elicense.identifiers import CREDIT_CODE_ALPHABET, credit_code_check, organisation_code_check
from elicense.model import Holder
from elicense.registry.rules import new_licence

if TYPE_CHECKING:
    from datetime import datetime

    from elicense import IssueRequest, IssuingOffice, Licence

FOOD = "food-business-licence"
"""The type that decides."""
CERTIFICATE = "real-estate-certificate"
"""Four pages, a parcel's plan, a seal across their edges."""
APPROVAL = "approval-document"
"""Five pages of running text and a table."""

COMMON = "".join(
    bytes((lead, trail)).decode("gb2312")
    for lead in range(0xB0, 0xD8)
    for trail in range(0xA1, 0xFF)
    if (lead, trail) <= (0xD7, 0xF9)
)
"""The 3,755 characters of the first level of GB 2312-80, which names and addresses are made of."""
_INVENTED = re.compile("样例|示例|样板|测试|示范")
"""What stands for a proper name in the samples."""
_ITEMS = (
    "热食类食品制售", "冷食类食品制售（含凉菜，不含生食类食品）", "生食类食品制售", "半成品制售", "散装酒销售",
    "自制饮品制售（不含使用压力容器制作饮品）", "糕点类食品制售（不含裱花蛋糕）", "现制现售饮用水",
    "预包装食品销售（含冷藏冷冻食品）", "散装食品销售（含熟食，不含冷藏冷冻食品）", "特殊食品销售（保健食品）",
    "婴幼儿配方乳粉销售",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One licence, as each side is asked for it."""

    request: IssueRequest
    """For ours."""
    licence: Licence
    """What it comes to, under a number and an identifier of its own: the peers have neither register nor counter."""
    content: Content
    """For the peers: its words, ready to be set."""


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of one type."""

    office: IssuingOffice
    """Where ours is issued."""
    slug: str
    """The type."""
    at: datetime
    """One moment for all."""

    def request(self, number: int) -> IssueRequest:
        """Return the request of this number."""
        chance = random.Random(f"{self.slug} {number}")  # noqa: S311 - to be repeated, not to be secret
        sample = self.office.catalogue[self.slug].sample_request()
        fields = {name: _varied(value, chance) for name, value in sample.fields.items()}
        if self.slug == FOOD:
            fields["items"] = "；".join(chance.sample(_ITEMS, 5)) + "。"
            fields["legal_representative"] = _name(chance, 3)
        holders = tuple(_holder(holder, chance) for holder in sample.holders)
        return replace(sample, fields=fields, holders=holders, case_number=f"990100-2026-{number:09d}")

    def case(self, number: int) -> Case:
        """Return the case of this number."""
        request = self.request(number)
        licence_type = self.office.catalogue[self.slug]
        keeper = next(one for one in self.office.keepers if one.authority.code == request.authority_code)
        draft = self.office.catalogue.draft(
            request, keeper.authority, at=self.at, verify_base=self.office.verify_base
        )
        licence = new_licence(draft, number=licence_type.number(draft, number % 9999 + 1), at=self.at)
        return Case(request, licence, content_of(licence, licence_type))


def _varied(value: object, chance: random.Random) -> object:
    """Return a field's value with every invented proper name exchanged for another as long."""
    if isinstance(value, str):
        return _INVENTED.sub(lambda found: _name(chance, len(found[0])), value)
    if isinstance(value, (list, tuple)):
        return [_varied(item, chance) for item in value]
    return value


def _holder(holder: Holder, chance: random.Random) -> Holder:
    code = holder.code
    if holder.code_kind == "001":
        organisation = code[8:10] + "".join(chance.choices(CREDIT_CODE_ALPHABET, k=6))
        body = code[:8] + organisation + organisation_code_check(organisation)
        code = body + credit_code_check(body)
    return Holder(
        _INVENTED.sub(lambda found: _name(chance, len(found[0])), holder.name), holder.code_kind, code
    )


def _name(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(COMMON, k=length))
