"""The command line: exit statuses, one JSON object a line, one plain sentence for an error, never a traceback."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest

from elicense import demo
from elicense.cli import common, run
from elicense.cli.common import LANGUAGES
from elicense.issuing import Step, issue
from tests.support.demonstration import AT, SLUG, folder

DAY = timedelta(days=1)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's root after the demo: a copy of the shared demonstration in var/demo, the clock at AT."""
    shutil.copytree(folder(), tmp_path / "var" / "demo")
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    set_clock(monkeypatch, AT)
    return tmp_path


def set_clock(monkeypatch, moment):
    """Let the command line read `moment` from the clock."""
    for module in ("verify", "office", "demonstrate", "doctor"):
        monkeypatch.setattr(f"elicense.cli.{module}.now", lambda: moment)


@pytest.fixture
def issued(project, capsys):
    """The JSON that `issue` printed for one licence in the project, and its file."""
    assert run(["issue", SLUG, "--json", "--out", "licence.pdf"]) == 0
    return json.loads(capsys.readouterr().out)


def lines(capsys):
    """Return the JSON objects printed since the last look."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_verify_says_both_answers_and_that_the_trust_is_a_demo(issued, capsys):
    """From the project's root the demo's trust and register are found; the output says that they are a demo's."""
    assert run(["verify", "licence.pdf"]) == 0
    shown = capsys.readouterr()
    assert "authentic? yes (TOTAL_PASSED)" in shown.out
    assert "in force? yes (in_force" in shown.out
    assert "demo trust" in shown.out
    assert "not" in shown.err
    assert "invented" in shown.err


def test_verify_speaks_chinese(issued, capsys):
    """With --lang zh everything a person reads is Chinese."""
    assert run(["verify", "licence.pdf", "--lang", "zh"]) == 0
    shown = capsys.readouterr()
    assert "是否真实 是" in shown.out
    assert "演示信任" in shown.err


def test_verify_json_is_the_agreed_object(issued, capsys):
    """One object a file, with exactly the agreed keys and all twelve checks."""
    assert run(["verify", "licence.pdf", "licence.pdf", "--json"]) == 0
    first, second = lines(capsys)
    assert first == second
    assert list(first) == ["file", "sha256", "authentic", "in_force", "signatures", "checks"]
    assert first["file"] == "licence.pdf"
    assert first["sha256"] == issued["sha256"]
    assert first["authentic"] == {"indication": "TOTAL_PASSED", "sub_indication": None}
    assert set(first["in_force"]) == {"state", "as_of", "reason"}
    assert set(first["signatures"][0]) == {
        "field", "signer", "seal", "claimed_time", "proven_time", "coverage", "modification",
    }  # fmt: skip
    assert [set(check) for check in first["checks"]] == [
        {"code", "status", "indication", "sub_indication", "detail"}
    ] * 12


EXTENSION = b"\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
"""What somebody added behind the seal."""


def test_verify_speaks_of_signatures_under_general(issued, project, capsys):
    """For any PDF the second answer does not apply, who signed is a signer, and equal lines are counted."""
    assert run(["verify", "licence.pdf", "--policy", "general"]) == 0
    shown = capsys.readouterr().out
    assert "in force? does not apply (no licence of this system)" in shown
    assert "signed by" in shown
    assert "sealed" not in shown
    data = bytearray((project / "licence.pdf").read_bytes())
    data[data.index(b"/ByteRange") // 2] ^= 1
    (project / "altered.pdf").write_bytes(data)
    assert run(["verify", "altered.pdf", "--policy", "general", "--lang", "zh"]) == 1
    assert "文件内容在签名之后被改动" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_verify_says_what_keeps_a_file_from_being_read(project, capsys, monkeypatch):
    """A file without permission and a device are named as such, not as wrong usage."""
    (project / "locked.pdf").touch()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    assert run(["verify", "/dev/null", "--lang", "zh"]) == 2
    assert "这是一个设备" in capsys.readouterr().err
    monkeypatch.setattr("elicense.cli.verify._read", refuse)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert run(["verify", "locked.pdf", "--lang", "zh"]) == 2
    assert "locked.pdf: 没有权限" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "lang", "said"), [
    ("simple", "en", "Authentic? authentic (TOTAL_PASSED)"), ("simple", "zh", "是否真实？ 真实 (TOTAL_PASSED)"),
    ("detailed", "en", "== All checks =="), ("detailed", "zh", "== 逐项检查 =="),
    ("diagnostic", "en", '"report": "diagnostic"'), ("etsi", "en", "urn:etsi:019102:mainindication:"),
])  # fmt: skip
def test_verify_writes_reports(issued, project, capsys, kind, lang, said):
    """Each kind goes to standard output, or into a file with the same words; the exit status stays."""
    at = ["--at", "2026-03-09T00:00:00Z", "--lang", lang]
    assert run(["verify", "licence.pdf", "--report", kind, *at]) == 0
    shown = capsys.readouterr().out
    assert said in shown
    assert run(["verify", "licence.pdf", "--report", kind, "-o", "report", *at]) == 0
    answers = capsys.readouterr().out
    assert "(TOTAL_PASSED)" in answers
    assert answers.splitlines()[-1].endswith(" report" if lang == "en" else "报告 report")
    assert (project / "report").read_text("utf-8") == shown
    assert run(["verify", "licence.pdf", "--report", kind, "-o", "report", "--json", *at]) == 0
    assert capsys.readouterr().out == ""


def test_verify_reports_are_json_on_request(issued, capsys):
    """With --json the simple and the detailed report are one object."""
    assert run(["verify", "licence.pdf", "--report", "detailed", "--json"]) == 0
    (report,) = lines(capsys)
    assert report["report"] == "detailed"
    assert len(report["checks"]) == 12


def test_verify_writes_a_signed_pdf_report(issued, project, capsys):
    """In a demonstration the PDF is signed with its report key; elsewhere a key must be named."""
    assert run(["verify", "licence.pdf", "--report", "pdf", "-o", "report.pdf"]) == 0
    assert (project / "report.pdf").read_bytes().startswith(b"%PDF-1.7")
    assert run(["verify", "report.pdf"]) != 0
    capsys.readouterr()
    trust = ["--trust", "var/demo/trust/register.json"]
    assert run(["verify", "licence.pdf", "--report", "pdf", "-o", "other.pdf", *trust]) == 2
    assert "--report-key" in capsys.readouterr().err
    assert not (project / "other.pdf").exists()
    key = ["--report-key", "var/demo/keys/report/key.pem"]
    key += ["--report-certificates", "var/demo/keys/report/certificates.pem"]
    assert run(["verify", "licence.pdf", "--report", "pdf", "-o", "other.pdf", *trust, *key]) == 0
    assert (project / "other.pdf").exists()


@pytest.mark.parametrize("arguments", [
    ["licence.pdf", "--report", "pdf"], ["licence.pdf", "-o", "x"], ["licence.pdf", "--report", "nonsense"],
    ["licence.pdf", "licence.pdf", "--report", "simple", "-o", "x"],
    ["licence.pdf", "--extract-sealed", "licence.pdf"], ["licence.pdf", "--report", "etsi", "-o", "./licence.pdf"],
    ["licence.pdf", "--report", "etsi", "-o", "x", "--extract-sealed", "x"],
    ["licence.pdf", "--field", "Seal"], ["licence.pdf", "--report", "simple", "--field", "Seal"],
    ["licence.pdf", "--report-key", "key.pem"], ["licence.pdf", "--report-certificates", "certificates.pem"],
    ["licence.pdf", "--report", "pdf", "-o", "x", "--report-key", "key.pem"],
])  # fmt: skip
def test_verify_refuses_reports_that_make_no_sense(issued, project, capsys, arguments):
    """Wrong combinations are wrong usage, and no file is ever overwritten by what was made of it."""
    before = (project / "licence.pdf").read_bytes()
    assert run(["verify", *arguments]) == 2
    assert (project / "licence.pdf").read_bytes() == before
    assert not (project / "x").exists()


def test_verify_extracts_what_was_sealed(issued, project, capsys):
    """The sealed revision of an extended file is the issued file again; the answers are those of the whole file."""
    sealed = (project / "licence.pdf").read_bytes()
    (project / "extended.pdf").write_bytes(sealed + EXTENSION)
    assert run(["verify", "extended.pdf", "--extract-sealed", "out.pdf"]) == 1
    assert (project / "out.pdf").read_bytes() == sealed
    shown = capsys.readouterr().out
    assert f"{len(EXTENSION)} bytes stand behind it" in shown
    assert "What was sealed or signed, and what is shown" in shown
    assert run(["verify", "out.pdf", "--extract-sealed", "again.pdf"]) == 0
    assert "nothing stands behind it" in capsys.readouterr().out
    assert run(["verify", "extended.pdf", "--extract-sealed", "no.pdf", "--field", "Sael"]) == 1
    assert "no signature field 'Sael' says what it covers: name no field" in capsys.readouterr().err
    assert not (project / "no.pdf").exists()
    assert run(["verify", "extended.pdf", "--extract-sealed", "out.pdf", "--json"]) == 1
    assert lines(capsys)[0]["shown"]["sealed_size"] == len(sealed)


def test_verify_extracts_nothing_from_a_file_without_a_seal(project, capsys):
    """One sentence says that there is nothing to take out; the exit status is the answer's."""
    (project / "plain.pdf").write_bytes(b"%PDF-1.7\n")
    plain = run(["verify", "plain.pdf"])
    capsys.readouterr()
    assert run(["verify", "plain.pdf", "--extract-sealed", "out.pdf"]) == plain
    assert "no seal or signature in the file says what it covers" in capsys.readouterr().err
    assert not (project / "out.pdf").exists()


def test_verify_exit_statuses(issued, project, capsys):
    """0 good, 1 altered or no PDF, 2 not to be opened, 3 undecided, 4 not in force; of several the worst."""
    data = (project / "licence.pdf").read_bytes()
    position = data.index(b"/ByteRange") // 2
    (project / "altered.pdf").write_bytes(
        data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
    )
    (project / "text.pdf").write_text("not a PDF")
    (project / "empty.pdf").touch()
    (project / "cut.pdf").write_bytes(data[: len(data) // 2])
    (project / "folder").mkdir()
    assert run(["verify", "altered.pdf"]) == 1
    assert run(["verify", "text.pdf"]) == 1
    assert run(["verify", "empty.pdf"]) == 1
    assert run(["verify", "cut.pdf"]) == 1
    assert run(["verify", "missing.pdf"]) == 2
    assert run(["verify", "folder"]) == 2
    assert run(["verify"]) == 2
    assert run(["verify", "licence.pdf", "--at", "soon"]) == 2
    assert run(["verify", "licence.pdf", "--offline", "--at", "2020-01-01T00:00:00+08:00"]) == 3
    assert run(["verify", "licence.pdf", "missing.pdf"]) == 2
    assert run(["verify", "missing.pdf", "altered.pdf"]) == 1
    assert run(["revoke", issued["identifier"], "--reason", "fraud"]) == 0
    capsys.readouterr()
    assert run(["verify", "licence.pdf"]) == 4
    assert "NO, revoked" in capsys.readouterr().out
    assert run(["verify", "licence.pdf", "missing.pdf"]) == 2


def test_verify_offline_asks_no_register(issued, project, capsys):
    """Offline, a revoked licence is authentic and its state is not known."""
    assert run(["revoke", issued["identifier"], "--reason", "fraud"]) == 0
    capsys.readouterr()
    assert run(["verify", "licence.pdf", "--offline", "--json"]) == 0
    (answer,) = lines(capsys)
    assert answer["authentic"]["indication"] == "TOTAL_PASSED"
    assert answer["in_force"]["state"] == "not_known"


def test_verify_elsewhere_needs_trust(issued, project, capsys, monkeypatch):
    """Outside the demo's project nobody is known unless --trust says who is; demo trust is not used by itself."""
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    assert run(["verify", "../licence.pdf"]) == 3
    assert "--trust" in capsys.readouterr().err
    assert run(["verify", "../licence.pdf", "--trust", "../var/demo/trust/register.json"]) == 0
    anchors = ["--trust", "../var/demo/trust/anchors.pem", "--trust", "../var/demo/trust/crls.pem"]
    assert run(["verify", "../licence.pdf", *anchors]) == 0
    assert run(["verify", "../licence.pdf", "--trust", "missing.pem"]) == 2
    monkeypatch.chdir(project / "var" / "demo" / "trust")
    assert run(["verify", "../../../licence.pdf"]) == 0


def test_issue_writes_the_document_and_says_what_next(project, capsys):
    """Without options the sample is issued into a new file here, and the next command is named."""
    assert run(["issue", SLUG]) == 0
    shown = capsys.readouterr()
    (file,) = project.glob("*.pdf")
    assert file.read_bytes().startswith(b"%PDF-1.7")
    assert f"elicense verify {file.name}" in shown.out


def test_issue_from_data(project, capsys, monkeypatch):
    """What --sample prints can be edited and given back, from a file or standard input."""
    assert run(["issue", SLUG, "--sample"]) == 0
    request = json.loads(capsys.readouterr().out)
    request["fields"]["domicile"] = "示例省样例市新测试路1号"
    request["issued_on"] = "2026-03-07"
    (project / "request.json").write_text(json.dumps(request), "utf-8")
    assert run(["issue", SLUG, "--data", "request.json", "--out", "a.pdf", "--json"]) == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(request).encode())))
    assert run(["issue", SLUG, "--data", "-", "--out", "b.pdf", "--json"]) == 0
    first, second = lines(capsys)
    assert first["number"] != second["number"]
    office = demo.load(project / "var" / "demo")
    licence = office.registry.get(first["identifier"]).licence
    assert licence.fields["domicile"] == "示例省样例市新测试路1号"
    assert str(licence.issued_on) == "2026-03-07"


WRONG_DATA = {
    "nested without end": "[" * 100_000,
    "a member twice": '{"holders": [], "holders": [], "fields": {}}',
    "not a number": '{"holders": [], "fields": {"domicile": NaN}}',
    "not text": "\x00",
    "not JSON": "{",
    "not an object": "[]",
    "unknown key": '{"holders": [], "fields": {}, "number": "1"}',
    "no holders": '{"fields": {}}',
    "wrong holder": '{"holders": [{"name": "x"}], "fields": {}}',
    "fields no object": '{"holders": [], "fields": []}',
    "no day": '{"holders": [], "fields": {}, "issued_on": "2026-02-30"}',
    "short day": '{"holders": [], "fields": {}, "issued_on": "20260201"}',
    "number as text": '{"holders": [], "fields": {}, "case_number": 7}',
    "no holder": '{"holders": [], "fields": {}}',
}


@pytest.mark.parametrize("name", WRONG_DATA)
def test_wrong_data_is_one_sentence(project, capsys, name):
    """Data of the wrong form are refused with one line and status 1, and nothing is reserved."""
    (project / "request.json").write_text(WRONG_DATA[name])
    assert run(["issue", SLUG, "--data", "request.json"]) == 1
    shown = capsys.readouterr()
    assert re.fullmatch(r"elicense: [^\n]+\n", shown.err)
    assert shown.out == ""
    assert len(shown.err) < 300
    assert demo.load(project / "var" / "demo").registry.unfinished() == ()
    assert list(project.glob("*.pdf")) == []


def test_errors_are_one_sentence_in_the_chosen_language(project, capsys, monkeypatch):
    """Refusals exit 1, configuration and files 2; the sentence follows --lang and the locale."""
    assert run(["issue", "no-such-type"]) == 1
    english = capsys.readouterr().err
    assert run(["issue", "no-such-type", "--lang", "zh"]) == 1
    chinese = capsys.readouterr().err
    assert english.count("\n") == chinese.count("\n") == 1
    assert english.isascii()
    assert not chinese.isascii()
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert run(["issue", "no-such-type"]) == 1
    assert capsys.readouterr().err == chinese
    assert run(["issue", SLUG, "--data", "missing.json"]) == 2
    assert run(["issue", SLUG, "--out", "nowhere/x.pdf"]) == 2
    assert run(["status", "1.2.3", "--folder", "nowhere"]) == 2
    assert run(["no-such-command"]) == 2


WRONG_USAGE = {
    "no argument": ["issue"],
    "too many": ["issue", "a", "b"],
    "no such option": ["issue", "--nope"],
    "no such command": ["nope"],
    "no such choice": ["verify", "x.pdf", "--policy", "x"],
    "no number": ["seal", "preview", "a.svg", "--width", "3"],
    "no value": ["types", "--lang"],
    "a folder": ["issue", SLUG, "--out", "."],
    "no reason": ["revoke", "x"],
    "no time": ["verify", "x.pdf", "--at", "yesterday"],
    "time before time": ["verify", "x.pdf", "--at", "0001-01-01"],
    "wrong ending": ["seal", "preview", "seal.png"],
    "no file": ["issue", SLUG, "--data", "missing.json"],
    "no folder": ["issue", SLUG, "--out", "nowhere/x.pdf"],
    "no demo": ["issue", SLUG, "--folder", "nowhere"],
    "no trust": ["verify", "x.pdf", "--trust", "missing.pem"],
    "missing file": ["verify", "missing.pdf"],
}


@pytest.mark.parametrize("name", WRONG_USAGE)
def test_wrong_usage_is_one_sentence_in_either_language(project, capsys, name):
    """Wrong usage exits 2 with one line, in Chinese where Chinese was asked for, wherever --lang stands."""
    # The line about the demonstration's trust comes first where a file was to be verified.
    assert run(["--lang", "en", *WRONG_USAGE[name]]) == 2
    english = capsys.readouterr().err.splitlines()[-1]
    assert run(["--lang", "zh", *WRONG_USAGE[name]]) == 2
    chinese = capsys.readouterr().err.splitlines()[-1]
    assert english.startswith("elicense: ")
    assert chinese.startswith("elicense: ")
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert not re.search("[\u4e00-\u9fff]", english)


def test_an_error_names_its_field_once(project, capsys):
    """A field that the sentence names itself is not said before it too; with --json the error is an object."""
    (project / "r.json").write_text('{"holders": [], "fields": {"no_such": "x"}}')
    assert run(["issue", SLUG, "--data", "r.json", "--json"]) == 1
    shown = capsys.readouterr()
    (answer,) = map(json.loads, shown.out.splitlines())
    assert answer["error"]["code"] == "invalid_licence_data"
    assert shown.err.count(answer["error"]["field"]) == 1


def test_a_place_that_cannot_be_written_spends_no_number(project, capsys, monkeypatch):
    """Where the document could not be written nothing is issued; if it fails later, the licence is not lost."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert run(["issue", SLUG, "--out", "x.pdf"]) == 2
    assert demo.load(project / "var" / "demo").registry.unfinished() == ()
    monkeypatch.undo()
    monkeypatch.chdir(project)
    set_clock(monkeypatch, AT)
    capsys.readouterr()
    assert run(["issue", SLUG, "--out", "/proc/x.pdf"]) == 2
    error = capsys.readouterr().err
    (digest,) = re.findall("[0-9a-f]{64}", error)
    assert "do not issue again" in error
    assert demo.load(project / "var" / "demo").store.get(digest).startswith(b"%PDF")


@pytest.mark.parametrize("reason", ["", "   ", "a\u202eb", "\x1b[31m", "x" * 3000])
def test_a_reason_is_a_reason(issued, capsys, reason):
    """What the public will read is checked like any printed text, and nothing changes without it."""
    assert run(["suspend", issued["identifier"], "--reason", reason]) == 1
    assert "reason" in capsys.readouterr().err
    assert run(["status", issued["identifier"], "--json"]) == 0
    assert lines(capsys)[0]["state"] == "issued"


def test_states_are_said_in_chinese(issued, capsys):
    """State, history and refusal use Chinese words with --lang zh."""
    assert run(["suspend", issued["identifier"], "--reason", "正在复核", "--lang", "zh"]) == 0
    assert "已暂扣" in capsys.readouterr().out
    assert run(["status", issued["identifier"], "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert "suspended" not in shown
    assert "正在复核" in shown
    assert run(["suspend", issued["identifier"], "--reason", "正在复核", "--lang", "zh"]) == 1
    assert "suspended" not in capsys.readouterr().err


def test_verify_reads_standard_input_and_says_what_to_do(issued, project, capsys, monkeypatch):
    """- is standard input; a file that is not authentic is followed by what to do."""
    data = (project / "licence.pdf").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(["verify", "-"]) == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data[:-1] + b"x")))
    capsys.readouterr()
    assert run(["verify", "-"]) == 1
    assert "what to do" in capsys.readouterr().out


def test_a_file_name_that_is_no_text_is_shown_as_its_codes(project):
    """Bytes that are no text and line ends in a file's name neither stop the run nor forge a line of the answer."""
    for name in (b"bad\xffname.pdf", b"a\n  authentic? yes.pdf"):
        (project / os.fsdecode(name)).write_bytes(b"x")
        command = [sys.executable.encode(), b"-m", b"elicense", b"verify", name]
        for more in ([], [b"--json"]):
            done = subprocess.run(
                [*command, *more], capture_output=True, check=False, timeout=60, cwd=project
            )
            assert done.returncode == 1, done.stderr
            assert b"Traceback" not in done.stderr
            assert b"\n  authentic? yes" not in done.stdout


def test_language_of_the_locale():
    """LC_ALL goes before LC_MESSAGES before LANG; anything but Chinese is English."""
    assert LANGUAGES.guess({}) == "en"
    assert LANGUAGES.guess({"LANG": "zh_CN.UTF-8"}) == "zh"
    assert LANGUAGES.guess({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}) == "en"
    assert LANGUAGES.guess({"LANG": "de_DE", "LC_MESSAGES": "zh_TW"}) == "zh"


def test_a_licence_through_its_states(issued, capsys):
    """Suspend, reinstate and revoke are recorded with their reasons; what is not possible is refused."""
    identifier = issued["identifier"]
    assert run(["suspend", identifier, "--reason", "inspection"]) == 0
    assert run(["reinstate", identifier, "--reason", "mended"]) == 0
    assert run(["revoke", identifier, "--reason", "fraud"]) == 0
    assert run(["reinstate", identifier, "--reason", "regret"]) == 1
    assert run(["void", identifier, "--reason", "regret"]) == 1
    capsys.readouterr()
    assert run(["status", identifier, "--json"]) == 0
    (status,) = lines(capsys)
    assert (status["state"], status["in_force"]) == ("revoked", "revoked")
    changes = [(change["state"], change["reason"]) for change in status["history"]]
    assert changes == [
        ("reserved", None),
        ("issued", None),
        ("suspended", "inspection"),
        ("issued", "mended"),
        ("revoked", "fraud"),
    ]
    assert run(["status", identifier]) == 0
    assert "fraud" in capsys.readouterr().out
    assert run(["status", identifier + "0"]) == 1


def test_resume_finishes_what_was_left(project, capsys):
    """A reservation left by a crash is finished and named; then nothing is left."""

    class KilledError(Exception):
        pass

    def kill(step):
        raise KilledError

    office = demo.load(project / "var" / "demo")
    with pytest.raises(KilledError):
        issue(office.catalogue[SLUG].sample_request(), office, at=AT, on_step=kill)
    assert run(["doctor"]) == 0
    assert "elicense resume" in capsys.readouterr().out
    assert run(["resume", "--json"]) == 0
    (result,) = lines(capsys)
    assert (result["state"], result["error"]) == ("issued", None)
    assert run(["resume"]) == 0
    assert "0 of 0" in capsys.readouterr().out


def test_resume_says_what_it_cannot_finish(project, capsys, monkeypatch):
    """A licence that cannot be finished is named with its reason, and the status is 1."""
    office = demo.load(project / "var" / "demo")

    def kill(step):
        if step is Step.SEALED:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        issue(office.catalogue[SLUG].sample_request(), office, at=AT, on_step=kill)
    set_clock(monkeypatch, AT + 800 * DAY)
    assert run(["resume", "--json"]) == 1
    (result,) = lines(capsys)
    assert result["state"] == "reserved"
    assert result["error"]
    assert run(["void", result["identifier"], "--reason", "certificate expired"]) == 0


def test_types_lists_every_type(project, capsys):
    """All shipped types are listed with both names, for people and for scripts."""
    slugs = {one.slug for one in demo.load(project / "var" / "demo").catalogue.types}
    assert run(["types", "--json"]) == 0
    assert {one["type"] for one in lines(capsys)} == slugs
    assert run(["types", "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert all(slug in shown for slug in slugs)
    assert "食品经营许可证" in shown


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_seal_preview(project, capsys, suffix):
    """A seal is drawn at its true size into the kind of file its name says."""
    out_file = project / f"seal.{suffix}"
    arguments = ["seal", "preview", str(out_file), "--lower", "电子证照专用章", "--code", "99010100000001"]
    assert run([*arguments, "--specimen", "--level", "city"]) == 0
    assert "42 × 42 mm" in capsys.readouterr().out
    content = out_file.read_bytes()
    assert (b"42mm" in content) if suffix == "svg" else content.startswith(b"%PDF")


def test_seal_preview_refuses(project, capsys):
    """A wrong kind of file is wrong usage, a text that is no organ's name is refused."""
    assert run(["seal", "preview", "seal.png"]) == 2
    assert run(["seal", "preview", "seal.svg", "--text", "局"]) == 1
    assert run(["seal", "preview", "seal.svg", "--picture", "missing.png"]) == 2
    assert not (project / "seal.svg").exists()


def test_doctor_is_content_with_a_fresh_demo(project, capsys):
    """Nothing is bad: Python, SQLite, fonts, types, seals, lists, register, disk are all looked at."""
    assert run(["doctor", "--json"]) == 0
    findings = lines(capsys)
    assert {"python", "sqlite", "font", "types", "demo", "seal", "revocation", "register", "disk"} <= {
        finding["subject"] for finding in findings
    }
    assert all(finding["grade"] in {"good", "note"} for finding in findings)


def test_doctor_finds_what_is_out_of_date(project, capsys, monkeypatch):
    """Three years later seals and revocation lists are out of date, and doctor says so."""
    set_clock(monkeypatch, AT + 1100 * DAY)
    assert run(["doctor", "--json"]) == 1
    bad = {finding["subject"] for finding in lines(capsys) if finding["grade"] == "bad"}
    assert {"seal", "revocation"} <= bad


def test_doctor_finds_an_open_key(project, capsys):
    """A key file that others can read is bad, and the remedy is named."""
    key = next((project / "var" / "demo" / "keys").glob("*.key.pem"))
    key.chmod(0o644)
    assert run(["doctor"]) == 1
    assert "chmod 600" in capsys.readouterr().out


def test_doctor_works_without_a_demo(tmp_path, monkeypatch, capsys):
    """Elsewhere the machine alone is looked at, and the missing demo is a note."""
    monkeypatch.chdir(tmp_path)
    assert run(["doctor", "--lang", "zh"]) == 0
    assert "elicense demo" in capsys.readouterr().out


def test_a_damaged_demo_is_a_sentence(project, capsys):
    """A damaged marker or trust register stops every command with one sentence and status 2."""
    (project / "var" / "demo" / "demo.json").write_text("{}")
    assert run(["issue", SLUG]) == 2
    assert "elicense demo" in capsys.readouterr().err
    (project / "var" / "demo" / "trust" / "register.json").write_text("{}")
    assert run(["verify", "x.pdf"]) == 2


def test_the_installed_program_starts():
    """`python -m elicense` runs outside any project, prints its version, and fails without a traceback."""
    command = [sys.executable, "-m", "elicense"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert re.search(r"\d+\.\d+\.\d+", version.stdout)


def test_a_reader_that_stops_reading_gets_no_traceback():
    """If standard output is closed early, the run ends without a word."""
    command = [sys.executable, "-m", "elicense", "types", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) in {0, 1}


def test_clock_is_read_once_at_the_edge():
    """The command line's clock is UTC and aware."""
    assert common.now().utcoffset() == timedelta(0)


def test_a_bare_command_shows_the_help(capsys):
    """Without any argument the commands are listed, as wrong usage and not as a failure."""
    assert run([]) == 2
    assert "verify" in "".join(capsys.readouterr())
