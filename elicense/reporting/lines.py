"""The simple and the detailed report as lines of text, for a terminal or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elicense.reporting.words import HEADINGS, NO_FORCE, POLICIES, heading, named, without_changes

if TYPE_CHECKING:
    from collections.abc import Iterator


def text_of(plain: dict[str, Any]) -> str:
    """Return what `plain.simple` or `plain.detailed` made, as text in its language, ending with a line feed."""
    return "".join(f"{line}\n" for line in _lines(plain))


def _lines(plain: dict[str, Any]) -> Iterator[str]:
    lang = plain["lang"]
    code = "/".join(filter(None, (plain["authentic"]["indication"], plain["authentic"]["sub_indication"])))
    yield heading("title", lang)
    yield heading("nature", lang)
    yield ""
    yield f"{plain['authentic']['question']} {plain['authentic']['answer']} ({code})"
    force = plain["in_force"]
    yield f"{force['question']} {force['answer']}" + (
        "" if force["answer"] == NO_FORCE(lang) else _as_of(force, lang)
    )
    yield _row("why", plain["why"], lang)
    yield _row("what_to_do", plain["what_to_do"], lang)
    yield ""
    for one in plain["signed"]:
        yield _row("signer", one["name"], lang)
        yield "  " + _row("claimed_time", one["claimed_time"] or "-", lang)
        yield "  " + _row("proven_time", one["proven_time"] or heading("not_proven", lang), lang)
    if plain["licence"] is not None:
        yield from _licence(plain["licence"], lang)
    yield _row("sha256", plain["sha256"], lang)
    yield _row("verified_at", plain["verified_at"], lang)
    yield _row("policy", named(POLICIES, plain["policy"], lang), lang)
    if plain["report"] == "detailed":
        yield from _details(plain, lang)


def _as_of(force: dict[str, Any], lang: str) -> str:
    recorded = f", {heading('recorded', lang)}: {force['reason']}" if force["reason"] else ""
    return f" ({heading('as_of', lang)} {force['as_of']}{recorded})"


def _licence(licence: dict[str, Any], lang: str) -> Iterator[str]:
    for key in ("type", "number", "identifier"):
        yield _row(key, licence[key], lang)
    yield _row("holder", "、".join(licence["holders"]), lang)
    yield _row("authority", "、".join(licence["authorities"]), lang)
    yield _row(
        "validity", f"{licence['valid_from']} – {licence['valid_until'] or heading('long_term', lang)}", lang
    )


def _details(plain: dict[str, Any], lang: str) -> Iterator[str]:
    yield from _title("signatures", lang)
    if not plain["signatures"]:
        yield heading("none", lang)
    for index, one in enumerate(plain["signatures"], 1):
        proven = one["indication"] == "TOTAL_PASSED"
        code = "/".join(filter(None, (one["indication"], one["sub_indication"])))
        yield f"{index}. {one['name'] if proven else heading('unproven', lang)}: {one['answer']} ({code})"
        if not proven:
            yield "   " + _row("claims", one["name"], lang)
        for key, value in (
            ("kind", one["kind_text"]), ("seal", one["seal"]), ("field", one["field"]),
            ("claimed_time", one["claimed_time"]),
            ("proven_time", one["proven_time"] or heading("not_proven", lang)), ("level", one["level_text"]),
            ("coverage", one["coverage_text"]), ("certificate", one["certificate"]),
        ):  # fmt: skip
            if value:
                yield "   " + _row(key, value, lang)
    for stamp in plain["timestamps"]:
        yield _row("timestamps", f"{stamp['field']} {stamp['time']} {stamp['authority']}", lang)
    yield from _revisions(plain["revisions"], lang)
    if plain["shown"] is not None:
        yield from shown_lines(plain["shown"], lang)
    yield from _title("checks", lang)
    for check in plain["checks"]:
        yield f"{check['number']:>2} {check['question']} {check['status_text']}"
        said = (check["answer"], check["advice"]) if check["reason"] else ()
        code = ": ".join(filter(None, (check["reason"], check["detail"])))
        for text in filter(None, (*said, f"[{code}]" if code else "")):
            yield f"   {text}"


def _revisions(revisions: list[dict[str, Any]], lang: str) -> Iterator[str]:
    if len(revisions) < 2:
        return
    yield from _title("revisions", lang)
    for one in revisions:
        changes = [
            change["text"] + (f" [{change['detail']}]" if change["detail"] else "")
            for change in one["changes"]
        ]
        said = "; ".join(changes) or without_changes(one["revision"])(lang)
        yield f"{one['revision']:>2} {said}"
        yield "   " + _row("signed_after", ", ".join(one["signed_after"]) or heading("nobody", lang), lang)


def shown_lines(shown: dict[str, Any], lang: str) -> Iterator[str]:
    """Yield what `plain.detailed` says under `shown`: how the text differs from what was sealed."""
    yield from _title("shown", lang)
    yield shown["note"]
    yield _row("sealed_sha256", shown["sealed_sha256"], lang)
    for page in shown["pages"]:
        yield heading("page", lang, page=page["page"])
        yield from (f"  - {line}" for line in page["removed"])
        yield from (f"  + {line}" for line in page["added"])
    if shown["text"]:
        yield shown["text"]


def _title(key: str, lang: str) -> tuple[str, str]:
    return "", f"== {heading(key, lang)} =="


def _row(key: str, value: str, lang: str) -> str:
    return HEADINGS[key](lang) + ("：" if lang == "zh" else ": ") + value
