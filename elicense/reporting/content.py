"""What the printable report says, piece by piece, in both languages at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elicense.model import BEIJING
from elicense.reporting.layout import INK, MUTED, Cell, Para
from elicense.reporting.plain import detailed
from elicense.reporting.words import HEADINGS, POLICIES
from elicense.verification.report import CheckStatus, Indication

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from elicense.reasons import Text
    from elicense.reporting.layout import Flow
    from elicense.verification.report import VerificationReport

GOOD, CAUTION = ("#14603a", "#e8f4ed"), ("#7c4d00", "#fcf2dc")
UNKNOWN, BAD = ("#414e60", "#edf0f5"), ("#9a1418", "#fbe9e8")
"""Ink and background of an answer; the words carry the meaning alone."""
_AUTHENTIC_TONES = {
    Indication.TOTAL_PASSED: GOOD,
    Indication.INDETERMINATE: UNKNOWN,
    Indication.TOTAL_FAILED: BAD,
}
_CHECK_TONES = {
    CheckStatus.PASSED: GOOD,
    CheckStatus.RECORDED: GOOD,
    CheckStatus.FAILED: BAD,
    CheckStatus.INDETERMINATE: CAUTION,
}
_SMALL = 7.5
MOST_ROWS = 200
"""Signatures, timestamps and revisions that are listed, each."""


def write_content(flow: Flow, report: VerificationReport, signer: str, *, demo: bool) -> None:
    """Everything the report says stands on the pages of `flow`.

    Args:
        flow: empty pages.
        report: what is reported.
        signer: name of whoever signs the report.
        demo: whether it comes from a demonstration, which the first page then says.
    """
    zh, en = detailed(report, "zh"), detailed(report, "en")
    _head(flow, demo=demo)
    _answers(flow, report, zh, en)
    _file(flow, report)
    if zh["licence"] is not None:
        _licence(flow, zh["licence"])
    _signatures(flow, zh, en)
    _timestamps(flow, zh)
    _revisions(flow, zh, en)
    _shown(flow, zh, en)
    _checks(flow, report, zh, en)
    flow.space(16)
    flow.say(*_both(HEADINGS["signed_by"], name=signer))
    flow.footers(lambda page, pages: _foot(report, page, pages))


def _head(flow: Flow, *, demo: bool) -> None:
    title = HEADINGS["title"]
    flow.say(Para(title.zh, 26, "hei"), tag="H1")
    flow.say(Para(title.en, 12, "hei", MUTED, lang="en"), after=6)
    nature = HEADINGS["nature"]
    flow.say(Para(nature.zh, 9.5, "hei"), Para(nature.en, 8.5, "song", MUTED, lang="en"))
    if demo:
        note = HEADINGS["demo"]
        flow.say(Para(note.zh, 9, "hei", CAUTION[0]), Para(note.en, 8, "song", CAUTION[0], lang="en"))
    flow.space(10)


def _answers(flow: Flow, report: VerificationReport, zh: dict[str, Any], en: dict[str, Any]) -> None:
    authentic = _AUTHENTIC_TONES[report.indication]
    force = UNKNOWN
    if report.indication is Indication.TOTAL_PASSED and report.policy != "general":
        state = report.in_force.state.value
        force = {"in_force": GOOD, "not_known": UNKNOWN}.get(state, CAUTION)
    as_of: tuple[str, ...] = (
        f"{HEADINGS['as_of'].zh} {_local(report.in_force.as_of)}",
        f"as of {_utc(report.in_force.as_of)}",
    )
    code = " / ".join(filter(None, (report.indication, report.sub_indication)))
    if report.policy == "general":
        as_of = ()
    reason = report.in_force.reason
    recorded = (f"{_named('recorded')}: {reason}",) if reason else ()
    flow.boxes(
        (
            (_answer(zh["authentic"], en["authentic"], authentic[0], (code,)), *authentic),
            (_answer(zh["in_force"], en["in_force"], force[0], (*as_of, *recorded)), *force),
        )
    )
    flow.space(8)
    rows = [
        (_label("why"), (Para(zh["why"], 10), _english(en["why"]))),
        (_label("what_to_do"), (Para(zh["what_to_do"], 10, "hei"), _english(en["what_to_do"]))),
    ]
    flow.table((22, 78), rows)


def _answer(zh: dict[str, Any], en: dict[str, Any], colour: str, notes: Iterable[str]) -> Cell:
    return (
        Para(f"{zh['question']} {en['question']}", 9, "song", MUTED),
        Para(zh["answer"], 21 if len(zh["answer"]) < 10 else 13, "hei", colour),
        Para(en["answer"], 11, "hei", colour, lang="en"),
        *(Para(note, _SMALL, "song", MUTED) for note in notes),
    )


def _file(flow: Flow, report: VerificationReport) -> None:
    _heading(flow, "file")
    policy = POLICIES.get(report.policy)
    rows = [
        (_label("sha256"), (Para(report.sha256),)),
        (_label("verified_at"), (Para(f"{_local(report.verified_at)}　{_utc(report.verified_at)}"),)),
        (_label("policy"), (Para(f"{policy.zh} {policy.en}" if policy else report.policy),)),
    ]
    if report.facts is not None:
        rows.insert(1, (_label("size"), (Para(f"{report.facts.size:,} B"),)))
    flow.table((22, 78), rows)


def _licence(flow: Flow, licence: dict[str, Any]) -> None:
    _heading(flow, "licence")
    until = licence["valid_until"] or "长期 no end"
    rows = [
        (_label("type"), (Para(licence["type"]),)),
        (_label("number"), (Para(licence["number"]),)),
        (_label("holder"), tuple(Para(name) for name in licence["holders"][:8])),
        (_label("authority"), tuple(Para(name) for name in licence["authorities"])),
        (_label("validity"), (Para(f"{licence['valid_from']} – {until}"),)),
        (_label("identifier"), (Para(licence["identifier"], _SMALL),)),
    ]
    flow.table((22, 78), rows)


def _signatures(flow: Flow, zh: dict[str, Any], en: dict[str, Any]) -> None:
    _heading(flow, "signatures")
    if not zh["signatures"]:
        flow.say(*_both(HEADINGS["none"]))
        return
    rows = [tuple(_label(key) for key in ("signer", "claimed_time", "coverage", "answer"))]
    for one, same in zip(zh["signatures"][:MOST_ROWS], en["signatures"][:MOST_ROWS], strict=True):
        passed = one["indication"] == Indication.TOTAL_PASSED
        name = one["name"] if passed else _named("unproven")
        who = [Para(name, 9, "hei"), Para(f"{one['kind_text']} {same['kind_text']}", _SMALL)]
        if not passed:
            claims = f"{HEADINGS['claims'].zh} {HEADINGS['claims'].en.lower()}: {one['name']}"
            who.append(Para(claims, _SMALL, "song", MUTED))
        if one["seal"]:
            who.append(Para(f"{HEADINGS['seal'].zh} {one['seal']}", _SMALL))
        if one["field"]:
            who.append(Para(f"{HEADINGS['field'].zh} {one['field']}", _SMALL))
        who.append(Para(f"SHA-256 {one['certificate']}", 6, "song", MUTED))
        proven = one["proven_time"] or _named("not_proven")
        when = (
            Para(one["claimed_time"] or "–"),
            Para(f"{_named('proven_time')}:", _SMALL, "song", MUTED),
            Para(proven, _SMALL),
        )
        covers = (
            Para(one["coverage_text"]), _english(same["coverage_text"]), Para(one["level_text"], _SMALL),
            _english(same["level_text"]),
        )  # fmt: skip
        colour = _AUTHENTIC_TONES[Indication(one["indication"])][0]
        answer = [Para(one["answer"], 10, "hei", colour), Para(same["answer"], 8, "hei", colour, lang="en")]
        if one["sub_indication"]:
            answer.append(Para(one["sub_indication"].replace("_", " "), 6.5, "song", MUTED))
        rows.append((tuple(who), when, covers, tuple(answer)))
    flow.table((38, 23, 22, 17), rows, head=True)
    _more(flow, len(zh["signatures"]))


def _timestamps(flow: Flow, zh: dict[str, Any]) -> None:
    if not zh["timestamps"]:
        return
    _heading(flow, "timestamps")
    rows = [tuple(_label(key) for key in ("field", "proven_time", "signer", "answer"))]
    for one in zh["timestamps"][:MOST_ROWS]:
        tone, said = (GOOD, "可信 trusted") if one["proves"] else (CAUTION, "未采信 not relied on")
        rows.append((
            (Para(one["field"]),), (Para(one["time"] or "–"),), (Para(one["authority"]),),
            (Para(said, 9, "hei", tone[0]),),
        ))  # fmt: skip
    flow.table((18, 25, 37, 20), rows, head=True)


def _revisions(flow: Flow, zh: dict[str, Any], en: dict[str, Any]) -> None:
    if len(zh["revisions"]) < 2:
        return
    _heading(flow, "revisions")
    rows = [tuple(_label(key) for key in ("revision", "changes", "signed_after"))]
    for one, same in zip(zh["revisions"][:MOST_ROWS], en["revisions"][:MOST_ROWS], strict=True):
        changes: list[Para] = []
        for change, other in zip(one["changes"][:8], same["changes"][:8], strict=True):
            changes.append(Para(f"{change['text']} {other['text']}"))
            if change["detail"]:
                changes.append(Para(change["detail"], _SMALL, "song", MUTED))
        first = (Para(_named("no_changes" if one["revision"] else "first_revision")),)
        nobody = _named("nobody")
        rows.append((
            (Para(str(one["revision"])), Para(f"{one['size']:,} B", _SMALL, "song", MUTED)),
            tuple(changes) or first, (Para("、".join(one["signed_after"]) or nobody, longest=900),),
        ))  # fmt: skip
        if len(one["changes"]) > 8:
            rows.append(((Para(""),), (Para(f"…… +{len(one['changes']) - 8}"),), (Para(""),)))
    flow.table((14, 58, 28), rows, head=True)
    _more(flow, len(zh["revisions"]))


def _shown(flow: Flow, zh: dict[str, Any], en: dict[str, Any]) -> None:
    shown = zh["shown"]
    if shown is None:
        return
    _heading(flow, "shown")
    note = HEADINGS["shown_note"]
    flow.say(Para(note.zh, 8.5, "song", MUTED), _english(note.en))
    if shown["text"]:
        flow.say(Para(shown["text"], 9.5, "hei"), _english(en["shown"]["text"]))
    rows: list[tuple[Cell, ...]] = [(_label("sealed_sha256"), (Para(shown["sealed_sha256"]),))]
    for page in shown["pages"]:
        label = HEADINGS["page"]
        lines = [
            Para(f"− {HEADINGS['removed'].zh} gone: {line}", 8.5, "song", BAD[0]) for line in page["removed"]
        ]
        lines += [
            Para(f"+ {HEADINGS['added'].zh} new: {line}", 8.5, "song", GOOD[0]) for line in page["added"]
        ]
        # A row stays together, so a long one is cut into several.
        for start in range(0, len(lines), 5):
            name = Para(f"{label.zh} {label.en}".format(page=page["page"]), 8.5, "hei", MUTED)
            rows.append(((name,), tuple(lines[start : start + 5])))
    flow.table((22, 78), rows)


def _checks(flow: Flow, report: VerificationReport, zh: dict[str, Any], en: dict[str, Any]) -> None:
    _heading(flow, "checks")
    rows: list[tuple[Cell, ...]] = [((Para("#", 8, "hei", MUTED),), _label("check"), _label("answer"))]
    for outcome, one, same in zip(report.checks, zh["checks"], en["checks"], strict=True):
        said = [Para(one["question"]), _english(same["question"])]
        if one["reason"]:
            said += [Para(one["answer"], 8.5, "hei"), _english(same["answer"])]
        if one["advice"]:
            said += [Para(one["advice"], 8.5), _english(same["advice"])]
        code = ": ".join(part for part in (outcome.reason, outcome.detail) if part)
        if code:
            said.append(Para(code, 6.5, "song", MUTED, lang="en"))
        colour = _CHECK_TONES.get(outcome.status, UNKNOWN)[0]
        status = (
            Para(one["status_text"], 9, "hei", colour),
            Para(same["status_text"], _SMALL, "song", colour, "en"),
        )
        rows.append(((Para(str(outcome.number)),), tuple(said), status))
    flow.table((6, 72, 22), rows, head=True)


def _more(flow: Flow, count: int) -> None:
    """Say how many rows are not shown."""
    if count > MOST_ROWS:
        flow.say(*_both(HEADINGS["more"], count=str(count - MOST_ROWS)))


def _foot(report: VerificationReport, page: int, pages: int) -> tuple[Para, ...]:
    left = f"{_named('title')} · 不是证照 not a licence · {report.sha256[:16]}…"
    return Para(left, _SMALL, "song", MUTED), Para(f"{page} / {pages}", _SMALL, "song", MUTED, align="right")


def _heading(flow: Flow, key: str) -> None:
    text = HEADINGS[key]
    flow.heading(Para(text.zh, 12, "hei"), Para(text.en, 9, "hei", MUTED, lang="en"))


def _label(key: str) -> Cell:
    text = HEADINGS[key]
    return Para(text.zh, 8.5, "hei", MUTED), Para(text.en, _SMALL, "song", MUTED, lang="en")


def _named(key: str) -> str:
    return f"{HEADINGS[key].zh} {HEADINGS[key].en}"


def _english(text: str) -> Para:
    return Para(text, 8, "song", MUTED, lang="en")


def _both(text: Text, **values: str) -> tuple[Para, Para]:
    return Para(text.zh.format_map(values), 9, colour=INK), _english(text.en.format_map(values))


def _local(moment: datetime) -> str:
    return f"北京时间 {moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
