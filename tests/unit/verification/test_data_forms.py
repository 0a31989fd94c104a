"""licence.json of a known form: the answer is that of decoding it and printing its places, whatever was changed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from elicense.encoding import (
    OWN_NAMES,
    encode_index,
    encode_licence_file,
    licence_to_json,
    printed,
    template_names,
)
from elicense.errors import InvalidTemplate
from elicense.identifiers import LicenceIdentifier
from elicense.model import FieldPlacement, Holder, Licence, Validity
from elicense.verification.data_forms import LONGEST, MOST_FORMS, DataForms
from elicense.verification.printed import compare_content
from elicense.wording import FORMATS, parse_template, path_of, printed_place, value_form
from tests.unit.test_encoding import LICENCE

if TYPE_CHECKING:
    from elicense.verification.printed import Content

BASE = replace(LICENCE, fields={**LICENCE.fields, "born_at": "2026-03-01T04:06", "born_on": "1990-02-03"})
TEMPLATES = (
    "{holder.name}", "{number}", "{identifier}", "{form}", "{form|en}", "{items}", "{names.1}　{names.2}　{names.3}",
    "{rows.1.2}", "{odd}", "{authority.name}", "{type.name}{{一}}", "{valid_until|date-zh}", "自{valid_from|date-zh}起",
    "{issued_on|year}年", "{valid_until}", "{validity|term}", "{holders}", "{holders.code}", "{verify_url}",
    "{born_at|datetime-zh}", "{born_on|date-zh-padded}", "{case_number}", "{items@1-2}", "{absent}", "{form|code}",
    "第{page}页 共{pages}页", "{year}", "{authorities}", "固定",
)  # fmt: skip
WORDS = (
    "甲",
    "乙丙",
    "",
    "a",
    "照" * 30,
    "1",
    "2026-02-28",
    "2026-02-30",
    "2026-03-01T04:06",
    "{number}",
    " ",
    "𠀀",
)
BAD = ('"', "\\", "\n", "\x00", "\u2028", "\x7f", '","', '"text":"x"', ',"licence":{', "\ufffe")
PIECES = (b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b" ", b"\n", b"0", b"null", b'\\"', b"\\u0041", b"\xff",
          b'"text":"', b',"licence":', b'"a":"b",', b"\xe4\xb8\xad", b"T", b"2026-03-09")  # fmt: skip


@dataclass
class Pages:
    """A document of which only these parts are looked at."""

    data: bytes
    shown: list[dict[int, str]]
    document_id: str = LICENCE.document_id

    def attachment(self) -> bytes:
        """Return licence.json."""
        return self.data

    def pages(self) -> list[dict[int, str]]:
        """Return what stands on the pages."""
        return self.shown


def document(licence: Licence, templates: tuple[str, ...] = TEMPLATES, pages: int = 2) -> Pages:
    """Return a genuine document of the licence."""
    places, shown = [], [{} for _ in range(pages)]
    for mcid, template in enumerate(templates):
        page = 1 + mcid % pages
        text = printed(template, licence, page=page, pages=pages)
        if text:
            names = template_names(template)
            places.append(FieldPlacement(template, names, page, (1, 2, 3, mcid), mcid, text))
            shown[page - 1][mcid] = text.replace("\n", "")
    return Pages(encode_licence_file(licence, encode_index(places)), shown)  # type: ignore[arg-type]


def changed(licence: Licence, chance: random.Random, words: tuple[str, ...]) -> Licence:
    """Return the licence with some of its values changed, its structure kept."""
    word = lambda: chance.choice(words)  # noqa: E731 - one word in many places
    start = date(2026, 1, 1) + timedelta(days=chance.randrange(2000))
    fields = {
        name: word()
        if isinstance(value, str) and not name.startswith("born") and chance.random() < 0.5
        else value
        for name, value in licence.fields.items()
    }
    return replace(
        licence,
        holders=tuple(Holder(word(), one.code_kind, word()) for one in licence.holders),
        issued_on=start,
        validity=Validity(start, start + timedelta(days=chance.randrange(3000)))
        if licence.validity.end
        else Validity(start, None),
        fields={**fields, "names": (word(), word())},
        labels={"form": {"zh": word(), "en": word()}},
        number=word(),
        case_number=None if licence.case_number is None else word(),
        identifier=LicenceIdentifier(
            licence.type_code,
            licence.authority.code,
            f"S{chance.randrange(10**6)}",
            chance.randrange(1, 1000),
        ),
    )


def outcome(source: Pages, forms: DataForms | None, at: datetime = LICENCE.signing_time) -> Content:
    """Return what comparing gives, and learn nothing."""
    return replace(compare_content(source, at, forms), lesson=None)


def learned(*sources: Pages) -> DataForms:
    """Return the forms of genuine documents."""
    forms = DataForms()
    for source in sources:
        teach(forms, source)
    return forms


def teach(forms: DataForms, source: Pages) -> None:
    """The forms gain that of a genuine document."""
    content = compare_content(source, LICENCE.signing_time, forms)
    assert content.facts.error is None
    if content.lesson is not None:
        forms.learn(content.lesson)


def is_known(source: Pages, forms: DataForms) -> bool:
    """Return whether a document's data are read by comparison."""
    stated = forms.read(source.data, source.document_id, LICENCE.signing_time)
    return stated is not None and stated.pages == source.shown


def seeded(number: int) -> random.Random:
    """Return reproducible chance."""
    return random.Random(number)  # noqa: S311 - no secret


def test_another_licence_of_the_form_is_read_by_comparison() -> None:
    """With other values everywhere the data of a known form need no decoding, and the answer is the same."""
    chance, known = seeded(1), 0
    for one in (
        BASE,
        replace(BASE, validity=Validity(date(2026, 3, 8), None)),
        replace(BASE, case_number="7"),
    ):
        forms = learned(document(one))
        for _ in range(300):
            source = document(changed(one, chance, WORDS[:1] + WORDS[3:]))
            assert outcome(source, forms) == outcome(source, None)
            known += is_known(source, forms)
    # An empty value leaves out a place, which is another form.
    assert known > 800


@pytest.mark.parametrize("words", [WORDS, (*WORDS, *BAD)])
def test_any_values_are_judged_the_same(words: tuple[str, ...]) -> None:
    """Whatever the values are, empty or with quotation marks, the answer is that of decoding and printing."""
    chance, forms = seeded(2), learned(document(BASE))
    for _ in range(700):
        source = document(changed(BASE, chance, words))
        assert outcome(source, forms) == outcome(source, None)


def test_damaged_files_are_judged_the_same() -> None:
    """A file damaged anywhere, or pages that say something else, are never taken for one that agrees."""
    chance, forms = seeded(3), learned(document(BASE))
    good = document(changed(BASE, chance, ("甲乙", "丙")))
    assert is_known(good, forms)
    for _ in range(6000):
        data, shown = good.data, [dict(page) for page in good.shown]
        for _ in range(chance.choice((1, 1, 2))):
            at, cut = chance.randrange(len(data)), chance.choice((0, 1, 1, 2, 9))
            new = chance.choice(
                (b"", chance.choice(PIECES), data[chance.randrange(len(data)) :][: chance.randrange(12)])
            )
            data = data[:at] + new + data[at + cut :]
        if chance.random() < 0.1:
            page = chance.choice(shown)
            page[chance.choice([*page, 99])] = chance.choice(("", "甲乙", "丙"))
        source = Pages(data, shown)
        assert outcome(source, forms) == outcome(source, None), data


CHANGES = (
    (b'"issued_on":"', (b"2026-13-01", b"2026-W10-7", b"20260308", b"")),
    (b'"start":"', (b"2026-13-01", b"2031-03-08", b"")),
    (b'"end":"', (b"2026-03-07", b"2026-03-08", b"2031-3-07", b"")),
    (b'"signing_time":"', (b"2026-03-08T02:05:10Z", b"2026-03-08T02:05:09", b"")),
    (b'"document_id":"', (b"0123456789abcdef0123456789abcdee", b"")),
    (b'"identifier":"', (
        b"1.2.156.3005.2.11990000000001011Q002.11990100001001013A.ABC123.001.0",
        b"1.2.156.3005.2.11990000000001011Q002.11990100001001013A.ABC123.000.0",
        b"1.2.156.3005.2.11990000000001011Q002.11990100001001013A.abc123.001.0",
        b"1.2.156.3005.2.11990000000001011Q002.11990100001001013A..001.0",
        b"11990000000001011Q002.11990100001001013A.ABC123.001.0",
        b"",
    )),
    (b'"level":"', (b"town", b"none")),
    (b'"category":"', (b"approval", b"none")),
    (b'"type_code":"', (b"11990000000001011Q003",)),
)  # fmt: skip


def test_every_value_that_is_asked_for_is_asked_for() -> None:
    """Wrong days, moments, identifiers and codes are refused in a file of a known form as in any other."""
    forms = learned(document(BASE, ("{holder.name}",)))
    source = document(BASE, ("{holder.name}",))
    for name, values in CHANGES:
        head, _, rest = source.data.partition(b'"licence":')
        before, _, behind = rest.partition(name)
        for value in values:
            data = b"".join((head, b'"licence":', before, name, value, behind[behind.index(b'"') :]))
            other = Pages(data, source.shown)
            assert outcome(other, forms) == outcome(other, None), data
            if value not in {b"2026-03-08", b"approval", b"town"}:
                assert outcome(other, forms).facts.error is not None, value


def test_a_form_is_of_one_time_and_document() -> None:
    """Data of a known form that were made for another file, or with a file without a time, do not agree."""
    forms, source = learned(document(BASE)), document(BASE)
    for at in (LICENCE.signing_time + timedelta(seconds=1), datetime(1, 1, 1, tzinfo=UTC), None):
        assert outcome(source, forms, at).facts.error == "content.identity"  # type: ignore[arg-type]
    assert outcome(replace(source, document_id="f" * 32), forms).facts.error == "content.identity"


def test_forms_are_bounded() -> None:
    """So many forms are remembered and so many learned, of short files without escapes only."""
    forms = DataForms()
    for count in range(1, 40):
        teach(forms, document(BASE, TEMPLATES[:count]))
    assert len(forms._forms) == MOST_FORMS
    assert forms._lessons == 0
    for one in (replace(BASE, number="\n"), replace(BASE, number="甲" * LONGEST)):
        assert learned(document(one))._forms == ()


def test_a_value_is_found_where_it_is_printed_from() -> None:
    """For every name and format, what stands at the path in the plain values prints as the licence does."""
    plain, found = licence_to_json(BASE), 0
    for name in (
        *sorted(OWN_NAMES),
        *BASE.fields,
        "names.1",
        "names.9",
        "rows.2.1",
        "items.1",
        "absent",
        "a.b",
    ):
        for form in sorted(FORMATS):
            (place,) = parse_template(f"{{{name}|{form}}}" if form else f"{{{name}}}")
            assert not isinstance(place, str)
            path, value = path_of(place, plain), plain
            for step in path or ():
                try:
                    value = "" if isinstance(value, str) else value[step]  # type: ignore[index, assignment]
                except (KeyError, IndexError, TypeError):
                    value = ""  # type: ignore[assignment]
            if path is None or not isinstance(value, str) or "page" in name:
                continue
            found += 1
            try:
                expected = printed_place(place, BASE, page=1, pages=2)
            except InvalidTemplate:
                with pytest.raises((ValueError, TypeError, IndexError)):
                    value_form(form)(value)
                continue
            assert (value_form(form)(value) if value else "") == expected, place
    assert found > 150
