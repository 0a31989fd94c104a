"""What runs in the process that is killed: an issue, or a group, on SQLite and files, ended by SIGKILL at a point."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, event

from elicense.issuing import issue
from elicense.issuing.group import issue_group
from elicense.registry import flushing
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


def group():
    """Return the group that every process makes: the second of its four requests cannot be printed."""
    addresses = ("样板路1号", "样板路\U000323af号", "样板路3号", "样板路4号")
    return [
        replace(demonstration.request_with(domicile=text), idempotency_key=f"{KEY} {n}")
        for n, text in enumerate(addresses)
    ]


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
    if flushing.SYNCFS is not None:
        flushing.SYNCFS = counted(flushing.SYNCFS)
    Path.replace, Path.mkdir = counted(real_replace), counted(real_mkdir)


def run(home, kind, point, *, grouped=False):
    """Issue one licence or the group and die at `point` of `kind`; return if the process gets through."""
    of = office(home)
    on_step = die_after_step(point) if kind == "step" else lambda _: None
    if kind == "statement":
        die_before_statement(point)
    if kind == "write":
        die_before_write(point)
    if grouped:
        issue_group(group(), of, at=AT, on_step=on_step)
    else:
        issue(request(), of, at=AT, on_step=on_step)
