"""Planning: whatever was planned before, and on whichever road, the document is the same."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import permutations

import pytest

from elicense.catalogue import Catalogue, templates_folder
from elicense.errors import PreflightFailed, RenderingError
from elicense.preflight import clear, rehearse
from elicense.rendering import oneline
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import fill, write
from elicense.rendering.planning import plan
from tests.support.licences import CAPACITY, licence_of, seals_of, shipped_fonts, test_type

KINDS = (*Catalogue.load(templates_folder()).types, test_type("test-permit"), test_type("test-reply"))
REPLY = test_type("test-reply")
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)


def compiled(kind):
    """Return a type's template under the seals of its sample."""
    return compile_template(kind, shipped_fonts(), *seals_of(kind, licence_of(kind)), capacity=CAPACITY)


@each_kind
def test_a_second_plan_makes_the_same_document(kind):
    """With or without what was set for another number, the bytes are the same, and preflight clears them."""
    template, licence = compiled(kind), licence_of(kind, sequence=123)
    again = plan(template, licence, plan(template, licence_of(kind)))
    document = write(again)
    assert document == fill(template, licence)
    assert clear(document, licence, kind).redeem() is document


def test_a_plan_of_the_very_licence_stands():
    """Nothing is planned again for the same licence on the same template; an equal licence is another one."""
    template, licence = compiled(REPLY), licence_of(REPLY)
    first = plan(template, licence)
    assert plan(template, licence, first) is first
    assert plan(template, replace(licence), first) is not first


def test_running_text_is_broken_into_pages_once():
    """Under another number the same text stands in the same lines, which are not looked for again."""
    template = compiled(REPLY)
    first = plan(template, licence_of(REPLY))
    assert plan(template, licence_of(REPLY, sequence=123), first).flow.pages is first.flow.pages
    other = plan(template, licence_of(REPLY, values={"subject": "别的事项"}), first)
    assert other.flow.pages is not first.flow.pages


def paragraphs(count):
    """Return so many paragraphs."""
    return tuple(f"第{number}段" + "示例文字内容，" * 12 for number in range(1, count + 1))


OTHERS = {
    "as it is": {},
    "short": {"body": paragraphs(1), "attachments": None, "limits": None},
    "long": {"body": paragraphs(30)},
    "other attachments": {"attachments": ("一", "二", "三")},
    "other rows": {"limits": tuple((f"项目{n}", str(n)) for n in range(40))},
}


@pytest.mark.parametrize(("before", "after"), list(permutations(OTHERS, 2)))
def test_a_plan_of_something_else_changes_nothing(before, after):
    """However different the content that was planned before, with more pages or fewer: the document is its own."""
    template = compiled(REPLY)
    licence = licence_of(REPLY, values=OTHERS[after])
    earlier = plan(template, licence_of(REPLY, values=OTHERS[before], sequence=9))
    assert write(plan(template, licence, earlier)) == fill(template, licence)


def test_a_plan_on_another_template_is_left_alone():
    """What was set on another type, or under another seal, is not looked at."""
    permit = test_type("test-permit")
    licence = licence_of(permit)
    wider = compile_template(
        permit, shipped_fonts(), *seals_of(permit, licence, diameter=42.0), capacity=CAPACITY
    )
    for earlier in (plan(wider, licence), plan(compiled(REPLY), licence_of(REPLY))):
        assert write(plan(compiled(permit), licence, earlier)) == fill(compiled(permit), licence)


@each_kind
def test_the_short_road_makes_no_other_document(kind, monkeypatch):
    """A document whose texts all go the long road is the same."""
    template, licence = compiled(kind), licence_of(kind)
    document = fill(template, licence)
    monkeypatch.setattr(oneline.OneLine, "set", lambda *_: None)
    assert fill(template, licence) == document


def test_a_document_is_written_as_often_as_asked():
    """Writing leaves the plan as it was."""
    planned = plan(compiled(REPLY), licence_of(REPLY))
    assert write(planned) == write(planned)


@pytest.mark.parametrize("values", [{"subject": "甲\ue000"}, {"subject": "很长的事项名称" * 40}])
def test_what_cannot_be_printed_is_refused_before_anything_is_written(values):
    """A character without a glyph or a text that does not fit ends the plan, and names the field."""
    kind = test_type("test-permit")
    with pytest.raises(RenderingError) as caught:
        plan(compiled(kind), licence_of(kind, values=values))
    assert caught.value.field == "subject"


@each_kind
def test_a_rehearsal_says_what_preflight_would(kind):
    """The plan of a sound licence passes; the same plan does not pass as another licence's."""
    template = compiled(kind)
    planned = plan(template, licence_of(kind))
    rehearse(planned.layout, planned.printer, kind)
    other = plan(template, licence_of(kind, sequence=2))
    with pytest.raises(PreflightFailed) as caught:
        rehearse(planned.layout, other.printer, kind)
    assert {finding[0] for finding in caught.value.findings} == {"1"}


def test_the_prefix_is_digested_once():
    """The state is that of the file's first bytes, shared by all documents of a template and left as it is."""
    template = compiled(REPLY)
    one, other = (fill(template, licence_of(REPLY, sequence=number)) for number in (1, 2))
    assert one.hashed is other.hashed
    length, state = one.hashed
    whole = state.copy()
    whole.update(one.pdf[length:])
    assert whole.digest() == hashlib.sha256(one.pdf).digest()
    assert state.digest() == hashlib.sha256(other.pdf[:length]).digest()
    assert length <= one.slot.byte_range[1]


PRINT_DIGESTS = """
import hashlib
from tests.unit.rendering.test_planning import KINDS, compiled
from tests.support.licences import licence_of
from elicense.rendering.fill import fill
for kind in KINDS:
    print(hashlib.sha256(fill(compiled(kind), licence_of(kind)).pdf).hexdigest())
"""


def test_two_processes_make_the_same_bytes():
    """Neither the order in which sets come out nor anything else of a process shows in a document."""
    here = [hashlib.sha256(fill(compiled(kind), licence_of(kind)).pdf).hexdigest() for kind in KINDS]
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", PRINT_DIGESTS], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
            text=True, check=True, timeout=120,
        )  # fmt: skip
        assert told.stdout.split() == here
