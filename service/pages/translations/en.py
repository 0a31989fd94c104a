"""Texts of the pages in English."""

TEXTS = {
    "html_lang": "en",
    "site": "Licence verification",
    "other_language": "中文",
    "skip": "Skip to content",
    "demo": "Demonstration: the authorities here are invented, and no seal here has legal force.",
    "start.title": "Verify an electronic licence",
    "start.lead": (
        "Drop the PDF licence you were given and get two answers at once: is it authentic, and is it in "
        "force?"
    ),
    "start.how": "How to verify",
    "start.how.file": "You were sent a PDF: drop it above.",
    "start.how.paper": (
        "You were shown paper: scan its QR code to see what the register says, and ask for the PDF. How "
        "the paper looks proves nothing."
    ),
    "start.how.address": "Check that the address in your browser is the one the issuing authority publishes.",
    "drop.hint": "Drag the PDF here",
    "drop.label": "Choose a PDF file",
    "drop.button": "Verify",
    "drop.privacy": "The file is checked in memory and not kept. No account needed. At most {limit} MB.",
    "drop.other": "Another signed PDF",
    "drop.general": "It is no licence of this system: verify its signatures by the general rule",
    "drop.general.note": (
        "Tick this first, then choose the file. The general rule says whether signatures can be relied on, "
        "not whether a licence is in force."
    ),
    "drop.busy": "Verifying, one moment …",
    "drop.too_large": (
        "The file is larger than {limit} MB, so it was not looked at and nothing can be said about it. "
        "Check it with the command line tool."
    ),
    "again": "Verify another",
    "two_answers": "Two answers",
    "authentic.question": "Authentic?",
    "authentic.about.TOTAL_PASSED": "sealed by the authority below, unchanged since",
    "authentic.about.TOTAL_PASSED.general": "the signatures are good, and no change was made that may not be",
    "authentic.about.INDETERMINATE": "the check reached no conclusion",
    "authentic.about.TOTAL_FAILED": "the seal is not valid, or does not fit the content",
    "authentic.about.TOTAL_FAILED.general": "a signature is not valid, or does not fit the content",
    "authentic.about.damaged": "no sealed document in good order",
    "authentic.about.damaged.general": "no signed file in good order",
    "authentic.TOTAL_PASSED": "Authentic",
    "authentic.INDETERMINATE": "Cannot be confirmed",
    "authentic.TOTAL_FAILED": "Not authentic",
    "authentic.damaged": "Damaged or altered",
    "authentic.another": "No licence in good order",
    "authentic.about.another": "altered, or no licence of this system",
    "force.question": "In force?",
    "force.as_of": "as of {moment}",
    "force.in_force": "In force",
    "force.conditional": "In force, with conditions",
    "force.suspended": "Suspended",
    "force.revoked": "Revoked",
    "force.expired": "Expired",
    "force.not_yet_valid": "Not yet valid",
    "force.superseded": "Replaced",
    "force.not_known": "Not known",
    "force.general": "Does not apply",
    "force.about.general": "this is no licence of this system",
    "force.reason": "Reason on record: {reason}",
    "headline.in_force": "Authentic and in force",
    "headline.conditional": "Authentic, in force with conditions",
    "headline.suspended": "Authentic but not in force (suspended)",
    "headline.revoked": "Authentic but not in force (revoked)",
    "headline.expired": "Authentic but not in force (expired)",
    "headline.superseded": "Authentic but not in force (replaced)",
    "headline.not_yet_valid": "Authentic but not yet valid",
    "headline.not_known": "Authentic; not known whether in force",
    "headline.general": "Authentic signatures",
    "headline.INDETERMINATE": "Cannot be confirmed",
    "headline.TOTAL_FAILED": "Not authentic",
    "headline.damaged": "Damaged or altered",
    "headline.another": "No licence in good order",
    "headline.too_large": "Cannot be confirmed",
    "reason.in_force": (
        "This file was sealed by the authority below and has not changed since; the register says the "
        "licence is in force."
    ),
    "reason.conditional": (
        "The file is authentic; the register says the licence is in force with conditions still to be met."
    ),
    "reason.suspended": "The file is authentic, but the licence is suspended and may not be used now.",
    "reason.revoked": "The file is authentic, but the licence was revoked and is no longer valid.",
    "reason.expired": "The file is authentic, but the licence's period of validity is over.",
    "reason.superseded": "The file is authentic, but the licence was replaced by a newer one.",
    "reason.not_yet_valid": "The file is authentic, but the licence's period of validity has not begun.",
    "reason.not_known": (
        "The file was sealed by the authority below and has not changed since; whether the licence is "
        "in force now is not known."
    ),
    "reason.general": (
        "Every signature in the file can be relied on, and nothing was changed afterwards that may not be. "
        "Whether the content is true is the signers' word."
    ),
    "reason.INDETERMINATE": "That does not make the file a forgery, nor does it make it authentic.",
    "reason.TOTAL_FAILED": "Do not rely on what the file says.",
    "reason.damaged": (
        "It is no sealed document in good order: damaged on its way, or altered. Do not rely on what it says."
    ),
    "reason.another": "Do not rely on what it says.",
    "reason.damaged.general": (
        "It is no signed file in good order: damaged on its way, or altered. Do not rely on what it says."
    ),
    "reason.too_large": (
        "The file is larger than {limit} MB and was not looked at: nothing is known about it."
    ),
    "advice.title": "What to do",
    "advice.in_force": (
        "Compare what is written below with the licence you are shown. If anything differs, you were "
        "shown another licence."
    ),
    "advice.suspended": (
        "Do not act on this licence. In doubt, ask the issuing authority below, or ask the holder for a "
        "licence in force."
    ),
    "advice.revoked": (
        "Do not act on this licence. In doubt, ask the issuing authority below, or ask the holder for a "
        "licence in force."
    ),
    "advice.expired": (
        "Do not act on this licence. In doubt, ask the issuing authority below, or ask the holder for a "
        "licence in force."
    ),
    "advice.superseded": (
        "Do not act on this licence. In doubt, ask the issuing authority below, or ask the holder for a "
        "licence in force."
    ),
    "advice.conditional": (
        "See whether its conditions are met before you act on it; in doubt, ask the issuing authority below."
    ),
    "advice.not_yet_valid": "Use it from its first day of validity on, or ask the issuing authority below.",
    "advice.not_known": "Ask the issuing authority below whether the licence is in force.",
    "advice.general": "Make sure that the signers below are those who should have signed this file.",
    "advice.INDETERMINATE": "Until then, do not act on it.",
    "advice.TOTAL_FAILED": "To reach the authority, use its official channels, not the details in this file.",
    "advice.TOTAL_FAILED.general": "To reach the signer, use contacts you know already, not those in this file.",
    "advice.damaged": "If the original gives the same result, ask the issuing authority.",
    "advice.damaged.general": "If the original gives the same result, ask the signer.",
    "advice.another": (
        'If it never was a licence of this system, tick "Another signed PDF" below and verify it again.'
    ),
    "advice.too_large": (
        "Check it with the command line tool `elicense verify`, or ask the issuing authority."
    ),
    "issuer.title": "Sealed by",
    "issuer.title.general": "Signed by",
    "issuer.note": "Names come from the register of trusted authorities, never from the text of the file.",
    "issuer.note.general": "Names come from the trust register, or from certificates of trusted authorities.",
    "issuer.seal": "Seal number",
    "issuer.claimed": "Claimed time of sealing",
    "issuer.claimed.general": "Claimed time of signing",
    "issuer.proven": "Proven time of sealing",
    "issuer.proven.general": "Proven time of signing",
    "issuer.not_proven": "no timestamp",
    "issuer.count": "Signatures",
    "issuer.some": "{moment} ({known} of {count} signatures)",
    "compare.title": "Compare with the licence you are shown",
    "compare.note": "If the paper or the screen says anything else, do not trust it.",
    "compare.matches": "This file is the licence whose QR code you scanned.",
    "compare.differs": (
        "Careful: this file is not the licence whose QR code you scanned. Do not rely on what the paper says."
    ),
    "label.type": "Type of licence",
    "label.number": "Licence number",
    "label.identifier": "Licence identifier",
    "label.holder": "Holder",
    "label.authority": "Issuing authority",
    "label.issued_on": "Date of issue",
    "label.validity": "Validity",
    "label.state": "State in the register",
    "value.to": "{start} to {end}",
    "value.long_term": "from {start}, long term",
    "value.and_others": "{first} and others ({count} in all)",
    "value.more": "… ({count} rows in all, see the file)",
    "experts.title": "For experts",
    "experts.checks": "Every check",
    "experts.number": "No.",
    "experts.check": "Check",
    "experts.answer": "Result",
    "experts.signatures": "Seals",
    "experts.signatures.general": "Signatures",
    "experts.none": "No seal found.",
    "experts.none.general": "No signature found.",
    "experts.certificate": "Certificate SHA-256",
    "experts.coverage": "Coverage",
    "experts.profile": "PAdES level",
    "experts.sha256": "File SHA-256",
    "experts.indication": "Indication",
    "experts.policy": "Policy",
    "experts.time": "Verified at",
    "report.title": "Verification report",
    "report.pdf": "Download the signed PDF report",
    "report.detailed": "Open the detailed report",
    "report.etsi": "Download the XML report",
    "report.note": (
        "Made from this result, without sending the file again; no file is kept here, and this page can fetch "
        "its reports for an hour."
    ),
    "shown.title": "The file was extended after it was sealed",
    "shown.title.general": "The file was extended after it was signed",
    "shown.title.same": "What was added after sealing",
    "shown.title.same.general": "What was added after signing",
    "shown.lead": "Against the version that was sealed, the text shown now differs as follows:",
    "shown.lead.general": "Against the version that was signed, the text shown now differs as follows:",
    "shown.gone": "gone",
    "shown.new": "new",
    "experts.claims": "The certificate says",
    "experts.proves": "trusted",
    "experts.proves_not": "not relied on",
    "experts.timestamps": "Document timestamps",
    "experts.revisions": "Revision by revision",
    "experts.changes": "What changed",
    "experts.signed": "Signed it or after",
    "check.PASSED": "passed",
    "check.FAILED": "failed",
    "check.INDETERMINATE": "undecided",
    "check.NOT_RUN": "not run",
    "check.RECORDED": "on record",
    "check.NOT_CONFIGURED": "does not apply",
    "check.NOT_KNOWN": "not known",
    "status.title": "State of a licence in the register",
    "status.lead": (
        "This is what the register says. It does not prove that the paper or file before you is genuine."
    ),
    "status.file": "To check the file itself, drop the PDF",
    "status.absent.title": "The register has no such licence",
    "status.absent": (
        "No licence was issued under this identifier. If a QR code on a licence led you here, do not "
        "trust that licence: ask the authority it names."
    ),
    "footer": "This page answers two questions, is it authentic and is it in force, and never mixes them.",
    "footer.api": "API description",
    "error.title": "This did not work",
    "error.reference": "Reference: {reference}",
    "error.back": "Back to the verify page",
}
