"""The XML validation report holds to the schema of ETSI TS 119 102-2, fetched as EU DSS publishes it."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from oracles import BUILT, missing, require, run

from elicense.reporting.etsi import NAMESPACE, etsi_report
from tests.support.reports import every_report

pytestmark = pytest.mark.interop

JARS = ("validation-report", "xades", "xmldsig", "trusted-list")
VERSION = "6.4"
FILES = {
    "xmldsig-core-schema.xsd": "xmldsig",
    "xml.xsd": "xmldsig",
    "XAdES.xsd": "xades",
    "XAdES01903v132-202407.xsd": "xades",
    "ts_119612v020401_xsd.xsd": "trusted-list",
}
SAME = {"ts_119612v020201_201601xsd.xsd": "ts_119612v020401_xsd.xsd"}
"""What the schema calls a file -> what the jar calls it."""


def read(jar: str, name: str) -> bytes:
    """Return a file of one of the jars, fetched once."""
    path = BUILT / f"specs-{jar}-{VERSION}.jar"
    if not path.exists():
        artifact = f"eu.europa.ec.joinup.sd-dss:specs-{jar}:{VERSION}"
        done = run(
            require("mvn"), "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={BUILT}",
            timeout=300,
        )  # fmt: skip
        if not path.exists():
            missing(f"{artifact} could not be fetched: {done.stdout[-300:]}")
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"xsd/{name}")


class Resolver(etree.Resolver):
    """Finds imported schemas in the jars; nothing is fetched from the addresses they name."""

    def resolve(self, url, public_id, context):  # noqa: ARG002 - lxml's signature
        """Return the file of that name."""
        name = Path(url).name
        name = SAME.get(name, name)
        return self.resolve_string(read(FILES[name], name), context, base_url=url)


@cache
def schema():
    """Return the schema, ready."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Resolver())
    return etree.XMLSchema(etree.fromstring(read("validation-report", "TS119102-2-v141.xsd"), parser))


@pytest.mark.parametrize("name", sorted(every_report()))
def test_every_report_is_valid(name):
    """Whatever was found, the XML holds to the schema and says the same as the report."""
    report = every_report()[name]
    tree = etree.fromstring(etsi_report(report))
    schema().assertValid(tree)
    found = tree.findall(f"{{{NAMESPACE}}}SignatureValidationReport")
    assert len(found) == max(1, len(report.signatures))


def test_the_schema_tells_wrong_from_right():
    """A report with an indication missing is refused: the schema is at work."""
    tree = etree.fromstring(etsi_report(every_report()["sealed"]))
    status = tree.find(
        f".//{{{NAMESPACE}}}SignatureValidationReport/{{{NAMESPACE}}}SignatureValidationStatus"
    )
    status.remove(status[0])
    assert not schema().validate(tree)


def test_a_name_that_no_xml_can_hold_is_no_trouble():
    """Control characters and half surrogates of a hostile file do not break the report."""
    report = every_report()["sealed"]
    nasty = replace(report.signatures[0], field="\0\ud800<&>\x1b[31m")
    tree = etree.fromstring(etsi_report(replace(report, signatures=(nasty,))))
    schema().assertValid(tree)
