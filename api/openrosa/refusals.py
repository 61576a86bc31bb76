"""What only an OpenRosa submission can be refused for; all else is the ledger's to refuse."""

from __future__ import annotations

from ledger.errors import LedgerError


class MalformedSubmission(LedgerError):
    code = "malformed_submission"
    zh = "表单内容无法读取；请更新表单后重新填写。"
    en = "The form that was sent cannot be read; get the form again and fill it in anew."


class XmlPartMissing(LedgerError):
    code = "xml_part_missing"
    zh = "请求中须恰有一份 xml_submission_file。"
    en = "There must be exactly one part named xml_submission_file."


class MissingInstanceId(LedgerError):
    code = "missing_instance_id"
    zh = "表单缺少 instanceID，无法防止重复登记；请更新表单后重新填写。"
    en = "The form has no instanceID, so it could be counted twice; get it again and fill it anew."


class EditsNotTaken(LedgerError):
    code = "edits_not_taken"
    zh = "不能用表单修改已提交的走访；请联系调度员修改。"
    en = "A visit that was sent cannot be changed by a form; ask a dispatcher to change it."


class UnknownAttachment(LedgerError):
    code = "unknown_attachment"
    zh = "附件与表单中填写的照片不符。"
    en = "A file was sent along that the form does not name."
