"""What an auditor brings along (凭据): checkpoints they kept, and their own trust policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts.terminal import Refusal, Terminal, WrongUse

if TYPE_CHECKING:
    from api.config import Settings
    from api.services import Services
    from ledger.audit.findings import Finding
    from ledger.audit.other_logs import OtherLogs
    from ledger.audit.published import Published
    from ledger.transparency.notes import VerifierKey
    from ledger.transparency.trust import TrustPolicy
    from ledger.verifier.signatures import Older


# Of checkpoints, policies, receipts and lists of keys, however many witnesses signed.
FILE_BYTES_MAX = 1_000_000


class Evidence(NamedTuple):
    """Without a trust policy that which is published is taken, which proves less."""

    older: Sequence[Older] = ()
    trust: TrustPolicy | None = None


NOTHING = Evidence()


def evidence(older: Sequence[Path], policy: Path | None) -> Evidence:
    """Read the files; raises WrongUse for one that cannot be, and for what is no trust policy."""
    from ledger.verifier.signatures import Older

    kept = [Older(str(path), content_of(path)) for path in older]
    return Evidence(kept, None if policy is None else policy_in(policy))


def policy_in(path: Path) -> TrustPolicy:
    """The trust policy of a file; raises WrongUse."""
    from ledger.transparency.trust import PolicyInvalid, TrustPolicy

    try:
        return TrustPolicy.parse(content_of(path))
    except PolicyInvalid as error:
        raise WrongUse("trust_policy", f"{path} 不是信任策略：{error}",
                       f"{path} is no trust policy: {error}") from None


def published_logs(
    opened: Services, brought: Evidence
) -> tuple[Published | None, OtherLogs]:
    """What checks the published log beside the rows, None where none was begun, and what checks
    whatever else was published of them.
    """
    from ledger.audit.other_logs import OtherLogs, other_logs
    from ledger.audit.published import Published
    from ledger.transparency.tiles import LogFolder

    folder, store = opened.settings.log_dir, opened.ledger.store
    others = other_logs(folder, [*_own_key(opened.settings), *_keys_of(brought.trust)])
    begun = store.select_log_head()
    if begun is None:
        return None, OtherLogs(others, None)
    log = LogFolder(folder / begun.log_id)
    checkpoint = log.checkpoint()  # Before the head, which may only be further.
    head = store.select_log_head()
    published = Published(log, checkpoint, head, brought.trust, brought.older)
    return published, OtherLogs(others, head)


def _own_key(settings: Settings) -> list[VerifierKey]:
    """The key this service signs with, if it can be read; none is made."""
    from api.config import ConfigError
    from ledger.transparency.signing import KeyUnreadable, Signer

    path = settings.sqlite_path
    made = path is not None and path.with_name(f"{path.name}.log-key").is_file()
    if settings.given_log_key is None and not made:
        return []
    try:
        return [Signer("own", settings.log_key or b"").verifier]
    except (ConfigError, KeyUnreadable):  # It is the notary's, and may be closed to an auditor.
        return []


def _keys_of(trust: TrustPolicy | None) -> list[VerifierKey]:
    return [one.key for one in trust.logs] if trust else []


def tell_unbegun(terminal: Terminal, others: OtherLogs) -> None:
    """That there was nothing to check, where there was nothing."""
    if not others.findings:
        terminal.note("尚无公证程序签名，未核对公开日志。",
                      "No notary has begun, so there is no published log to check.")


def without_a_log(brought: Evidence) -> Iterator[Finding]:
    """Where nothing was ever signed, whatever was kept is of another history."""
    from ledger.audit.findings import found

    for one in brought.older:
        yield found("FORK", 1, f"{one.name}: log_head is empty")


def tell_unsigned(terminal: Terminal, checked: Published) -> None:
    """How far the log is signed."""
    if checked.unsigned:
        terminal.note(
            f"检查点到第 {checked.size} 条，其后 {checked.unsigned} 条尚未签名。",
            f"The checkpoint is of {checked.size} entries; {checked.unsigned} behind it are not"
            " signed yet.",
        )


def content_of(path: Path) -> bytes:
    """What a file holds; raises WrongUse, and Refusal for one larger than any that is taken."""
    try:
        with open(path, "rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise WrongUse("file_error", f"{path} 无法读取：{error.strerror}",
                       f"{path} cannot be read: {error.strerror}") from None
    if len(content) > FILE_BYTES_MAX:
        raise Refusal("too_large", f"{path} 超过 {FILE_BYTES_MAX} 字节，不是所要的文件。",
                      f"{path} has more than {FILE_BYTES_MAX} bytes, so it is no such file.")
    return content
