"""A bulk file: what is understood of it, and what is refused before anything is reserved, by name and in words."""

from __future__ import annotations

import codecs
import csv
import json
import re
from dataclasses import replace

import pytest

from elicense.bulk.columns import Columns, Job, Row, template
from elicense.bulk.results import ResultsFile
from elicense.bulk.sheet import Sheet
from elicense.bulk.work import Problem, RowReport
from elicense.catalogue import Catalogue, templates_folder
from elicense.errors import ConfigurationError, InvalidLicenceData, InvalidSheet
from elicense.issuing.outcome import Result
from tests.support.bulk import TYPE, addresses, write_rows
from tests.support.demonstration import AT, office

CATALOGUE = Catalogue.load(templates_folder())
JOB = Job(TYPE.slug, TYPE.sample_authority().code, "spring")
HEADER, SAMPLE = template(TYPE)


def rows(sheet):
    """Return all rows of a file."""
    return [row for group in sheet.groups(2) for row in group]


def columns(header=HEADER, kind=TYPE):
    """Return a header, understood."""
    return Columns.read(header, kind)


def request_of(cells, header=HEADER, kind=TYPE):
    """Return the request of one row of cells."""
    return columns(header, kind).request(Row(2, tuple(cells)), JOB)


def sample_with(**changes):
    """Return the sample's cells with some changed."""
    return [changes.get(name, cell) for name, cell in zip(HEADER, SAMPLE, strict=True)]


# --- The file ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_encoding_is_found_out(tmp_path, encoding):
    """UTF-8 with and without its mark and GB18030 give the same header and rows, counted as a spreadsheet does."""
    sheet = Sheet.open(write_rows(tmp_path / "rows.csv", addresses(3), encoding=encoding))
    assert sheet.encoding == ("gb18030" if encoding == "gb18030" else "utf-8-sig")
    assert sheet.total == 3
    place = sheet.header.index("domicile")
    assert [(row.number, row.cells[place]) for row in rows(sheet)] == [
        (number + 1, f"样板路{number}号") for number in (1, 2, 3)
    ]


def test_a_named_encoding_is_taken_at_its_word(tmp_path):
    """With an encoding given nothing is guessed."""
    path = write_rows(tmp_path / "rows.csv", addresses(1), encoding="gb18030")
    assert Sheet.open(path, encoding="gb18030").total == 1
    with pytest.raises(InvalidSheet):
        Sheet.open(path, encoding="utf-8-sig")


def test_gb18030_text_that_begins_like_utf_8_is_read(tmp_path):
    """联通 in GB18030 is also two letters of UTF-8; what follows tells."""
    path = tmp_path / "rows.csv"
    path.write_bytes("名称\n联通\n样板路\n".encode("gb18030"))
    assert [row.cells for row in rows(Sheet.open(path))] == [("联通",), ("样板路",)]


def test_a_damaged_utf_8_file_is_not_read_as_other_characters(tmp_path):
    """One wrong byte behind ideographs in UTF-8 is damage, although all of it might be GB18030."""
    path = tmp_path / "rows.csv"
    body = "名称\n样板路一\n".encode() + b"\xb0\xa1\n"
    path.write_bytes(body)
    assert body.decode("gb18030"), "it must be readable as something else"
    with pytest.raises(InvalidSheet, match="neither UTF-8 nor GB18030"):
        Sheet.open(path)


WRONG_FILES = {
    "UTF-16": ("名称\n甲\n".encode("utf-16"), "--encoding"),
    "marked UTF-8 with a wrong byte": (codecs.BOM_UTF8 + b"a\n\xb0\xa1\n", "--encoding"),
    "neither": (b"a\n\xff\xff\n", "--encoding"),
    "empty": (b"", "header"),
    "no rows": (b"a,b\n", "one row for each licence"),
    "only empty rows": (b"a,b\n,\n\n", "one row for each licence"),
    "a quotation mark left open": (b'a,b\n1,2\n"3,4\n5,6\n', "after row 2"),
    "an endless cell": (b'a,b\n1,"' + b"x" * 200_000 + b'"\n', "after row 1"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_that_cannot_be_read_is_refused_in_both_languages(tmp_path, name):
    """Each says what is wrong and what to do."""
    content, words = WRONG_FILES[name]
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidSheet) as caught:
        rows(Sheet.open(path))
    assert words in caught.value.en
    assert re.search("[\u4e00-\u9fff]", caught.value.zh)
    assert "rows.csv" in caught.value.zh


def test_empty_rows_and_columns_of_office_programs_are_left_out(tmp_path):
    """Empty rows count for the row numbers and are no rows; empty header cells at the end are no columns."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b,,\r\n1,2,,\r\n,,,\r\n\r\n3,4,,\r\n")
    sheet = Sheet.open(path)
    assert sheet.header == ("a", "b")
    assert [(row.number, row.cells[:2]) for row in rows(sheet)] == [(2, ("1", "2")), (5, ("3", "4"))]
    assert sheet.total == 2


def test_cells_may_hold_commas_quotation_marks_and_line_breaks(tmp_path):
    """What RFC 4180 allows is read as it was written; the row's number stays the spreadsheet's."""
    path = tmp_path / "rows.csv"
    path.write_text('a,b\n"1,""x""\n2",3\n4,5\n', "utf-8")
    assert rows(Sheet.open(path)) == [Row(2, ('1,"x"\n2', "3")), Row(3, ("4", "5"))]


# --- The header ---


@pytest.mark.parametrize("chinese", [False, True])
@pytest.mark.parametrize(
    "kind", [one for one in CATALOGUE.types if not one.definition.seal.joint], ids=lambda k: k.slug
)
def test_the_template_of_every_type_is_the_samples_request(kind, chinese):
    """Header and row of the template, in names or Chinese labels, draft to the very licence of the type's sample."""
    header, cells = template(kind, chinese=chinese)
    if chinese:
        assert all(re.search("[\u4e00-\u9fff]", cell) for cell in header)
    request = request_of(cells, header, kind)
    sample = kind.sample_request()

    def draft(one):
        return CATALOGUE.draft(one, kind.sample_authority(), at=AT, verify_base=office().verify_base)

    expected = draft(sample)
    assert draft(replace(request, authority_code=sample.authority_code)) == expected
    assert request.idempotency_key == "sample-1"


def header_with(*changes):
    """Return the template's header, some cells replaced or, by None, left out."""
    changed = dict(changes)
    return [changed.get(name, name) for name in HEADER if changed.get(name, name) is not None]


WRONG_HEADERS = {
    "unknown": (header_with(("domicile", "domicil")), "domicil", "domicile"),
    "far from all": ([*HEADER, "zzz"], "zzz", "holder_name"),
    "empty in the middle": (["", *HEADER], "", "one of"),
    "missing field": (header_with(("domicile", None)), "domicile", "--template"),
    "missing holder": (header_with(("holder_name", None)), "holder_name", "--template"),
    "twice": ([*HEADER, "domicile"], "domicile", "twice"),
    "name and label of one": ([*HEADER, "住所"], "domicile", "twice"),
    "holders in both forms": ([*HEADER, "holders"], "holder_name", "holders"),
}


@pytest.mark.parametrize("name", WRONG_HEADERS)
def test_a_wrong_header_names_its_column(name):
    """The error has the column, what is expected, and both languages."""
    header, field, words = WRONG_HEADERS[name]
    with pytest.raises(InvalidSheet) as caught:
        columns(header)
    assert caught.value.field == field
    assert words in caught.value.en
    assert field in caught.value.zh
    assert re.search("[\u4e00-\u9fff]", caught.value.zh)


def test_an_ambiguous_label_asks_for_a_name():
    """Two fields with one Chinese name are told apart by their names only."""
    fields = tuple(
        replace_field(spec, zh="住所") if spec.name == "premises" else spec for spec in TYPE.definition.fields
    )
    kind = replace(TYPE, definition=TYPE.definition.model_copy(update={"fields": fields}))
    with pytest.raises(InvalidSheet, match="domicile or premises"):
        columns(header_with(("domicile", "住所")), kind)
    assert columns(HEADER, kind).names == HEADER
    assert "domicile" in template(kind, chinese=True)[0]


def replace_field(spec, **changes):
    """Return the field with some of its keys changed."""
    return spec.model_copy(update=changes)


def test_the_kind_of_code_may_be_left_out_where_there_is_one():
    """A type that allows one kind of holder needs no column for it."""
    header = header_with(("holder_code_kind", None))
    cells = [cell for name, cell in zip(HEADER, SAMPLE, strict=True) if name != "holder_code_kind"]
    (holder,) = request_of(cells, header).holders
    assert holder.code_kind == "001"


# --- Rows ---


def test_lists_are_json_or_lines():
    """A list of texts may be JSON or one entry a line; both are the same request."""
    as_json = request_of(sample_with(inspectors='["赵测试", "钱样板"]'))
    as_lines = request_of(sample_with(inspectors="赵测试\n钱样板"))
    assert list(as_json.fields["inspectors"]) == list(as_lines.fields["inspectors"]) == ["赵测试", "钱样板"]


def test_an_empty_cell_is_no_value():
    """It is absent from the request, so that a required one is missed by name and an optional one is left out."""
    request = request_of(sample_with(domicile="", case_number=""))
    assert "domicile" not in request.fields
    assert request.case_number is None


def test_dates_of_the_request_are_read():
    """Date of issue and first day are columns like others."""
    request = request_of([*SAMPLE, "2026-03-01", "2026-03-02"], [*HEADER, "issued_on", "有效期起始日期"])
    assert (request.issued_on.isoformat(), request.valid_from.isoformat()) == ("2026-03-01", "2026-03-02")


def test_several_holders_are_a_list():
    """The column `holders` holds name, kind of code and code of each."""
    header = [name for name in HEADER if not name.startswith("holder_")]
    cells = [cell for name, cell in zip(HEADER, SAMPLE, strict=True) if not name.startswith("holder_")]
    holders = [["甲", "111", "1"], ["乙", "111", "2"]]
    request = request_of([*cells, json.dumps(holders, ensure_ascii=False)], [*header, "holders"])
    assert [[one.name, one.code_kind, one.code] for one in request.holders] == holders
    for wrong in ("{}", '["甲"]', "[[1, 2, 3]]", "甲", "[[" * 5000):
        with pytest.raises(InvalidLicenceData) as caught:
            request_of([*cells, wrong], [*header, "holders"])
        assert caught.value.field == "holders"


WRONG_ROWS = {
    "broken list": (sample_with(inspectors='["赵'), "inspectors"),
    "broken date": ([*SAMPLE, "1.3.2026"], "issued_on"),
    "too few cells": (SAMPLE[:-1], "row"),
    "too many cells": ([*SAMPLE, "", "x"], "row"),
    "no key": (sample_with(key=""), "key"),
    "key with a control character": (sample_with(key="a\x07"), "key"),
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_a_wrong_row_names_its_column(name):
    """What the catalogue cannot see any more is refused here, by column, in both languages."""
    cells, field = WRONG_ROWS[name]
    header = [*HEADER, "issued_on"] if name == "broken date" else HEADER
    with pytest.raises(InvalidLicenceData) as caught:
        request_of(cells, header)
    assert caught.value.field == field
    assert re.search("[\u4e00-\u9fff]", caught.value.zh)


def test_keys_are_the_rows_own_or_name_and_row():
    """With a column `key` a row may move; without, the run's name and the row's number are its key."""
    assert request_of(SAMPLE).idempotency_key == "sample-1"
    bare = columns(HEADER[1:])
    assert not bare.has_keys
    assert bare.request(Row(7, SAMPLE[1:]), JOB).idempotency_key == "bulk spring 7"


# --- The results ---


def test_results_are_there_while_they_grow_and_get_their_name_at_the_end(tmp_path):
    """An earlier file stays until the new one is complete; nothing in it runs in a spreadsheet."""
    path = tmp_path / "results.csv"
    path.write_text("earlier")
    problem = Problem("invalid_licence_data", "it is wrong", "有误", "domicile")
    with ResultsFile(path, "zh") as file:
        file.write([RowReport(2, "=1+1", Result.ISSUED, "JY1", "1.2", "ab", "a/b.pdf")])
        file.write([RowReport(3, "k", Result.REFUSED, problem=problem)])
        assert path.read_text() == "earlier"
        assert len(path.with_name("results.csv.part").read_text("utf-8-sig").splitlines()) == 3
    with path.open(encoding="utf-8-sig", newline="") as lines:
        first, second = csv.DictReader(lines)
    assert first == {
        "row": "2", "key": "'=1+1", "result": "issued", "number": "JY1", "identifier": "1.2", "sha256": "ab",
        "file": "a/b.pdf", "code": "", "message": "",
    }  # fmt: skip
    assert (second["result"], second["code"], second["message"]) == (
        "refused", "invalid_licence_data", "domicile: 有误",
    )  # fmt: skip
    assert [one.name for one in tmp_path.iterdir()] == ["results.csv"]


def test_two_runs_do_not_write_the_same_results(tmp_path):
    """The second is refused while the first writes; what a killed run left behind is no hindrance."""
    path = tmp_path / "results.csv"
    path.with_name("results.csv.part").write_text("left by a killed run")
    with ResultsFile(path, "en") as first:
        with pytest.raises(ConfigurationError, match="another run"):
            ResultsFile(path, "en")
        first.write([RowReport(2, "k", Result.ISSUED)])
    with ResultsFile(path, "en"):
        pass
    assert path.read_text("utf-8-sig").splitlines() == [
        "row,key,result,number,identifier,sha256,file,code,message"
    ]
