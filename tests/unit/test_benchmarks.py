"""The machinery of the benchmarks: who is timed, who is refused before, and what is printed. Nothing is timed here."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import issue, verify
from benchmarks.cases import APPROVAL, CERTIFICATE, FOOD, Cases
from benchmarks.checks import (
    confirmed,
    flat,
    passes,
    require_good,
    require_ours,
    spoilt,
    texts,
    words_of,
)
from benchmarks.content import Text
from benchmarks.means import Means
from benchmarks.measure import Ratio, Side, compare, cpu_seconds, race
from benchmarks.page import draw
from benchmarks.plain import draw_widget
from benchmarks.tuned import LoadedSigner, TemplateSigner
from elicense.issuing import issue as issue_licence
from elicense.verification.known import PROCESS
from tests.support.demonstration import AT

KEYS = {"name", "ratio", "spread", "rounds", "ours", "peer", "unit", "at_least", "aim", "met"}


def ticks(step: float = 1.0):
    """Return a clock that moves by `step` whenever it is read."""
    numbers = itertools.count()
    return lambda: next(numbers) * step


@pytest.fixture(scope="module")
def means(tmp_path_factory):
    """An office and its peers' files."""
    return Means.build(tmp_path_factory.mktemp("means"), at=AT)


def test_all_sides_run_in_every_round_in_turn_forwards_and_backwards():
    """No side always runs first, and no input comes twice."""
    ran = []
    sides = {name: Side(lambda number, name=name: ran.append((name, number)), times=2) for name in "ab"}
    found = race(sides, rounds=2, clock=ticks())
    assert [len(figures) for figures in found.values()] == [2, 2]
    # A round of each to warm up, then a b, then b a.
    assert [name for name, _ in ran[::2]] == ["a", "b", "a", "b", "b", "a"]
    for name in "ab":
        assert [number for one, number in ran if one == name] == list(range(6))


def test_a_round_is_as_long_as_the_floor_asks():
    """A side of one second a run, asked for seven seconds, runs at least so often."""
    runs = []
    seconds = 0.0

    def run(number):
        nonlocal seconds
        seconds += 1.0
        runs.append(number)

    race({"ours": Side(run)}, rounds=0, clock=lambda: seconds, floor=7.0)
    settled = len(runs)
    seconds = 0.0
    figures = race({"ours": Side(run)}, rounds=1, clock=lambda: seconds, floor=7.0)
    assert figures == {"ours": (1.0,)}
    assert len(runs) - 2 * settled >= 7


def test_a_wrong_output_ends_the_race():
    """A side whose check fails is not counted, not even while it warms up."""

    def check(inputs, outputs):
        assert outputs == [2 * number for number in inputs], "wrong"

    assert race({"right": Side(lambda number: 2 * number, check=check, times=3)}, rounds=1)
    with pytest.raises(AssertionError, match="wrong"):
        race({"wrong": Side(lambda _: 1, check=check, times=3)}, rounds=1)


def test_a_metric_is_the_median_of_the_ratios_round_by_round():
    """Neither the ratio of the medians nor a mean: a round in which both sides were slow counts like any other."""
    ratio = Ratio.of("a", [1.0, 10.0, 2.0], [8.0, 90.0, 14.0], at_least=8, aim=9)
    assert (ratio.ratio, ratio.rounds, ratio.ours, ratio.peer) == (8.0, 3, 2.0, 14.0)
    assert ratio.spread == 2.0
    assert ratio.met
    assert not replace(ratio, at_least=8.1).met
    assert replace(ratio, at_least=None).met is None
    assert Ratio.of("a", [0.0], [1.0]).ratio == math.inf


def test_a_bound_is_a_ratio_of_at_least_one():
    """What may be at most 2 and should be at most 0.5 is met at 2 and reaches its aim at four."""
    assert Ratio.within("a", 2.0, [2.0], aim=0.5).met
    assert not Ratio.within("a", 2.0, [2.1], aim=0.5).met
    assert Ratio.within("a", 2.0, [2.0], aim=0.5).aim == 4.0


def test_two_functions_are_compared_on_any_clock():
    """Each gets the numbers of its runs; the slower peer gives the larger ratio."""
    seconds = 0.0

    def takes(duration):
        def run(_):
            nonlocal seconds
            seconds += duration

        return run

    ratio = compare("a", takes(1), takes(5), rounds=3, per_round=(4, 2), clock=lambda: seconds, at_least=4)
    assert (ratio.ratio, ratio.spread, ratio.rounds) == (5.0, 0.0, 3)


def test_json_has_the_keys_and_the_table_marks_what_is_below(monkeypatch, capsys):
    """One object a line; on paper a figure under its bound cannot be overlooked, nor one that reaches its aim."""
    rows = [
        Ratio.of("slow", [1.0], [2.0], at_least=3, aim=4),
        Ratio.of("fast", [1e-5], [2.0], at_least=3, aim=4),
        Ratio.of("beside", [1.0], [2.0], unit="MB"),
    ]
    monkeypatch.setattr(issue, "run", lambda *_: rows)
    command.main(["issue", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [KEYS] * 3
    assert [line["met"] for line in lines] == [False, True, None]
    command.main(["issue", "--rounds", "1"])
    said = capsys.readouterr().out
    assert said.startswith("Python ")
    assert "cryptography " in said
    assert [line.split("[")[1].split(":")[0] for line in said.splitlines() if "[" in line] == [
        "BELOW",
        "aim reached",
    ]
    assert "ours 10 µs" in said
    assert "ours 1 MB" in said


def test_only_parts_of_the_table_may_be_asked_for(monkeypatch, capsys):
    """A part that does not exist is refused by name; one that does is handed on."""
    with pytest.raises(SystemExit):
        command.main(["verify", "--only", "nothing"])
    assert ", ".join(verify.PARTS) in capsys.readouterr().err
    asked = []
    monkeypatch.setattr(verify, "run", lambda rounds, only: asked.append((rounds, only)) or [])
    command.main(["verify", "--only", "many", "--rounds", "2"])
    assert asked == [(2, ["many"])]


def test_no_two_cases_are_alike_and_each_can_be_made_again(means):
    """The same number gives the same request on every side; another number gives other names, and all may be issued."""
    for slug in (FOOD, CERTIFICATE, APPROVAL):
        cases = Cases(means.office, slug, AT)
        requests = [cases.request(number) for number in range(20)]
        assert requests == [cases.request(number) for number in range(20)]
        assert len({str(request.fields) for request in requests}) == 20
        assert all(cases.case(number).licence.type == slug for number in range(20))


@pytest.mark.parametrize("slug", [FOOD, CERTIFICATE, APPROVAL])
def test_all_sides_make_right_documents_of_the_same_words(means, slug):
    """Ours, plain and tuned pass the checks, and the peers print every value that ours prints."""
    case = Cases(means.office, slug, AT).case(1)
    issued = issue_licence(case.request, means.fresh(), at=AT)
    require_ours(issued.pdf, issued.record.licence, means.office, at=AT)
    words = words_of(case.licence, means.office.catalogue[slug])
    assert {FOOD: 14, CERTIFICATE: 30, APPROVAL: 50}[slug] <= len(words)
    for pipeline in (means.plain(slug), means.tuned(slug)):
        pdf = pipeline.issue(case.content)
        require_good(pdf, means.office.trust.anchors, words=words, link=case.content.link)


def test_a_side_that_makes_a_wrong_document_is_refused_before_it_is_timed(means):
    """No signature, a value missing, another QR code, another signer: the line says which, and does not begin."""
    line = issue.Line.of(means, FOOD, AT)
    plain, other = means.plain(FOOD), means.plain(APPROVAL)
    elsewhere = Means.build(means.folder / "elsewhere", at=AT).plain(FOOD)

    def unsigned(case):
        return draw(case.content, draw_widget).pdf

    def shorter(case):
        rows = {label: value for label, value in case.content.rows.items() if label != "住所"}
        return plain.issue(replace(case.content, rows=rows))

    def astray(case):
        return plain.issue(replace(case.content, link=case.content.link + "0"))

    def foreign(case):
        return elsewhere.issue(case.content)

    wrong = {"pyHanko": unsigned, "does not find": shorter, "QR code": astray, "trusted": foreign}
    for said, side in wrong.items():
        with pytest.raises(AssertionError, match=said):
            line.require_good(side)
    line.require_good(lambda case: other.issue(case.content))


def test_a_document_of_ours_that_is_not_what_it_should_be_is_refused(means):
    """Another licence's document is noticed by its data; a spoilt one by the verifier, wherever the bit was."""
    cases = Cases(means.office, FOOD, AT)
    one, two = (issue_licence(cases.request(number), means.office, at=AT) for number in (1, 2))
    with pytest.raises(AssertionError, match="another licence"):
        require_ours(one.pdf, two.record.licence, means.office, at=AT)
    bad = spoilt(one.pdf)
    assert {"prefix", "embedded data", "signature", "trailer", "last stream"} < set(bad)
    for spoilt_pdf in bad.values():
        assert sum(a != b for a, b in zip(spoilt_pdf, one.pdf, strict=True)) == 1


def test_a_confirmation_goes_the_full_road(means):
    """Where the verifier knows the document's kind, a confirmation does not profit from it; a spoilt one fails both."""
    office = means.fresh()
    cases = Cases(office, FOOD, AT)
    # The first teaches the process what the kind looks like, if nobody did before.
    _, pdf = (issue_licence(cases.request(number), office, at=AT).pdf for number in (3, 4))
    before = PROCESS.roads.copy()
    assert confirmed(pdf, office, at=AT)
    assert PROCESS.roads == before
    assert passes(pdf, office, at=AT)
    assert sum((PROCESS.roads - before).values()) == 1
    for bad in spoilt(pdf).values():
        assert not confirmed(bad, office, at=AT)


def test_the_tuned_signature_is_pyhankos(means):
    """Put together from parts, the CMS is byte for byte what pyHanko builds with the same deterministic key."""
    files = means.with_rsa(FOOD, at=AT).files(FOOD)
    del files["seal_pdf"]
    tuned, whole = TemplateSigner(**files), LoadedSigner(**files)
    for digest in (bytes(range(32)), bytes([255] * 32)):
        assert tuned.assemble(digest) == whole.build(digest).dump()


def test_a_long_text_runs_over_pages(means):
    """The plain flow loses no line where a page ends."""
    content = Cases(means.office, APPROVAL, AT).case(1).content
    text = "".join(chr(0x4E00 + number) for number in range(3000))
    pdf = draw(replace(content, pieces=(Text(text, 20),)), draw_widget).pdf
    assert all(found == flat(text) for found in texts(pdf).values())


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="only Linux says so of a living child")
def test_a_thread_that_ends_while_time_is_counted_disturbs_nothing(monkeypatch):
    """A living child's CPU time counts; a file of proc that is gone when it is read counts as nothing."""
    burn = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        alone = cpu_seconds()
        listed = Path.glob
        gone = Path("/proc/0/task/0/children"), Path("/proc/0/task/0/schedstat")
        monkeypatch.setattr(Path, "glob", lambda self, pattern: [*listed(self, pattern), *gone])
        assert cpu_seconds() >= alone
        monkeypatch.setattr(Path, "glob", lambda *_: gone)
        assert cpu_seconds() < alone - 0.1
        child.communicate(b"\n")
