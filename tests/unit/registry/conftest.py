"""Every kind of register, empty."""

from __future__ import annotations

import pytest

from elicense.registry.memory import MemoryRegistry
from elicense.registry.sql import SqlRegistry


@pytest.fixture(params=["memory", "sql"])
def registry(request, tmp_path):
    """Each kind of register, empty."""
    if request.param == "memory":
        yield MemoryRegistry()
        return
    register = SqlRegistry(tmp_path / "register.sqlite")
    yield register
    register.close()
