"""What all registers do alike: names for a new licence, changes of state, the answer to "in force?"."""

from __future__ import annotations

import secrets
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from elicense.errors import IdempotencyConflict, IllegalTransition, LicenceNotFound, NumberTaken
from elicense.identifiers import DIGITS_AND_CAPITALS, LicenceIdentifier
from elicense.model import BEIJING, InForce, Licence, LicenceDraft, LicenceState, LicenceStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from elicense.model import Validity
    from elicense.registry.protocol import DocumentEvidence, LicenceRecord, StateChange

SERIAL_LENGTH = 20
"""Characters of 流水号: 20 of 36 kinds are 103 bits, for the identifier stands in public addresses."""

_CONTENT = attrgetter(*LicenceDraft.__dataclass_fields__)
"""Everything that a licence takes over from its draft, in the order in which both have it."""

_CHANGES = {
    LicenceState.ISSUED: {LicenceState.SUSPENDED, LicenceState.REVOKED, LicenceState.SUPERSEDED},
    LicenceState.SUSPENDED: {LicenceState.ISSUED, LicenceState.REVOKED, LicenceState.SUPERSEDED},
}

STATES_ZH = {
    LicenceState.RESERVED: "已预留",
    LicenceState.ISSUED: "已签发",
    LicenceState.SUSPENDED: "已暂扣",
    LicenceState.REVOKED: "已撤销",
    LicenceState.SUPERSEDED: "已被替代",
    LicenceState.VOID: "已作废",
}
"""What a state is called in Chinese; in English it is called by its own name."""

_ENDED = {
    LicenceState.REVOKED: InForce.REVOKED,
    # A sealed file of a voided number may have survived a crash somewhere; it must never count as in force.
    LicenceState.VOID: InForce.REVOKED,
    LicenceState.SUPERSEDED: InForce.SUPERSEDED,
}


def new_licence(
    draft: LicenceDraft, *, number: str, at: datetime, entropy: Callable[[int], bytes] = secrets.token_bytes
) -> Licence:
    """Return the draft with everything fixed that the bytes of its document depend on.

    The serial is random, not counted: the printed number already counts, and a counted serial would let
    anyone who holds one licence walk through the addresses of all others.

    Args:
        draft: checked content.
        number: the printed number, already formed from the sequence.
        at: moment of reservation, UTC; cut to whole seconds it becomes the claimed time of signing.
        entropy: gives n unguessable bytes.
    """
    return Licence(
        *_CONTENT(draft),
        identifier=LicenceIdentifier(draft.type_code, draft.authority.code, _serial(entropy(20)), 1),
        number=number,
        signing_time=at.replace(microsecond=0),
        document_id=entropy(16).hex(),
    )


def numbered(draft: LicenceDraft, *, number: str, at: datetime, entropy: Callable[[int], bytes]) -> Licence:
    """Return what is to be reserved under `number`: the proposed licence, changed only if need be, or a new one.

    Args:
        draft: checked content, or a licence that `Registry.propose` returned.
        number: the printed number.
        at: moment of reservation, UTC.
        entropy: gives n unguessable bytes.
    """
    if not isinstance(draft, Licence):
        return new_licence(draft, number=number, at=at, entropy=entropy)
    signing_time = at.replace(microsecond=0)
    if (draft.number, draft.signing_time) == (number, signing_time):
        return draft
    return replace(draft, number=number, signing_time=signing_time)


def _serial(random: bytes) -> str:
    """Return SERIAL_LENGTH characters from 20 random bytes; the bias is below 2 to the -56."""
    value, characters = int.from_bytes(random, "big"), ""
    for _ in range(SERIAL_LENGTH):
        value, digit = divmod(value, len(DIGITS_AND_CAPITALS))
        characters += DIGITS_AND_CAPITALS[digit]
    return characters


def require_commit(record: LicenceRecord, evidence: DocumentEvidence) -> bool:
    """Return True if `record` waits for its document, False if this very document was committed before.

    Raises IllegalTransition in every other case: the first finished document of a licence is the only one.
    """
    if record.state is LicenceState.RESERVED and len(record.interim) == len(record.licence.joint_authorities):
        return True
    if record.state is LicenceState.ISSUED and record.document == evidence:
        return False
    raise illegal(record, LicenceState.ISSUED)


def require_copy(record: LicenceRecord, evidence: DocumentEvidence) -> bool:
    """Return True if `evidence` is of a new archive copy, False if this very copy is on record already.

    Raises IllegalTransition if there is no finished document, or these bytes are on record as something else.
    """
    if evidence in record.archive_copies:
        return False
    number = record.licence.number
    if record.document is None:
        raise IllegalTransition(
            f"licence {number} is {record.state} and has no document to archive: finish it first",
            f"证照 {number} 当前状态为“{STATES_ZH[record.state]}”，尚无可归档的文件：请先完成签发",
        )
    if evidence.sha256 in {known.sha256 for known in (record.document, *record.archive_copies)}:
        raise IllegalTransition(
            f"these bytes of licence {number} are on record with other particulars: look at its record first",
            f"证照 {number} 的该文件已登记，但登记内容不同：请先查看其登记记录",
        )
    return True


def require_void(record: LicenceRecord) -> None:
    """Return if the number may be voided. Raises IllegalTransition unless it is RESERVED."""
    if record.state is not LicenceState.RESERVED:
        raise illegal(record, LicenceState.VOID)


def require_change(record: LicenceRecord, state: LicenceState) -> None:
    """Return if a finished licence may go to `state`. Raises IllegalTransition otherwise."""
    if state not in _CHANGES.get(record.state, set()):
        raise illegal(record, state)


def require_interim(record: LicenceRecord, evidence: DocumentEvidence, seals: int) -> bool:
    """Return True if `evidence` is of the document with the next seal, False if it is on record as just that.

    Raises IllegalTransition in every other case: out of turn, twice, or a last seal, which finishes the licence.
    """
    if record.interim[seals - 1 : seals] == (evidence,):
        return False
    next_one = seals == len(record.interim) + 1 <= len(record.licence.joint_authorities)
    if record.state is LicenceState.RESERVED and next_one:
        return True
    number, zh = record.licence.number, STATES_ZH[record.state]
    raise IllegalTransition(
        f"licence {number} is {record.state} with {len(record.interim)} seals and cannot take number {seals}: "
        "look at its history first",
        f"证照 {number}（{zh}）已盖 {len(record.interim)} 枚印章，不能登记第 {seals} 枚：请先查看其办理记录",
    )


def status_at(validity: Validity, history: Sequence[StateChange], *, at: datetime) -> LicenceStatus:
    """Return whether a licence with this validity and history (oldest first) is in force at `at`.

    Later changes do not count: who asks about a day in the past is told what was true on it.
    """
    known = [change for change in history if change.at <= at]
    if not known:
        return LicenceStatus(InForce.NOT_KNOWN, at)
    return _status(validity, known[-1].state, known[-1].reason, at)


def status_of(record: LicenceRecord, *, at: datetime) -> LicenceStatus | None:
    """Return whether a licence is in force at `at`, as its record alone tells; None if it changed since `at`.

    The register answers for any time; who has just read the record need not ask again about now.
    """
    if at < record.changed_at:
        return None
    return _status(record.licence.validity, record.state, record.reason, at)


def _status(validity: Validity, state: LicenceState, reason: str | None, at: datetime) -> LicenceStatus:
    """Return what a licence last changed to `state` is at `at`."""
    if state is LicenceState.RESERVED:
        return LicenceStatus(InForce.NOT_KNOWN, at)
    day = at.astimezone(BEIJING).date()
    if state in _ENDED:
        found = _ENDED[state]
    elif validity.end is not None and day > validity.end:
        found = InForce.EXPIRED
    elif state is LicenceState.SUSPENDED:
        found = InForce.SUSPENDED
    elif day < validity.start:
        found = InForce.NOT_YET_VALID
    else:
        return LicenceStatus(InForce.IN_FORCE, at)
    return LicenceStatus(found, at, reason)


def illegal(record: LicenceRecord, wanted: LicenceState) -> IllegalTransition:
    """Return the error that says a licence cannot go where it was sent."""
    number, zh = record.licence.number, STATES_ZH
    return IllegalTransition(
        f"licence {number} is {record.state} and cannot become {wanted}: look at its history first",
        f"证照 {number} 当前状态为“{zh[record.state]}”，不能改为“{zh[wanted]}”：请先查看其办理记录",
    )


def not_found(identifier: str) -> LicenceNotFound:
    """Return the error for an identifier that the register does not know."""
    return LicenceNotFound(
        f"the register has no licence {identifier!r}: copy the identifier again from the licence",
        f"登记库中没有证照 {identifier!r}：请按证照重新填写证照标识",
    )


def number_taken(number: str) -> NumberTaken:
    """Return the error for a printed number that another licence already bears."""
    return NumberTaken(
        f"the number {number} is already in use: make the number formats of the licence types differ",
        f"证照编号 {number} 已被使用：有两个证照类型的编号格式相同，请修改其中一个",
    )


def identifier_taken(identifier: str) -> NumberTaken:
    """Return the error for a licence that is on record already and is to be reserved as if it were proposed."""
    return NumberTaken(
        f"the licence {identifier} is on record already: propose a new one from its draft",
        f"证照 {identifier} 已在登记库中：请用申请内容重新拟定",
    )


def conflict(key: str) -> IdempotencyConflict:
    """Return the error for an idempotency key that came back with other content."""
    return IdempotencyConflict(
        f"the idempotency key {key!r} was used for a different request: use a new key for a new request",
        f"幂等键 {key!r} 已用于内容不同的申请：新的申请请使用新的键",
        field="idempotency_key",
    )
