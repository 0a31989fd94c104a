"""A verification's report for its readers: in plain words, as data, as ETSI XML, as a signed PDF.

Same content through library, command line and service. This package loads what renders and signs only for the PDF.

    plain      simple and detailed, in Chinese or English, as plain values; diagnostic, all facts
    lines      simple and detailed as lines of text
    etsi       XML validation report, ETSI TS 119 102-2
    document   a printable report as PDF, signed with the key of whoever verified
    identity   the throw-away report key of a demonstration
"""

REPORTS = ("simple", "detailed", "diagnostic", "etsi", "pdf")
"""Every kind there is."""
