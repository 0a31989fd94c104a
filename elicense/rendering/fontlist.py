"""The list of font files as data: fonts.toml of the project, changed by the operator's own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elicense.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class StandIn:
    """A role for which no file of the real style is installed."""

    role: str
    """The role, e.g. fangsong."""
    zh: str
    """What is used instead, in Chinese."""
    en: str
    """What is used instead, in English."""


@dataclass(frozen=True, slots=True)
class FaceSpec:
    """One font file as fonts.toml declares it."""

    name: str
    """Key in fonts.toml."""
    path: Path
    """The file."""
    sha256: str
    """Digest the file must have, hex."""
    index: int = 0
    """Number of the face in a collection file."""
    serif: bool = False
    """Stated in the font descriptor."""
    licence: str = ""
    """Licence in short."""
    source: str = ""
    """Where the file comes from."""
    version: str = ""
    """Version of the original."""


@dataclass(frozen=True, slots=True)
class FontList:
    """What all fonts.toml together say."""

    faces: tuple[FaceSpec, ...]
    """All faces; a face's index is its place here."""
    chains: Mapping[str, tuple[int, ...]]
    """Role -> indices of the faces asked in turn for a character."""
    stand_ins: tuple[StandIn, ...]
    """Roles whose real style is not installed."""


def read_font_list(folder: Path, extra: Path | None = None) -> FontList:
    """Return the fonts that `folder` declares, changed by the operator's folder `extra`.

    Raises:
        ConfigurationError: a fonts.toml is missing or wrong.
    """
    config = _read_config(folder)
    faces = _read_faces(folder, config)
    roles: dict[str, dict[str, Any]] = dict(config.get("roles", {}))
    fallback: list[str] = list(config.get("fallback", []))
    if extra is not None:
        more = _read_config(extra)
        faces |= _read_faces(extra, more)
        roles |= more.get("roles", {})
        fallback += more.get("fallback", [])
    order = {name: index for index, name in enumerate(faces)}
    chains: dict[str, tuple[int, ...]] = {}
    for role, entry in roles.items():
        names = list(dict.fromkeys([*entry.get("faces", []), *fallback]))
        unknown = [name for name in names if name not in order]
        if unknown or not names:
            raise ConfigurationError(
                f"fonts.toml: role {role} must list declared faces; undeclared: {', '.join(unknown) or '-'}.",
                f"fonts.toml：角色 {role} 须列出已声明的字体；未声明：{'、'.join(unknown) or '无'}。",
            )
        chains[role] = tuple(order[name] for name in names)
    stand_ins = tuple(
        StandIn(role, entry["stands_in"]["zh"], entry["stands_in"]["en"])
        for role, entry in roles.items()
        if "stands_in" in entry
    )
    return FontList(tuple(faces.values()), chains, stand_ins)


def _read_config(folder: Path) -> dict[str, Any]:
    """Return a folder's fonts.toml. Raises ConfigurationError if it cannot be read."""
    path = folder / "fonts.toml"
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"The font list {path} cannot be read: {error}.", f"无法读取字体清单 {path}：{error}。"
        ) from error
    if config.get("schema") != 1:
        raise ConfigurationError(
            f"The font list {path} must say schema = 1.", f"字体清单 {path} 必须写明 schema = 1。"
        )
    return config


def _read_faces(folder: Path, config: Mapping[str, Any]) -> dict[str, FaceSpec]:
    """Return the faces a folder declares, in order. Raises ConfigurationError if one lacks file or sha256."""
    faces: dict[str, FaceSpec] = {}
    for name, entry in config.get("faces", {}).items():
        try:
            faces[name] = FaceSpec(
                name=name,
                path=folder / entry["file"],
                sha256=entry["sha256"].lower(),
                index=entry.get("index", 0),
                serif=entry.get("serif", False),
                licence=entry.get("licence", ""),
                source=entry.get("source", ""),
                version=entry.get("version", ""),
            )
        except KeyError as error:
            raise ConfigurationError(
                f"{folder}/fonts.toml: the face {name} lacks {error}.",
                f"{folder}/fonts.toml：字体 {name} 缺少 {error}。",
            ) from error
    return faces
