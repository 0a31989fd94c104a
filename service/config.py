"""Settings of the service: frozen, checked once at start, so that no request meets a wrong one."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from elicense.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MEBIBYTE = 1024 * 1024
TOKEN_FILE = "token"  # noqa: S105 - a file's name
"""The demonstration's bearer token, in its folder."""


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator may choose."""

    demo_folder: Path
    """Folder made by `elicense demo`: its throw-away authorities, keys, trust, register and documents."""
    port: int = 8000
    """TCP port; the address is always 127.0.0.1, a reverse proxy brings the outside in."""
    trusted_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Host names this service answers to, without port; any other Host header is refused."""
    upload_limit: int = 10 * MEBIBYTE
    """Largest file POST /verifications and the page look at, bytes; above it the answer is INDETERMINATE."""
    body_limit: int = MEBIBYTE
    """Largest request body elsewhere, bytes."""
    workers: int = field(default_factory=processors)
    """Processes, 1 to 64, each of which serves one request at a time; by default one for each processor."""

    def __post_init__(self) -> None:
        _require(
            self.demo_folder.is_dir(),
            f"there is no demo folder at {self.demo_folder}: make it with `elicense demo`",
            f"演示目录 {self.demo_folder} 不存在：请先运行 elicense demo",
        )
        _require(1 <= self.port <= 65535, "the port must be 1 to 65535", "端口号应为 1 至 65535")
        _require(
            bool(self.trusted_hosts) and all(self.trusted_hosts),
            "name at least one trusted host: an empty list would accept any Host header",
            "至少列出一个受信任的主机名：空列表会接受任何 Host 头",
        )
        _require(
            64 * 1024 <= self.upload_limit <= 256 * MEBIBYTE,
            "the upload limit must be 64 KiB to 256 MiB",
            "上传上限应为 64 KiB 至 256 MiB",
        )
        _require(
            4096 <= self.body_limit <= 16 * MEBIBYTE,
            "the body limit must be 4 KiB to 16 MiB",
            "请求体上限应为 4 KiB 至 16 MiB",
        )
        _require(1 <= self.workers <= 64, "workers must be 1 to 64", "工作进程数应为 1 至 64")


def read_settings(demo_folder: Path, port: int, environ: Mapping[str, str]) -> Settings:
    """Return the settings of the command line and the environment together.

    ELICENSE_TRUSTED_HOSTS (separated by commas), ELICENSE_UPLOAD_LIMIT and ELICENSE_BODY_LIMIT (bytes) and
    ELICENSE_WORKERS override the defaults. Raises ConfigurationError when one of them makes no sense.
    """
    chosen: dict[str, Any] = {}
    for name in ("upload_limit", "body_limit", "workers"):
        variable = f"ELICENSE_{name.upper()}"
        if text := environ.get(variable):
            _require(
                text.isascii() and text.isdecimal(),
                f"{variable} must be a whole number",
                f"{variable} 应为整数",
            )
            chosen[name] = int(text)
    hosts = environ.get("ELICENSE_TRUSTED_HOSTS")
    if hosts is not None:
        chosen["trusted_hosts"] = tuple(host.strip() for host in hosts.split(","))
    return Settings(demo_folder, port, **chosen)


def log_to_stderr() -> None:
    """What the service's processes log goes to standard error, each line with its process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")


def _require(condition: bool, en: str, zh: str) -> None:
    if not condition:
        raise ConfigurationError(en, zh)
