"""Documents that several authorities seal: seals left out, out of order, in another's place, and changes between them.

Where a later seal brings a change, that authority itself is the forger, with its own key; an update between two seals
is anybody's, sealed over by an authority that does not look.
"""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache

from elicense import updates
from elicense.issuing import SealKeeper
from elicense.pki.keys import Signer
from elicense.pki.throwaway import make_pki
from elicense.signing.cms import sign_digest
from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.attacks.shadow import reframed
from tests.support.room import required_capacity
from tests.vectors.registry import Vector, forgery

Change = Callable[[bytes], bytes]


@cache
def revision(number: int) -> bytes:
    """Return the joint document with its first `number` + 1 seals."""
    data = d.licence(d.JOINT)
    ends = [match.end() for match in re.finditer(rb"\nstartxref\n[0-9]+\n%%EOF\n", data)]
    return data[: ends[number]]


@cache
def keepers() -> tuple[SealKeeper, ...]:
    """Return who seals the joint document, in order."""
    kind = d.office().catalogue[d.JOINT]
    codes = [one.code for one in (kind.sample_authority(), *kind.sample_joint_authorities())]
    return tuple(
        next(k for k in d.office().keepers if (k.authority.code, k.seal.use) == (code, kind.seal_use))
        for code in codes
    )


@cache
def fields() -> tuple[int, ...]:
    """Return the object numbers of the prepared fields, in order."""
    found = re.search(rb"/Fields ?\[([0-9R ]+)\]", s.of(d.JOINT).catalogue)
    assert found is not None
    return tuple(int(number) for number in re.findall(rb"([0-9]+) 0 R", found[1]))


def drawn(place: int) -> bytes:
    """Return the body of the picture that the genuine seal at a place has."""
    body = s.of(d.JOINT).body(fields()[place])
    number = re.search(rb"/AP<</N ([0-9]+) 0 R", body)
    assert number is not None
    return s.of(d.JOINT).body(int(number[1]))


def with_seal(
    data: bytes,
    place: int,
    *,
    signer: Signer | None = None,
    locks: bool | None = None,
    claimed: bytes = b"D:20260308040000Z",
    field: Change = bytes,
    picture: Change = bytes,
    more: Mapping[int, bytes] | None = None,
) -> bytes:
    """Return the document with the seal at `place`, in exactly the form of a further seal, whatever else it brings.

    Args:
        data: the document so far.
        place: which prepared field, from 0.
        signer: whose key; by default the right authority's.
        locks: whether it locks the fields; by default the last one does.
        claimed: time it claims.
        field: changes the field's body.
        picture: changes the body of the seal's picture.
        more: further objects by number, counted from the first free one if negative.
    """
    signer, tail = signer or keepers()[place].signer, d.tail(data)
    number, value, appearance = fields()[place], tail.size, tail.size + 1
    locking = place == len(fields()) - 1 if locks is None else locks
    objects = {
        number: field(updates.sealed_field(prepared(data, number), appearance=appearance, value=value)),
        value: updates.seal_value(claimed, required_capacity(signer), locks=tail.root if locking else 0),
        appearance: picture(drawn(place)),
    }
    objects |= {n if n > 0 else appearance - n: body for n, body in (more or {}).items()}
    pdf, byte_range = updates.place_gap(data + updates.write_update(tail, objects), len(data))
    covered = pdf[: byte_range[1]] + pdf[byte_range[2] :]
    return updates.fill_gap(
        pdf, byte_range, sign_digest(hashlib.new(signer.algorithm.digest, covered).digest(), signer)
    )


def prepared(data: bytes, number: int) -> bytes:
    """Return the body of a field without its value."""
    return re.sub(rb"/V [0-9]+ 0 R>>\Z", b">>", d.body(data, number))


def finished(data: bytes, place: int) -> Vector:
    """Return the document with the seals from `place` on, all of them genuine."""
    for one in range(place, len(fields())):
        data = with_seal(data, one)
    return s.against(data)


@forgery(d.JOINT)
def joint_sealed_by_hand(subject: str) -> Vector:
    return finished(revision(0), 1)


# --- Missing, out of order, in another's place ---


@forgery(d.JOINT)
def joint_last_seal_missing(subject: str) -> Vector:
    return s.against(revision(1))


@forgery(d.JOINT)
def joint_first_seal_alone(subject: str) -> Vector:
    return s.against(revision(0))


@forgery(d.JOINT)
def joint_seal_left_out(subject: str) -> Vector:
    return s.against(with_seal(revision(0), 2))


@forgery(d.JOINT)
def joint_seals_out_of_order(subject: str) -> Vector:
    return s.against(with_seal(with_seal(revision(0), 2, locks=False), 1, locks=True))


@forgery(d.JOINT)
def joint_seal_by_another_of_them(subject: str) -> Vector:
    return finished(with_seal(revision(0), 1, signer=keepers()[2].signer), 2)


@forgery(d.JOINT)
def joint_first_authority_seals_again(subject: str) -> Vector:
    return s.against(with_seal(revision(1), 2, signer=keepers()[0].signer))


@forgery(d.JOINT)
def joint_seal_by_an_authority_not_named(subject: str) -> Vector:
    other = next(
        k for k in d.office().keepers if k.authority.code not in {one.authority.code for one in keepers()}
    )
    return s.against(with_seal(revision(1), 2, signer=other.signer))


@forgery(d.JOINT)
def joint_seal_by_a_stranger(subject: str) -> Vector:
    last = keepers()[2]
    twin = make_pki(at=d.AT).seal(last.seal.number, last.authority.name, last.authority.code)
    return s.against(with_seal(revision(1), 2, signer=twin.signer()))


@forgery(d.JOINT)
def joint_seals_exchanged(subject: str) -> Vector:
    data = d.licence(d.JOINT)
    one, two = [m.end() - 1 for m in re.finditer(rb"/Contents <", data)][1:]
    first, last = data.index(b">", one), data.index(b">", two)
    # Each keeps the length of its place: what was cut off or filled up is padding.
    mine, other = data[one:first].ljust(last - two, b"0"), data[two:last].ljust(first - one, b"0")
    assert not mine[last - two :].strip(b"0")
    assert not other[first - one :].strip(b"0")
    return s.against(data[:one] + other[: first - one] + data[first:two] + mine[: last - two] + data[last:])


# --- After the lock ---


@forgery(d.JOINT)
def joint_seal_after_the_lock(subject: str) -> Vector:
    return s.against(with_seal(d.licence(d.JOINT), 1))


@forgery(d.JOINT)
def joint_lock_sealed_again(subject: str) -> Vector:
    return s.against(with_seal(d.licence(d.JOINT), 2))


@forgery(d.JOINT)
def joint_last_seal_does_not_lock(subject: str) -> Vector:
    return s.against(with_seal(revision(1), 2, locks=False))


@forgery(d.JOINT)
def joint_second_seal_locks(subject: str) -> Vector:
    return finished(with_seal(revision(0), 1, locks=True), 2)


# --- A later seal that brings a change ---


@forgery(d.JOINT)
def joint_seal_with_a_forged_page(subject: str) -> Vector:
    data = revision(0)
    document = s.anatomy(d.licence(d.JOINT))
    content = d.tail(data).size + 2
    return finished(with_seal(data, 1, more=s.forged_page(document, at=content)), 2)


@forgery(d.JOINT)
def joint_seal_with_other_data(subject: str) -> Vector:
    number = s.of(d.JOINT).attachment
    return finished(with_seal(revision(0), 1, more={number: s.stream(b"{}", b"/Type/EmbeddedFile")}), 2)


@forgery(d.JOINT)
def joint_seal_with_other_metadata(subject: str) -> Vector:
    return s.against(with_seal(revision(1), 2, more={d.tail(revision(1)).info: b"<</Title(Another)>>"}))


@forgery(d.JOINT)
def joint_seal_with_an_annotation(subject: str) -> Vector:
    page = s.of(d.JOINT).pages[-1]
    number = d.tail(revision(0)).size + 2
    body = s.of(d.JOINT).body(page).replace(b"/Annots[", b"/Annots[%d 0 R " % number)
    note = b"<</Type/Annot/Subtype/FreeText/Rect[0 0 500 500]/F 4/DA(/F0 9 Tf)/Contents(FORGED)>>"
    return finished(with_seal(revision(0), 1, more={page: body, number: note}), 2)


@forgery(d.JOINT)
def joint_seal_changes_the_first(subject: str) -> Vector:
    first = fields()[0]
    number = d.tail(revision(0)).size + 2
    body = re.sub(rb"/AP<</N [0-9]+ 0 R", b"/AP<</N %d 0 R" % number, s.of(d.JOINT).body(first))
    return finished(with_seal(revision(0), 1, more={first: body, number: s.picture()}), 2)


@forgery(d.JOINT)
def joint_seal_fills_the_next_field(subject: str) -> Vector:
    third = fields()[2]
    body = d.body(revision(0), third)[:-2] + b"/V %d 0 R>>" % d.tail(revision(0)).size
    return s.against(with_seal(revision(0), 1, more={third: body}))


@forgery(d.JOINT)
def joint_seal_moved(subject: str) -> Vector:
    move = lambda body: re.sub(rb"/Rect\[[^\]]*\]", b"/Rect[0 0 119 119]", body)  # noqa: E731
    return finished(with_seal(revision(0), 1, field=move), 2)


@forgery(d.JOINT)
def joint_seal_as_large_as_the_page(subject: str) -> Vector:
    widen = lambda body: re.sub(rb"/Rect\[[^\]]*\]", b"/Rect[0 0 900 900]", body)  # noqa: E731
    return finished(with_seal(revision(0), 1, field=widen), 2)


@forgery(d.JOINT)
def joint_seal_hidden(subject: str) -> Vector:
    return finished(with_seal(revision(0), 1, field=lambda body: body.replace(b"/F 132", b"/F 2")), 2)


@forgery(d.JOINT)
def joint_seal_renamed(subject: str) -> Vector:
    return finished(with_seal(revision(0), 1, field=lambda body: body.replace(b"/T(Seal2)", b"/T(Other)")), 2)


@forgery(d.JOINT)
def joint_seal_with_an_action(subject: str) -> Vector:
    act = lambda body: body.replace(b"/F 132", b"/F 132/A<</S/JavaScript/JS(1)>>")  # noqa: E731
    return finished(with_seal(revision(0), 1, field=act), 2)


@forgery(d.JOINT)
def joint_seal_with_an_object_more(subject: str) -> Vector:
    return finished(with_seal(revision(0), 1, more={-1: b"<</Type/Page>>"}), 2)


@forgery(d.JOINT)
def joint_picture_with_a_layer(subject: str) -> Vector:
    layer = lambda body: body.replace(b"/Subtype/Form", b"/Subtype/Form/OC<</Type/OCG/Name(x)>>", 1)  # noqa: E731
    return finished(with_seal(revision(0), 1, picture=layer), 2)


@forgery(d.JOINT)
def joint_picture_from_elsewhere(subject: str) -> Vector:
    other = s.of(d.JOINT).appearance
    borrow = lambda _: s.stream(  # noqa: E731
        b"/X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 119 119]/Resources<</XObject<</X %d 0 R>>>>" % other
    )
    return finished(with_seal(revision(0), 1, picture=borrow), 2)


@forgery(d.JOINT)
def joint_seal_claims_an_earlier_hour(subject: str) -> Vector:
    claimed = (d.AT - timedelta(hours=2)).strftime("D:%Y%m%d%H%M%SZ").encode()
    return finished(with_seal(revision(0), 1, claimed=claimed), 2)


# --- Between two seals ---


@forgery(d.JOINT)
def joint_forged_page_between_seals(subject: str) -> Vector:
    document = s.anatomy(revision(1))
    return finished(s.update(document, s.forged_page(document)), 2)


@forgery(d.JOINT)
def joint_annotation_between_seals(subject: str) -> Vector:
    document = s.anatomy(revision(1))
    page, number = document.pages[-1], document.free
    body = document.body(page).replace(b"/Annots[", b"/Annots[%d 0 R " % number)
    note = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 500 500]/F 4/AP<</N %d 0 R>>>>" % (number + 1)
    return finished(s.update(document, {page: body, number: note, number + 1: s.picture()}), 2)


@forgery(d.JOINT)
def joint_tail_between_seals(subject: str) -> Vector:
    document = s.anatomy(revision(1))
    return finished(s.odd_update(document, s.forged_page(document), end=b""), 2)


@forgery(d.JOINT)
def joint_evidence_between_seals(subject: str) -> Vector:
    return finished(d.with_evidence(revision(1), d.evidence_for(d.SLUGS[0])), 2)


@forgery(d.JOINT)
def joint_archived_before_the_last_seal(subject: str) -> Vector:
    held = d.with_evidence(revision(1), d.evidence_for(d.SLUGS[0]))
    return s.against(d.with_archive_timestamp(held, 1))


# --- The first seal ---


def first(change: Change) -> Vector:
    """Return the joint document, its first revision changed and sealed so by its authority, the others genuine."""
    data = d.sealed(reframed(change(revision(0))), keepers()[0].signer)
    return finished(data, 1)


@forgery(d.JOINT)
def joint_first_seal_permits_annotations(subject: str) -> Vector:
    return first(lambda data: data.replace(b"/P 2/V/1.2", b"/P 3/V/1.2"))


@forgery(d.JOINT)
def joint_first_seal_permits_nothing(subject: str) -> Vector:
    return first(lambda data: data.replace(b"/P 2/V/1.2", b"/P 1/V/1.2"))


@forgery(d.JOINT)
def joint_lock_permits_annotations(subject: str) -> Vector:
    assert updates.LOCK in revision(0)
    return first(lambda data: data.replace(updates.LOCK, updates.LOCK.replace(b"/P 1", b"/P 3")))


@forgery(d.JOINT)
def joint_fields_in_another_order(subject: str) -> Vector:
    one, two = fields()[1:]
    old, new = b"%d 0 R %d 0 R]" % (one, two), b"%d 0 R %d 0 R]" % (two, one)
    return first(lambda data: data.replace(old, new, 1))
