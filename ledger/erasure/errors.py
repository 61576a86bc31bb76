"""What is refused of erasures and legal holds."""

from __future__ import annotations

from ledger.errors import Erased, LedgerError, NotFound


class SubjectErased(Erased):
    """Nothing personal is recorded of a subject any more; nothing of the command was saved."""

    code = "subject_erased"
    zh = "此人的个人信息已按要求删除，不能再记录新的内容；如需继续，请重新登记。"
    en = "Their personal data was erased and nothing more is recorded; they may register anew."


class UnknownSubject(NotFound):
    code = "unknown_subject"
    zh = "没有此人，或没有可删除的个人信息。"
    en = "There is nobody of this id, or nothing personal is kept of them."


class AlreadyErased(LedgerError):
    code = "already_erased"
    zh = "此人的个人信息已经删除，或正在删除，不能撤销。"
    en = "Their personal data was erased, or is being erased; that cannot be undone."


class ErasureOpen(LedgerError):
    code = "erasure_open"
    zh = "已有一项删除申请 {id}（{state}），请等待其办结。"
    en = "A request to erase this is open: {id} ({state}); wait until it is decided."


class ErasureOver(LedgerError):
    code = "erasure_over"
    zh = "这项删除申请目前为“{state}”，不等待第二人批准。"
    en = "This request is {state}; it does not wait for a second person."


class HoldOver(LedgerError):
    code = "hold_over"
    zh = "这项依法保全已经解除。"
    en = "This legal hold was lifted already."
