"""A layout is read strictly, and each mistake is named by file and place."""

from __future__ import annotations

import shutil

import pytest
import yaml

from elicense.catalogue.types import load_type
from elicense.errors import InvalidTemplate
from elicense.rendering.blocks import Table
from elicense.rendering.layout import Layout, load_layout
from elicense.rendering.names import check_names
from tests.support.licences import TYPES

TEXT = {"text": "甲", "rect": [10, 10, 20, 5]}
SEAL = {"seal": True, "centre": [50, 50]}


def page(*blocks, **more):
    """Return a layout of one page."""
    return {"pages": [{"id": "front", "blocks": list(blocks), **more}]}


def flow(*items, frame=(20, 20, 100, 100), following="more"):
    """Return a block with a flow."""
    return {"flow": {"frame": list(frame), "next": following, "items": list(items)}}


def with_continuation(layout, **more):
    """Return the layout with a repeated page behind it."""
    layout["pages"].append({"id": "more", "repeat": True, "flow_frame": [20, 20, 100, 100], **more})
    return layout


def write(folder, content):
    """Return the path of a layout file with this content."""
    path = folder / "layout.yaml"
    path.write_text(
        content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True), "utf-8"
    )
    return path


@pytest.mark.parametrize("name", ["test-permit", "test-reply"])
def test_a_sound_layout_is_read(name):
    """The test types' layouts come out with all their pages."""
    layout = load_layout(TYPES / name / "layout.yaml")
    assert isinstance(layout, Layout)
    assert [
        entry["id"] for entry in yaml.safe_load((TYPES / name / "layout.yaml").read_text("utf-8"))["pages"]
    ] == [entry.id for entry in layout.pages]


def test_defaults_are_those_of_the_documentation(tmp_path):
    """A text without keys is set in Song 12 pt, left, in the middle, black, a paragraph."""
    layout = load_layout(write(tmp_path, page(TEXT, SEAL)))
    block = layout.pages[0].blocks[0]
    told = (
        block.font,
        block.size,
        block.align,
        block.valign,
        block.leading,
        block.colour,
        block.tag,
        block.smallest,
    )
    assert told == ("song", 12, "left", "middle", 1.35, "#000000", "P", 12)


BROKEN = {
    "an unknown key": (page({**TEXT, "colour_": "#000000"}, SEAL), "colour_"),
    "a block of no known kind": (page({"picture": "x"}, SEAL), "none of the keys"),
    "no seal": (page(TEXT), "one seal"),
    "two seals": (page(SEAL, SEAL), "has 2"),
    "a flow to nowhere": (page(flow({"text": "甲"}), SEAL), "repeat: true"),
    "a repeated page nobody asks for": (with_continuation(page(SEAL)), "repeat: true"),
    "two flows": (
        with_continuation(page(flow({"text": "甲"}), flow({"text": "乙"}), SEAL)),
        "at most one flow",
    ),
    "a repeated page without a frame": (
        with_continuation(page(flow({"text": "甲"}), SEAL), flow_frame=None),
        "flow_frame",
    ),
    "a seal on a repeated page": (with_continuation(page(flow({"text": "甲"})), blocks=[SEAL]), "are texts"),
    "page numbers in a flow": (with_continuation(page(flow({"text": "第{page}页"}), SEAL)), "page numbers"),
    "a foot that is not last": (
        with_continuation(page(flow({"foot": []}, {"text": "甲"}), SEAL)),
        "last item",
    ),
    "a heading that leaves out a level": (page({**TEXT, "tag": "H2"}, SEAL), "heading H2"),
    "a name under the seal": (page({**TEXT, "text": "{number}", "under_seal": True}, SEAL), "under_seal"),
    "a signature of something else": (
        with_continuation(page(flow({"signature": {"name": "{number}"}}))),
        "a signature",
    ),
    "sizes in the wrong order": (page({**TEXT, "size": 8, "min_size": 9}, SEAL), "min_size"),
    "a colour that is none": (page({**TEXT, "colour": "red"}, SEAL), "pattern"),
    "a rect of no width": (page({**TEXT, "rect": [1, 1, 0, 5]}, SEAL), "greater than 0"),
    "a size that is no number": (page({**TEXT, "size": float("nan")}, SEAL), "size"),
    "a template that cannot be read": (page({**TEXT, "text": "{number"}, SEAL), "wrong place"),
    "two pages of one name": ({"pages": [{"id": "a", "blocks": [SEAL]}, {"id": "a"}]}, "same id"),
    "pages and a background": (
        {**page(SEAL), "background": "background.pdf"},
        "either pages or a background",
    ),
    "neither": ({}, "either pages or a background"),
    "a background in another folder": ({"background": "../background.pdf"}, "pattern"),
    "art of no known kind": (page(SEAL, art=[{"kind": "photo"}]), "kind"),
    "a list where a mapping belongs": ([], "valid"),
    "a key that stands twice": ("pages: []\npages: []\n", "twice"),
    "no YAML": ("pages: [", "layout.yaml"),
}


@pytest.mark.parametrize(("content", "word"), BROKEN.values(), ids=BROKEN.keys())
def test_a_mistake_is_named(content, word, tmp_path):
    """The refusal names the file and says what is wrong."""
    path = write(tmp_path, content)
    with pytest.raises(InvalidTemplate) as caught:
        load_layout(path)
    assert f"{tmp_path.name}/layout.yaml" in caught.value.en
    assert f"{tmp_path.name}/layout.yaml" in caught.value.zh
    assert word in caught.value.en


def test_a_mistake_is_named_by_its_place(tmp_path):
    """The refusal tells which page and block hold the wrong key."""
    with pytest.raises(InvalidTemplate) as caught:
        load_layout(write(tmp_path, page(TEXT, {**TEXT, "sizes": 3}, SEAL)))
    assert "pages.0.blocks.1" in caught.value.en
    assert caught.value.field.startswith("pages.0.blocks.1")


def test_a_missing_layout_is_an_invalid_template(tmp_path):
    """A type without a layout is refused by the name of the missing file."""
    with pytest.raises(InvalidTemplate, match=r"layout\.yaml"):
        load_layout(tmp_path / "layout.yaml")


def table(*rows, columns=(10, 10, 10)):
    """Return a table of cells given as (columns, rows) they take."""
    cells = [[{"text": "甲", "span": across, "down": down} for across, down in row] for row in rows]
    return {
        "origin": [10, 100],
        "columns": list(columns),
        "rows": [{"height": 5, "cells": row} for row in cells],
    }


def test_cells_that_tile_a_table_find_their_places():
    """A cell that reaches down pushes the next row's cells to the right."""
    found = Table.model_validate(table([(1, 2), (2, 1)], [(1, 1), (1, 1)])).places()
    assert [(row, column) for _, row, column in found] == [(0, 0), (0, 1), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    "rows",
    [[[(1, 1), (1, 1)]], [[(2, 1), (2, 1)]], [[(1, 2), (2, 1)], [(3, 1)]], [[(1, 3), (1, 1), (1, 1)]]],
    ids=["gap", "too wide", "overlap", "too deep"],
)
def test_cells_that_do_not_tile_a_table_are_refused(rows):
    """A table with a gap, an overlap or a cell beyond its edge is a mistake."""
    with pytest.raises(ValueError, match=r"table|cells"):
        Table.model_validate(table(*rows))


@pytest.mark.parametrize(
    ("block", "word"),
    [
        ({**TEXT, "text": "{nothing}"}, "no field"),
        ({**TEXT, "text": "{hidden}"}, "embedded only"),
        ({"plot": "subject", "rect": [10, 10, 90, 90], "alt": "图"}, "kind plot"),
        ({**TEXT, "label": {"text": "{nothing}", "rect": [1, 1, 9, 9]}}, "no field"),
        ({"qr": "{nothing}", "rect": [10, 10, 90, 90]}, "no field"),
    ],
)
def test_a_layout_names_only_what_its_type_prints(block, word, tmp_path):
    """An unknown name, a field that is embedded only, and a field of another kind are refused."""
    folder = tmp_path / "test-permit"
    shutil.copytree(TYPES / "test-permit", folder)
    write(folder, page(block, SEAL))
    with pytest.raises(InvalidTemplate, match=word):
        check_names(load_layout(folder / "layout.yaml"), load_type(folder))


def test_names_inside_a_flow_are_checked_too(tmp_path):
    """Items of a flow and texts of its foot are held to the type's fields."""
    folder = tmp_path / "test-reply"
    shutil.copytree(TYPES / "test-reply", folder)
    for item in (
        {"paragraphs": "limits"},
        {"list": "nothing"},
        {"rows": "body", "columns": [9]},
        {"text": "{nothing}"},
        {"foot": [{**TEXT, "text": "{nothing}"}]},
    ):
        write(folder, with_continuation(page(flow(item), SEAL)))
        with pytest.raises(InvalidTemplate, match="no field"):
            check_names(load_layout(folder / "layout.yaml"), load_type(folder))
