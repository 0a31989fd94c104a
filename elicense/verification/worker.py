"""The process that reads untrusted documents: limits first, then one job after the other until the pipe closes.

A job is a pickle from the parent (its own data, trusted); the answer is JSON (never a pickle: see facts.py).
Started by sandbox.py; not meant to be run by hand.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import resource
import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from elicense.verification.digests import Digests
from elicense.verification.document import read_facts
from elicense.verification.facts import MEMORY_EXIT, Facts, facts_to_json
from elicense.verification.forms import form_of
from elicense.verification.handing import Taker, whole
from elicense.verification.policy import LICENCE
from elicense.verification.shown import compare

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.trust import TrustStore
    from elicense.verification.digests import Known
    from elicense.verification.handing import Octets
    from elicense.verification.structure import Structure

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_OPEN_FILES = 32


def main(descriptor: int, settings: str) -> None:
    """Serve jobs on the connection `descriptor` until the parent closes it.

    Args:
        descriptor: File descriptor of one end of a duplex connection.
        settings: JSON object with `memory` (bytes of address space) and `cpu` (seconds a job may use).
    """
    limits = json.loads(settings)
    isolated = leave_network()
    connection = Connection(descriptor)
    cpu = int(limits["cpu"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (int(limits["memory"]), int(limits["memory"])))
    connection.send_bytes(json.dumps({"isolated": isolated}).encode("ascii"))
    taker = Taker(connection)
    trust: TrustStore | None = None
    while True:
        try:
            kind, sent = pickle.loads(connection.recv_bytes())  # noqa: S301 - from the parent, never from a document
        except EOFError:
            return
        if kind == "trust":
            trust = sent
        elif kind == "difference":
            _limit_cpu(cpu)
            connection.send_bytes(_compare(taker, sent))
            # A native reader has seen the document: whatever it did to this process ends here.
            return
        elif trust is None:
            raise RuntimeError("a document came before the trust store")
        else:
            _limit_cpu(cpu)
            connection.send_bytes(_serve(taker, trust, *sent))


def _serve(taker: Taker, trust: TrustStore, at: datetime, policy: str, digests: Known) -> bytes:
    """Return the answer about the document that comes next."""
    try:
        data = taker.take_over()
        if policy == LICENCE:
            data = whole(data)
    except MemoryError:
        # Part of the document is still in the pipe, so nothing more can be said over it.
        os._exit(MEMORY_EXIT)
    return answer(data, trust, at, policy, Digests(data, digests))


def _compare(taker: Taker, end: int) -> bytes:
    """Return how the text of the document that comes next differs from that of its first `end` bytes."""
    try:
        return compare(whole(taker.take_over()), end)
    except MemoryError:
        os._exit(MEMORY_EXIT)


def answer(
    data: Octets, trust: TrustStore, at: datetime, policy: str = LICENCE, digests: Digests | None = None
) -> bytes:
    """Return the document's facts as JSON; whatever a parser raises becomes a fact, too."""
    structure: Structure | None = None
    # The only place that catches everything: the bytes are hostile and the answer must not be "no answer".
    try:
        structure = form_of(policy).structure(data)
        return facts_to_json(read_facts(data, structure, trust, at, policy=policy, digests=digests))
    except MemoryError:
        structure = None
        return facts_to_json(Facts(len(data), (), traces=True, limit="memory"))
    except Exception:  # noqa: BLE001
        findings = structure.findings if structure else ()
        return facts_to_json(Facts(len(data), findings, traces=True, crashed=True))


def _limit_cpu(seconds: int) -> None:
    """From now on the process may use `seconds` more of CPU time; the limit counts from its start."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def leave_network() -> bool:
    """Return whether the process could move to a network namespace of its own, in which nothing can be reached.

    Needs unprivileged user namespaces; where the system forbids them, the process stays in the network and
    only the absence of any fetching code keeps it from using it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and libc.unshare(_CLONE_NEWNET) == 0:
        return True
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
