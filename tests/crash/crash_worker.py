"""What runs in the process that is killed: one issue on SQLite and files, ended by SIGKILL at a chosen point."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from sqlalchemy import Engine, event

from elicense.issuing import issue
from elicense.registry.files import FileStore
from elicense.registry.sql import SqlRegistry
from tests.support import demonstration
from tests.support.demonstration import AT, entropy

KEY = "the request"


def office(home):
    """Return the demonstration's office with register and store of its own under `home`."""
    registry = SqlRegistry(home / "register.sqlite", entropy=entropy())
    return demonstration.office(registry=registry, store=FileStore(home / "documents"))


def request():
    """Return the request that every process makes."""
    return demonstration.request(idempotency_key=KEY)


def die():
    """End at once, as after `kill -9`: no clean-up of any kind runs."""
    os.kill(os.getpid(), signal.SIGKILL)


class Countdown:
    """Ends the process just before its n-th call."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        """Count one call."""
        self.left -= 1
        if self.left <= 0:
            die()


def die_after_step(step):
    """Return an on_step that ends the process when `step` was passed."""

    def on_step(passed):
        if passed.value == step:
            die()

    return on_step


def die_before_statement(calls):
    """From now on, the process ends before its n-th SQL statement or end of transaction."""
    count = Countdown(calls)
    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, lambda *_: count())


def die_before_write(calls):
    """From now on, the process ends before its n-th write, fsync or rename of a document."""
    count = Countdown(calls)
    real_open, real_fsync, real_replace, real_mkdir = os.open, os.fsync, Path.replace, Path.mkdir

    def counted(real):
        def call(*args, **kwargs):
            count()
            return real(*args, **kwargs)

        return call

    os.open, os.fsync = counted(real_open), counted(real_fsync)
    Path.replace, Path.mkdir = counted(real_replace), counted(real_mkdir)


def run(home, kind, point):
    """Issue one licence and die at `point` of `kind`; return if the process gets through."""
    of = office(home)
    on_step = die_after_step(point) if kind == "step" else lambda _: None
    if kind == "statement":
        die_before_statement(point)
    if kind == "write":
        die_before_write(point)
    issue(request(), of, at=AT, on_step=on_step)
