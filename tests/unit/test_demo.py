"""The demonstration: made, made on, loaded, and never in a folder of somebody else's."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from datetime import timedelta

import pytest

from elicense import demo
from elicense.catalogue import templates_folder
from elicense.cli import run
from elicense.errors import ConfigurationError, InvalidTemplate
from elicense.issuing import issue
from elicense.pki.trust import PathStatus, find_path
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.support.demonstration import AT, folder

DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path):
    """A demonstration of one's own, copied from the shared one."""
    return shutil.copytree(folder(), tmp_path / "demo")


def test_every_type_has_an_authority_whose_seal_is_a_specimen():
    """For each sample there is a keeper with the right use, a seal that bears 样本, a valid path and an entry."""
    office = demo.load(folder())
    assert office.trust.demo
    for licence_type in office.catalogue.types:
        code = licence_type.sample_authority().code
        (keeper,) = [
            keeper
            for keeper in office.keepers
            if keeper.authority.code == code and keeper.seal.use == licence_type.seal_use
        ]
        assert keeper.seal.art.specimen
        assert keeper.seal.authority_code == code
        path = find_path(keeper.signer.certificate, keeper.signer.chain, office.trust, AT)
        assert path.status is PathStatus.VALID
        (entry,) = office.trust.entries(keeper.seal.certificates[0])
        assert licence_type.type_code in entry.type_codes
        assert entry.seal_number == keeper.seal.number


def test_authorities_and_seals_are_counted_once():
    """Two types of one authority share its seal; every seal has a number of its own."""
    office = demo.load(folder())
    numbers = [keeper.seal.number for keeper in office.keepers]
    assert len(set(numbers)) == len(numbers)
    pairs = [(keeper.authority.code, keeper.seal.use) for keeper in office.keepers]
    assert len(set(pairs)) == len(pairs) < len(office.catalogue.types) + 1


def test_private_keys_are_for_their_owner_only(home):
    """Key files and the register have mode 0600."""
    secrets = [
        *home.glob("keys/*.key.pem"),
        *home.glob("ca/*.key.pem"),
        home / "register.sqlite",
        home / "token",
    ]
    assert len(secrets) > 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_made_again_it_keeps_what_is_good(home):
    """A second build keeps seals, keys and register; licences of before are still authentic, numbers go on."""
    office = demo.load(home)
    request = office.catalogue["food-business-licence"].sample_request()
    first = issue(request, office, at=AT)
    again = demo.build(home, at=AT + 30 * DAY)
    assert [keeper.seal for keeper in again.keepers] == [keeper.seal for keeper in office.keepers]
    report = verify(first.pdf, trust=again.trust, at=AT + 30 * DAY, registry=again.registry)
    assert report.indication is Indication.TOTAL_PASSED
    assert issue(request, again, at=AT + 30 * DAY).record.licence.number > first.record.licence.number


def test_seals_out_of_date_are_made_anew(home):
    """Three years later a build gives new seals, with new numbers, and issuing works."""
    late = AT + 1000 * DAY
    office = demo.build(home, at=late)
    old = {keeper.seal.number for keeper in demo.load(folder()).keepers}
    assert {keeper.seal.number for keeper in office.keepers}.isdisjoint(old)
    issue(office.catalogue["food-business-licence"].sample_request(), office, at=late)


def test_a_new_type_gets_its_authority_without_any_code(home, tmp_path):
    """A folder added to the templates is served after the next build, by a new seal if it names a new authority."""
    templates = tmp_path / "templates"
    source = templates_folder() / "food-business-licence"
    shutil.copytree(source, templates / "food-business-licence")
    shutil.copytree(source, templates / "street-food-licence")
    definition = templates / "street-food-licence" / "type.yaml"
    definition.write_text(
        definition.read_text("utf-8").replace("1011Q002", "1011Q902").replace("JY{", "SF{"), "utf-8"
    )
    sample = templates / "street-food-licence" / "sample.json"
    content = json.loads(sample.read_text("utf-8"))
    content["authority"] |= {"name": "样例市夜市管理局", "code": "11990100MB0000001T"}
    sample.write_text(json.dumps(content), "utf-8")
    office = demo.build(home, at=AT, templates=templates)
    assert len(office.keepers) == len(demo.load(folder()).keepers) + 1
    issued = issue(office.catalogue["street-food-licence"].sample_request(), office, at=AT)
    assert issued.record.licence.authority.name == "样例市夜市管理局"


def test_an_interrupted_build_is_made_on(home):
    """Whatever part is missing is made again; without its authority the old seals are not used any more."""
    shutil.rmtree(home / "ca")
    office = demo.build(home, at=AT)
    issue(office.catalogue["food-business-licence"].sample_request(), office, at=AT)
    shutil.rmtree(home / "trust")
    assert demo.build(home, at=AT).trust.register


def test_folders_of_others_are_left_alone(tmp_path):
    """A folder that is not empty and not marked, or a file, is refused and not touched."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("dear")
    for path in ("theirs", "file"):
        with pytest.raises(ConfigurationError):
            demo.build(tmp_path / path, at=AT)
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["letter.txt"]
    with pytest.raises(ConfigurationError):
        demo.load(tmp_path / "theirs")


def test_wrong_templates_are_named(tmp_path):
    """Templates without any type are an error of the templates."""
    with pytest.raises(InvalidTemplate):
        demo.build(tmp_path / "demo", at=AT, templates=tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", '{"schema": "other", "seals": []}', '{"schema": "elicense/demo/1"}']
)
def test_a_damaged_marker_is_named(home, content):
    """A marker that cannot be read is a configuration error that says what to do."""
    (home / "demo.json").write_text(content)
    with pytest.raises(ConfigurationError, match="delete the folder"):
        demo.load(home)


def test_the_demo_command_shows_every_verdict(tmp_path, monkeypatch, capsys):
    """One licence of each type passes, the altered copy fails, and the files lie where the output says."""
    monkeypatch.chdir(tmp_path)
    assert run(["demo", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(row["as_expected"] for row in rows)
    assert [row["authentic"] for row in rows] == ["TOTAL_PASSED"] * (len(rows) - 1) + ["TOTAL_FAILED"]
    assert len(rows) == len(demo.load(tmp_path / "var" / "demo").catalogue.types) + 1
    assert all((tmp_path / row["file"]).read_bytes().startswith(b"%PDF") for row in rows)
    assert run(["verify", rows[-1]["file"]]) == 1
    assert run(["verify", *(row["file"] for row in rows[:-1])]) == 0
    assert run(["demo", "--lang", "zh"]) == 0
    shown = capsys.readouterr()
    assert "改动一个字节" in shown.out
    assert "演示信任" in shown.err
    assert "run.py serve" in shown.out


def test_fonts_in_the_folder_are_used(home):
    """A fonts.toml in the folder's own `fonts` changes a role for all that is issued from it."""
    own = home / "fonts"
    own.mkdir()
    font = templates_folder() / "fonts" / "NotoSerifSC-Bold.otf"
    shutil.copy(font, own / "own.otf")
    digest = hashlib.sha256(font.read_bytes()).hexdigest()
    (own / "fonts.toml").write_text(
        f'schema = 1\n[faces.own]\nfile = "own.otf"\nsha256 = "{digest}"\n[roles.kai]\nfaces = ["own"]\n'
    )
    before, after = demo.load(folder()).fonts, demo.load(home).fonts
    assert "kai" in {one.role for one in before.stand_ins}
    assert "kai" not in {one.role for one in after.stand_ins}
    assert before.engine != after.engine
