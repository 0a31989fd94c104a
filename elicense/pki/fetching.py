"""Questions over HTTP with every bound set: one request, no redirect, no retry, so many bytes, so much time."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

_GRACE_SECONDS = 0.5
"""How long after its own timeout the network thread is waited for; a name look-up knows no timeout."""


class FetchError(Exception):
    """There is no usable answer; `en` and `zh` say why, and what of the address was asked."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


@dataclass(frozen=True, slots=True)
class Question:
    """One request."""

    url: str
    """Where to ask, http or https."""
    limit: int
    """Bytes of the longest answer that is read."""
    timeout_seconds: float
    """Whole time allowed, name look-up and connection included."""
    body: bytes | None = None
    """What to post; None gets."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with it."""
    content_type: str = ""
    """What the answer must say it is; empty takes any."""


def fetch(question: Question) -> bytes:
    """Return the answer's body. Raises FetchError when there is none in time, whatever the network does."""
    answer: Future[bytes] = Future()

    def ask() -> None:
        try:
            answer.set_result(asyncio.run(_exchange(question)))
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits
            answer.set_exception(error)

    threading.Thread(target=ask, name="fetch", daemon=True).start()
    try:
        return answer.result(question.timeout_seconds + _GRACE_SECONDS)
    except TimeoutError as error:
        seconds = f"{question.timeout_seconds:g}"
        raise FetchError(f"no answer within {seconds} seconds", f"{seconds} 秒内未应答") from error
    except (aiohttp.ClientError, OSError) as error:
        kind = type(error).__name__
        raise FetchError(
            f"cannot be reached ({kind}); check the address", f"无法连接（{kind}），请检查地址"
        ) from error


async def _exchange(question: Question) -> bytes:
    method = "GET" if question.body is None else "POST"
    timeout = aiohttp.ClientTimeout(total=question.timeout_seconds)
    async with (
        aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
        session.request(
            method, question.url, data=question.body, headers=dict(question.headers), allow_redirects=False
        ) as response,
    ):
        if response.status != 200:
            raise FetchError(f"the HTTP status is {response.status}", f"HTTP 状态码为 {response.status}")
        if question.content_type and response.content_type != question.content_type:
            kind = question.content_type.partition("/")[2]
            raise FetchError(f"the answer is not of type {kind}", f"应答类型不是 {kind}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(16384):
            body += chunk
            if len(body) > question.limit:
                limit = question.limit
                raise FetchError(f"the answer is longer than {limit} bytes", f"应答长度超过 {limit} 字节")
        return bytes(body)
