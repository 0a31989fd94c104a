"""EU DSS looks at every vector: it passes all that we pass, and docs/second-opinion.md says where it passes more."""

from __future__ import annotations

import pytest
from second_opinion import lists, opinions, told

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """Both verdicts on every vector."""
    return opinions(tmp_path_factory.mktemp("vectors"))


def test_dss_passes_every_honest_vector(every):
    """What we call authentic, DSS calls TOTAL_PASSED."""
    honest = [one for one in every if one.ours == "TOTAL_PASSED"]
    assert honest
    assert [one for one in honest if one.theirs != "TOTAL_PASSED"] == []


def test_the_page_tells_every_difference(every):
    """The lists of docs/second-opinion.md are exactly what came out, no vector more and none less."""
    assert told() == lists(every)
