"""证照编号: how a type's format and a counter become the number that is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense.errors import InvalidLicenceData
from elicense.identifiers import DIGITS_AND_CAPITALS, mod_11_2, mod_11_10, mod_37_36

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.model import LicenceDraft

CHECKS: dict[str, tuple[str, Callable[[str], str]]] = {
    "iso7064-mod11-10": ("0123456789", mod_11_10),
    "iso7064-mod11-2": ("0123456789", mod_11_2),
    "iso7064-mod37-36": (DIGITS_AND_CAPITALS, mod_37_36),
}
"""Name -> the characters that take part, and the function that gives the check character."""

_PLACE = re.compile(r"\{([a-z][a-z0-9_.]*)(?::([1-9][0-9]?))?\}|[{}]")
_AUTHORITY = ("authority.region", "authority.place", "authority.prefix", "authority.code")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A number format, read; one counter value gives one number."""

    parts: tuple[str | tuple[str, int | None], ...]
    """Literal texts, and places as (name, width)."""
    check: str | None
    """Name of the check character's system."""

    @classmethod
    def parse(cls, template: str, check: str | None) -> NumberFormat:
        """Return the format written in `template`.

        Raises:
            ValueError: a place is malformed or unknown, `{check}` and `check` do not go together, or there is
                no `{sequence}` or no `{year}`: counters begin again each year, so a number without the year
                would come back.
        """
        parts: list[str | tuple[str, int | None]] = []
        end = 0
        for match in _PLACE.finditer(template):
            parts.append(template[end : match.start()])
            end = match.end()
            if match[1] is None:
                raise ValueError("the number format has a single brace")
            parts.append((match[1], int(match[2]) if match[2] else None))
        parts.append(template[end:])
        names = [part[0] for part in parts if isinstance(part, tuple)]
        if names.count("sequence") != 1 or "year" not in names:
            raise ValueError("the number format needs {sequence} once and {year}: counters restart each year")
        if names.count("check") != (0 if check is None else 1):
            raise ValueError("{check} in the format and the key `check` go together")
        if unknown := [name for name in names if "." in name and name not in _AUTHORITY]:
            raise ValueError(f"the number format knows no {unknown[0]}")
        return cls(tuple(part for part in parts if part), check)

    @property
    def fields(self) -> tuple[str, ...]:
        """The type's own fields that the number draws on."""
        names = (part[0] for part in self.parts if isinstance(part, tuple))
        return tuple(name for name in names if "." not in name and name not in {"sequence", "year", "check"})

    def number(self, draft: LicenceDraft, sequence: int) -> str:
        """Return the number of the `sequence`-th licence of its authority, type and year.

        Raises:
            InvalidLicenceData: the sequence or a value does not fit its width.
        """
        text = ""
        for part in self.parts:
            if isinstance(part, str):
                text += part
            elif part[0] == "check" and self.check is not None:
                alphabet, function = CHECKS[self.check]
                text += function("".join(character for character in text if character in alphabet))
            else:
                text += _value(part[0], part[1], draft, sequence)
        return text


def _value(name: str, width: int | None, draft: LicenceDraft, sequence: int) -> str:
    """Return what stands at one place, exactly `width` characters if given. Raises InvalidLicenceData."""
    if name == "sequence":
        value = str(sequence).zfill(width or 0)
    elif name == "year":
        value = str(draft.issued_on.year)[-(width or 4) :]
    elif name.startswith("authority."):
        value = str(getattr(draft.authority, name.removeprefix("authority.")))
    else:
        value = str(draft.fields[name])
    if width is not None and len(value) != width:
        raise InvalidLicenceData(
            f"{name} is {value}, but the number format has room for exactly {width} characters: "
            "change the format in the type's file",
            f"{name}为{value}，而编号格式只容纳{width}位，请修改证照类型文件中的编号格式",
            field=name,
        )
    return value
