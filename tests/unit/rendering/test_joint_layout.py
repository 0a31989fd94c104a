"""The page of a joint document: names in the head, names under their seals, prepared fields at true size."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from itertools import combinations

import pytest
from pypdf import PdfReader

from elicense.catalogue import Catalogue, templates_folder
from elicense.catalogue.types import load_type
from elicense.errors import InvalidTemplate, PreflightFailed, RenderingError
from elicense.preflight import clear
from elicense.rendering.blocks import Style
from elicense.rendering.compiler import compile_template
from elicense.rendering.conformance import examine
from elicense.rendering.fill import fill
from elicense.rendering.heads import set_head
from elicense.updates import LOCK
from tests.support.licences import CAPACITY, licence_of, seals_of, shipped_fonts

KIND = Catalogue.load(templates_folder())["joint-approval-document"]
NAMES = (
    "样例市发展和改革局", "样例市工业和信息化局", "样例市生态环境局", "样例市教育局", "样例市财政局",
    "样例市民政局", "样例市住房建设局", "样例市交通运输局", "样例市司法局",
)  # fmt: skip
WIDE = "样例市文化广播电视和旅游体育局"
MM = 72 / 25.4


def joint(names, **otherwise):
    """Return a licence of authorities with these names."""
    main = KIND.sample_authority()
    first = replace(main, name=names[0])
    others = [replace(main, name=name, code=f"{n:018d}") for n, name in enumerate(names[1:])]
    return licence_of(KIND, authority=first, joint_authorities=tuple(others), **otherwise)


def filled(licence, diameter=42.0):
    """Return the filled document, which has cleared preflight."""
    seals = seals_of(KIND, licence, diameter=diameter)
    document = fill(compile_template(KIND, shipped_fonts(), *seals, capacity=CAPACITY), licence)
    assert clear(document, licence, KIND).redeem() is document
    return document


def placed(document):
    """Return the boxes of all seals."""
    return [one.rect for one in (document.plan.seal, *document.plan.further_seals)]


@pytest.mark.parametrize("diameter", [38.0, 42.0, 50.0])
@pytest.mark.parametrize("count", range(2, 9))
def test_each_name_lies_under_its_own_seal(count, diameter):
    """Seals keep apart and inside the type area, rows are level, and a seal covers its authority's name alone."""
    document = filled(joint(NAMES[:count]), diameter)
    boxes = placed(document)
    assert len(boxes) == count
    for (a, b, c, d), (e, f, g, h) in combinations(boxes, 2):
        assert max(a, e) - min(a + c, e + g) >= 1.9 or max(b, f) - min(b + d, f + h) >= 1.9
    rows = sorted({round(y, 3) for _, y, _, _ in boxes}, reverse=True)
    assert [round(y, 3) for _, y, _, _ in boxes] == sorted(
        (round(y, 3) for _, y, _, _ in boxes), reverse=True
    )
    assert len(rows) >= -(-count // 3)
    *names, date = [line for line in document.plan.lines if line.under_seal]
    assert [line.text for line in names] == list(NAMES[:count])
    assert len({line.size for line in names}) == 1
    for (x, y, width, height), line in zip(boxes, names, strict=True):
        assert x >= 28 - 0.01
        assert x + width <= 184 + 0.01
        assert line.x + line.width / 2 == pytest.approx(x + width / 2, abs=0.6)
        middle = line.y + 0.38 * line.size / MM
        assert y + height / 2 - 2 < middle < y + height / 2
    x, y, width, height = boxes[-1]
    assert y < date.y < names[-1].y
    assert date.x + date.width / 2 == pytest.approx(x + width / 2, abs=0.6)


def test_three_short_names_share_a_row_and_long_ones_do_not():
    """Three abreast where names and seals allow it at a readable size, else two, else one."""
    short = placed(filled(joint(NAMES[:3])))
    assert len({round(y, 3) for _, y, _, _ in short}) == 1
    long = placed(filled(joint((*NAMES[:2], WIDE))))
    assert len({round(y, 3) for _, y, _, _ in long}) == 2
    assert long[2][0] == pytest.approx(long[1][0])
    longest = "样例省样例市样例高新技术产业开发区行政审批服务与数据管理局"
    single = placed(filled(joint((longest, NAMES[0]))))
    assert len({round(y, 3) for _, y, _, _ in single}) == 2


def test_more_seals_than_a_page_holds_are_refused():
    """A signature block higher than a page is a RenderingError, known before a number is spent."""
    with pytest.raises(RenderingError, match="on a page of its own"):
        filled(joint((*NAMES[:8], WIDE)), 50.0)


def test_seals_of_different_size_are_level():
    """A larger seal does not push its neighbours off the line of names."""
    licence = joint(NAMES[:3])
    seals = list(seals_of(KIND, licence, diameter=42))
    seals[1] = seals_of(KIND, licence, diameter=38)[1]
    document = fill(compile_template(KIND, shipped_fonts(), *seals, capacity=CAPACITY), licence)
    clear(document, licence, KIND)
    assert len({round(y + height / 2, 3) for _, y, _, height in placed(document)}) == 1


def test_the_head_names_all_spread_to_one_width_and_the_word_beside_them():
    """Main authority first, one size, one left and one right edge; 文件 on their right at mid height."""
    document = filled(joint(NAMES[:3]))
    *names, word = [line for line in document.plan.lines if line.box == (28.0, 196.0, 156.0, 50.0)]
    assert [line.text for line in names] == list(NAMES[:3])
    assert word.text == "文件"
    assert len({(round(line.x, 2), line.size) for line in names}) == 1
    rights = [line.x + line.width for line in names]
    assert max(rights) - min(rights) < 0.1
    assert word.x > max(rights)
    assert word.y == pytest.approx(names[1].y, abs=0.01)
    (entry,) = [one for one in document.plan.placements if "文件" in one.template]
    assert entry.text == "\n".join(NAMES[:3]) + "文件"


def test_a_head_that_does_not_fit_is_refused():
    """Below the smallest size the layout allows, the head is a RenderingError that says what to do."""
    style = Style(font="title", size=30, min_size=20)
    assert set_head(("样例局",), "", style, (0, 0, 60, 20), shipped_fonts())[0].size == 30
    with pytest.raises(RenderingError, match="enlarge it"):
        set_head(NAMES, "文件", style, (0, 0, 60, 20), shipped_fonts())


def test_the_fields_are_prepared_for_the_seals_to_come():
    """AcroForm has them in the order of sealing, each with a description and an empty appearance of its size."""
    document = filled(joint(NAMES[:4]))
    assert examine(document.pdf) == ()
    reader = PdfReader(io.BytesIO(document.pdf))
    fields = [one.get_object() for one in reader.trailer["/Root"]["/AcroForm"]["/Fields"]]
    assert [field["/T"] for field in fields] == ["Seal", "Seal2", "Seal3", "Seal4"]
    assert ["/V" in field for field in fields] == [True, False, False, False]
    assert ["/Lock" in field for field in fields] == [False, False, False, True]
    assert document.pdf.count(LOCK) == 1
    appearances = [field["/AP"]["/N"].get_object() for field in fields]
    assert [len(one.get_data()) > 0 for one in appearances] == [True, False, False, False]
    assert len({one.indirect_reference.idnum for one in appearances}) == 4
    for field, form, rect, name in zip(fields, appearances, placed(document), NAMES, strict=False):
        box = [float(value) for value in field["/Rect"]]
        assert box[2] - box[0] == pytest.approx(rect[2] * MM, abs=0.01)
        assert [float(value) for value in form["/BBox"]] == pytest.approx(
            [0, 0, rect[2] * MM, rect[3] * MM], abs=0.01
        )
        assert name in field["/TU"]
    page = reader.pages[document.plan.seal.page - 1]
    assert [one.idnum for one in page["/Annots"]] == [field.indirect_reference.idnum for field in fields]
    reference = fields[0]["/V"]["/Reference"][0]["/TransformParams"]
    assert reference["/P"] == 2


def test_the_structure_tree_leads_to_every_field_and_back():
    """Each field has a Form element behind name and date, and the parent tree knows it."""
    document = filled(joint(NAMES[:3]))
    reader = PdfReader(io.BytesIO(document.pdf))
    root = reader.trailer["/Root"]
    kids = [one.get_object() for one in root["/StructTreeRoot"]["/K"]["/K"]]
    forms = [one for one in kids if one["/S"] == "/Form"]
    fields = [one.get_object() for one in root["/AcroForm"]["/Fields"]]
    assert [one["/K"][0]["/Obj"].get_object() for one in forms] == fields
    nums = root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    owners = dict(zip(nums[::2], nums[1::2], strict=True))
    assert [owners[field["/StructParent"]].get_object() for field in fields] == forms


def test_a_plan_with_seals_that_touch_or_lack_is_not_cleared():
    """Preflight looks at every seal: one for each authority, apart from the others, on its page, over nothing else."""
    licence = joint(NAMES[:2])
    document = filled(licence)
    (second,) = document.plan.further_seals
    x, y, width, height = document.plan.seal.rect
    for seals, words in (
        ((), "not one seal for each"),
        ((replace(second, rect=(x + width, y, width, height)),), "touches another"),
        ((replace(second, rect=(190.0, 30.0, width, height)),), "leaves its page"),
        ((replace(second, page=1, rect=(40.0, 80.0, width, height)),), "lies under the seal"),
    ):
        wrong = replace(document, plan=replace(document.plan, further_seals=seals))
        with pytest.raises(PreflightFailed) as caught:
            clear(wrong, licence, KIND)
        assert any(words in finding for finding in caught.value.findings)


@pytest.mark.parametrize(
    ("old", "new"),
    [(", seal: true}", ", seal: false}\n      - {seal: true, centre: [100, 60]}"),
     ("pages:\n", "straddle: {edge: right, centre_y: 148}\npages:\n")],
)  # fmt: skip
def test_a_joint_type_has_its_seals_in_the_signature(tmp_path, old, new):
    """A fixed seal or a straddle seal under a type that may be joint is a mistake of its layout."""
    folder = tmp_path / KIND.slug
    shutil.copytree(KIND.folder, folder)
    layout = (folder / "layout.yaml").read_text("utf-8")
    assert layout.count(old) == 1
    if "centre: [" in new:
        layout = layout.replace(old, ", seal: false}").replace(
            '      - {text: "— {page} —"',
            '      - {seal: true, centre: [100, 60]}\n      - {text: "— {page} —"',
            1,
        )
    else:
        layout = layout.replace(old, new)
    (folder / "layout.yaml").write_text(layout, "utf-8")
    kind = load_type(folder)
    with pytest.raises(InvalidTemplate, match="signature of a flow"):
        compile_template(kind, shipped_fonts(), *seals_of(kind, licence_of(kind)), capacity=CAPACITY)
