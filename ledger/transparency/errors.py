"""Why the notary (公证程序) does not sign, and what to do about it."""

from __future__ import annotations

from ledger.errors import LedgerError


class NotarisationRefused(LedgerError):
    """Base: nothing was signed, and nothing will be until a person has looked."""

    code = "not_signed"
    zh = "公证程序未签名。"
    en = "The notary did not sign."


class EntryDiffers(NotarisationRefused):
    code = "entry_differs"
    zh = "第 {position} 条记录与其叶子哈希不符，拒绝签名；请运行 gwc audit 并核查数据库。"
    en = (
        "The entry at position {position} is not what its leaf hash says, so it is not signed;"
        " run gwc audit and look into the database."
    )


class EntryMissing(NotarisationRefused):
    code = "entry_missing"
    zh = "第 {position} 条记录不见了，而其后仍有记录，拒绝签名；请运行 gwc audit 并由备份恢复。"
    en = (
        "The entry at position {position} is missing and later ones are there: it was deleted, so"
        " nothing is signed; run gwc audit and restore it from a backup."
    )


class LogShorter(NotarisationRefused):
    code = "log_shorter"
    zh = "已签到第 {signed} 条，而日志只有 {log} 条：有记录被删除，拒绝签名；请恢复最新的备份。"
    en = (
        "{signed} entries are signed and the log has {log}: some were deleted, so nothing is"
        " signed; restore the newest backup."
    )


class CheckpointAhead(NotarisationRefused):
    code = "checkpoint_ahead"
    zh = (
        "{who} 持有的检查点（{size} 条）比本库的日志头（{head} 条）更新：数据库是旧备份，"
        "继续签名会使日志分叉；请恢复更新的备份，或以新的日志重新开始。"
    )
    en = (
        "{who} holds a checkpoint of {size} entries and the head here is at {head}: the database is"
        " an older backup, and signing on would fork the log; restore a newer one, or begin a new"
        " log."
    )


class LogForked(NotarisationRefused):
    code = "log_forked"
    zh = "已签名的前 {size} 条与现在的内容不符，拒绝签名；请运行 gwc audit。"
    en = "The first {size} entries are not those that were signed, so nothing is; run gwc audit."


class LogDamaged(NotarisationRefused):
    code = "log_damaged"
    zh = (
        "公开日志的文件有误（{problem}），未签名；瓦片会自动由数据库重新生成。再次出现请检查磁盘；"
        "若是 checkpoint，请从镜像取回，切勿用旧备份的数据库继续。"
    )
    en = (
        "A file of the published log is not right ({problem}), so nothing was signed; tiles are"
        " made anew from the database. If this is told again look at the disk; a checkpoint"
        " fetch back from a mirror, and never go on with a database of an older backup."
    )


class OtherLog(NotarisationRefused):
    code = "other_log"
    zh = (
        "文件夹中的检查点属于日志 {found}，而数据库中的日志是 {origin}；"
        "请核对 GWC_DATABASE_URL 和 GWC_LOG_DIR。"
    )
    en = (
        "The folder's checkpoint is of the log {found} and the database has {origin}; see"
        " GWC_DATABASE_URL and GWC_LOG_DIR."
    )


class KeyDiffers(NotarisationRefused):
    code = "key_differs"
    zh = "已公布的检查点不是用这把密钥签名的；请把 GWC_LOG_KEY 设为这本日志原来的密钥文件。"
    en = (
        "The published checkpoint was signed with another key; set GWC_LOG_KEY to the key file"
        " this log was begun with."
    )


class BegunTwice(NotarisationRefused):
    code = "begun_twice"
    zh = (
        "文件夹 {folder} 中已有这把密钥签名的日志（{size} 条），而本库的日志另有编号："
        "继续签名会使日志分叉；请恢复最新的备份，或换用新的 GWC_LOG_ORIGIN；副本请移往别处。"
    )
    en = (
        "The folder {folder} holds a log of this key with {size} entries, and the database has"
        " another one: signing it would fork the log; restore the newest backup, or choose a new"
        " GWC_LOG_ORIGIN; a mere copy move elsewhere."
    )


class HeadDamaged(NotarisationRefused):
    code = "head_damaged"
    zh = "数据库的 log_head 被改动（{problem}），拒绝签名；请核查谁能写数据库，并由备份恢复该行。"
    en = (
        "The row log_head of the database was changed ({problem}), so nothing is signed; see who"
        " can write to the database, and restore the row from a backup."
    )


class OriginDiffers(NotarisationRefused):
    code = "origin_differs"
    zh = "日志以 {origin} 之名开始，名称不能更改；请把 GWC_LOG_ORIGIN 设为原名或去掉。"
    en = (
        "The log was begun as {origin} and keeps that name; set GWC_LOG_ORIGIN to it, or not at"
        " all."
    )


class QuorumMissing(LedgerError):
    """Signed, but not published; the last checkpoint that had its quorum stays."""

    code = "quorum_missing"
    zh = (
        "见证人不足，检查点暂不公布，公证程序会继续尝试（{who}；422 或 409 表示见证人持有的历史与本"
        "日志不同）。"
    )
    en = (
        "Too few witnesses cosigned, so the checkpoint is not published; the notary goes on trying"
        " ({who}; 422 or 409 means that a witness knows another history than this log has)."
    )


class HeadMoved(LedgerError):
    code = "head_moved"
    zh = "另一个公证程序已签到更后面。"
    en = "Another notary went further meanwhile."


class FolderBusy(LedgerError):
    code = "folder_busy"
    zh = "另一个公证程序正在写这个文件夹。"
    en = "Another notary is writing into this folder."
