"""No bytes make the verifier raise, and no changed licence passes: the saved corpus, Hypothesis, and atheris."""

from __future__ import annotations

import importlib.util
import random
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elicense.verification.policy import GENERAL, LICENCE
from elicense.verification.report import Indication
from tests.attacks.fuzz import mutated
from tests.fuzz.target import CORPUS, judge, load_corpus

ROOT = Path(__file__).resolve().parents[2]
SHORT = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
corpus = cache(load_corpus)


def test_the_corpus_is_small_and_its_honest_files_pass():
    """It stays under 300 kB; each honest file passes under the policy it was made for."""
    assert CORPUS.stat().st_size < 300_000
    assert len(corpus().honest) >= 5
    for name, data in corpus().files.items():
        if name.startswith("honest-"):
            policy = GENERAL if name.startswith("honest-general") else LICENCE
            assert judge(data, corpus())[policy].indication is Indication.TOTAL_PASSED, name


@pytest.mark.parametrize("name", sorted(corpus().files))
def test_saved_file(name):
    """A file that once led into a corner of the code gets a verdict under both policies."""
    assert set(judge(corpus().files[name], corpus())) == {LICENCE, GENERAL}


@SHORT
@given(st.integers(0, 2**32), st.integers(0, 100))
def test_damaged_honest_files_get_a_verdict(seed, which):
    """Whatever damage a seed does to an honest file, there is a verdict, and no changed licence passes."""
    honest = corpus().honest
    chance = random.Random(seed)  # noqa: S311 - reproducible damage, no secret
    judge(mutated(honest[which % len(honest)], chance), corpus())


@SHORT
@given(st.data())
def test_spliced_files_get_a_verdict(data):
    """So do two files put together from pieces, with bytes of any kind between them."""
    files = sorted(corpus().files.values())
    one, other = data.draw(st.sampled_from(files)), data.draw(st.sampled_from(files))
    cut, start = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    judge(one[:cut] + data.draw(st.binary(max_size=40)) + other[start:], corpus())


@SHORT
@given(st.binary(max_size=600))
def test_any_bytes_get_a_verdict(junk):
    """So do bytes that never were a PDF, alone and behind a header."""
    judge(junk, corpus())
    judge(b"%PDF-1.7\n" + junk, corpus())


def test_atheris_finds_nothing_in_a_short_run(tmp_path):
    """A few hundred coverage-guided inputs end without a finding (longer runs: see atheris_target.py)."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip(
            "atheris is not installed: it has wheels for few systems and is no dependency of the tests"
        )
    command = [
        sys.executable, "-m", "tests.fuzz.atheris_target", str(tmp_path), "-runs=300", "-max_total_time=60", "-seed=1",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert int(re.findall(r"Done (\d+) runs", done.stderr)[0]) > 0
