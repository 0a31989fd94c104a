"""The front door: every name is there, and importing it loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import elicense


@pytest.mark.parametrize("name", elicense.__all__)
def test_every_public_name_is_there(name):
    """Each listed name can be imported from the package."""
    assert getattr(elicense, name) is not None
    assert name in dir(elicense)


def test_other_names_are_not():
    """An unknown name is an AttributeError as in any module."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = elicense.no_such_name


def test_importing_loads_nothing_heavy():
    """The package itself loads no library; the verifier loads no renderer, database or Flask, and its parsers late."""
    script = (
        "import sys, elicense\n"
        "assert not {'cryptography', 'pydantic', 'reportlab'} & set(sys.modules)\n"
        "elicense.verify\n"
        "assert not {'asn1crypto', 'pyhanko_certvalidator'} & set(sys.modules)\n"
        "elicense.load_trust\n"
        "assert not {'reportlab', 'sqlalchemy', 'flask', 'pypdf', 'segno'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
