"""Bad input costs little and surprises nobody: a verdict in time, within memory, for every file under every policy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.sandbox import MEMORY, WALL_SECONDS, Sandbox
from tests.attacks import bad_input
from tests.vectors.registry import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARGIN = 5.0
"""Seconds that a busy machine may add to the sandbox's own limit."""
HONEST = {"archive-timestamps-fifty", "seals-as-many-as-may-be", "array-of-a-million-references"}
"""Large, but nothing is wrong with them."""
NAMED = {
    "empty": "TOTAL_FAILED/FORMAT_FAILURE",
    "not-a-pdf": "TOTAL_FAILED/FORMAT_FAILURE",
    "password-protected": "INDETERMINATE/UNSIGNED",
    "password-protected-and-signed": "INDETERMINATE/SIG_CONSTRAINTS_FAILURE",
    "revisions-ten-thousand": "INDETERMINATE/LIMIT_REACHED",
    "page-bomb": "INDETERMINATE/LIMIT_REACHED",
    "font-map-that-inflates": "INDETERMINATE/LIMIT_REACHED",
    "digest-algorithm-unknown": "INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE",
    "signature-algorithm-unknown": "INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE",
    "rsa-modulus-negative": "INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND",
    "second-signer": "INDETERMINATE/SIG_CONSTRAINTS_FAILURE",
    "signed-data-nested-without-end": "TOTAL_FAILED/FORMAT_FAILURE",
}
"""What is wrong with these has its own name: a limit, an encryption, an algorithm, a broken certificate."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One warm sandbox with one worker."""
    with Sandbox() as opened:
        yield opened


@pytest.mark.parametrize("policy", bad_input.POLICIES)
@pytest.mark.parametrize("name", bad_input.FILES)
def test_bad_input_gets_a_verdict_in_bounds(name: str, policy: str, sandbox: Sandbox) -> None:
    """Fifteen seconds and a gigabyte are enough for any file; what is wrong has its name, no surprise."""
    cost = bad_input.measure(name, policy, sandbox)
    assert cost.seconds < WALL_SECONDS + MARGIN
    assert cost.memory < MEMORY >> 20
    assert cost.reason != "format.unreadable"
    if policy == "licence" and name not in HONEST:
        assert not cost.verdict.startswith("TOTAL_PASSED"), cost
        assert cost.verdict == NAMED.get(name, cost.verdict)


# --- Cost grows as the file does ---

TIMES = 4
"""How many times more revisions or signatures the larger file has."""
TOLERANCE = 2.5
"""A quadratic reader would need sixteen times as long for four times as much; a linear one stays below ten."""


def _cpu(data: bytes, policy: str, times: int = 3) -> float:
    """Return the processor time of one verification in this process, the least of three."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        verify(data, trust=bad_input.everybody(), at=NOW, policy=policy, sandbox=InProcess())
        spent.append(time.process_time() - begun)
    return min(spent)


@pytest.mark.parametrize(
    ("make", "count", "policy"),
    [
        (bad_input.revisions, 1500, "general"),
        (bad_input.archived, 12, "licence"),
        (bad_input.archived, 12, "general"),
        (bad_input.seals, 4, "licence"),
        (bad_input.signatures, 10, "general"),
        (bad_input.pages, 5000, "general"),
    ],
)
def test_cost_grows_as_revisions_and_signatures_do(
    make: Callable[[int], bytes], count: int, policy: str
) -> None:
    """Four times as many cost about four times as much processor time, not sixteen times."""
    small, large = make(count), make(TIMES * count)
    # What a first call costs once (tables, imports) belongs to neither.
    _cpu(small, policy, times=1)
    assert _cpu(large, policy) < TIMES * TOLERANCE * _cpu(small, policy)
