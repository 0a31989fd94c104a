"""Licence types read from their folders: what they ask for, who may issue them, how they are numbered."""

from elicense.catalogue.definition import FieldKind, FieldSpec, load_model, load_yaml
from elicense.catalogue.types import Catalogue, LicenceType, templates_folder

__all__ = [
    "Catalogue",
    "FieldKind",
    "FieldSpec",
    "LicenceType",
    "load_model",
    "load_yaml",
    "templates_folder",
]
