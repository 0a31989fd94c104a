"""Who is calling: a bearer token names a department, a department may act for certain authorities."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense.errors import ConfigurationError, NotAuthorised
from service.problems import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = "elicense/departments/1"
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Department:
    """One caller of the service."""

    name: str
    """Unique; part of every idempotency key, so that no department can meet another's."""
    token_sha256: str
    """SHA-256 of the bearer token, hex. A token is 32 random bytes, so a plain hash cannot be searched."""
    authorities: frozenset[str]
    """Credit codes of the authorities it issues for and whose licences it may read."""

    def require(self, authority_code: str) -> None:
        """Return if this department may issue for the authority. Raises NotAuthorised otherwise."""
        if authority_code not in self.authorities:
            raise NotAuthorised(
                "your department may not issue for this authority: check authority_code",
                "贵单位无权代该颁发机构签发证照：请核对 authority_code",
                field="authority_code",
            )


class Departments:
    """All departments, found by token in time that does not depend on the token."""

    def __init__(self, departments: Iterable[Department]) -> None:
        self._departments = tuple(departments)

    def by_token(self, token: str) -> Department:
        """Return the department whose token this is. Raises Unauthenticated if there is none."""
        digest = digest_of(token)
        found = [known for known in self._departments if hmac.compare_digest(known.token_sha256, digest)]
        if not found:
            raise Unauthenticated(
                "this access token is not known: check the token your department was given",
                "访问令牌无效：请核对贵单位的令牌",
            )
        return found[0]


def digest_of(token: str) -> str:
    """Return what is stored instead of the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def bearer_token(header: str | None) -> str:
    """Return the token of an Authorization header. Raises Unauthenticated if there is none.

    Source: RFC 6750, 2.1.
    """
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "send your department's token in the header `Authorization: Bearer …`",
            "请在 Authorization 请求头中提供贵单位的 Bearer 令牌",
        )
    return token.strip()


def load_departments(path: Path) -> Departments:
    """Return the departments written in a file of schema elicense/departments/1.

    Raises ConfigurationError if it is missing or not of that shape.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        departments = [
            Department(str(one["name"]), str(one["token_sha256"]), frozenset(map(str, one["authorities"])))
            for one in content["departments"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"the departments file {path} cannot be read: {type(error).__name__}",
            f"无法读取部门文件 {path}：{type(error).__name__}",
        ) from error
    digests = {one.token_sha256 for one in departments}
    names = {one.name for one in departments}
    # A name stands before a slash in every idempotency key: with one of its own it could meet another's.
    malformed = any(len(digest) != 64 for digest in digests) or any("/" in name for name in names)
    if content.get("schema") != SCHEMA or malformed or not len(digests) == len(names) == len(departments):
        raise ConfigurationError(
            f"the departments file {path} must be of schema {SCHEMA}, with unique names and tokens, "
            "and no slash in a name",
            f"部门文件 {path} 应符合 {SCHEMA}，名称与令牌不得重复，名称不得含斜杠",
        )
    return Departments(departments)


def demo_token(path: Path) -> str:
    """Return the token kept in `path`, made first if there is none; only its owner can read the file.

    Raises ConfigurationError if the file holds no usable token.
    """
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
    token = path.read_text("ascii", "replace").strip()
    if len(token) < TOKEN_BYTES:
        raise ConfigurationError(
            f"the token file {path} is damaged: delete it and start again for a new token",
            f"令牌文件 {path} 已损坏：请删除后重新启动以生成新令牌",
        )
    return token
