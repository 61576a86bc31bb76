"""What an auditor brings along (凭据): checkpoints they kept, and their own trust policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts.terminal import Terminal, WrongUse

if TYPE_CHECKING:
    from api.services import Services
    from ledger.audit.findings import Finding
    from ledger.audit.published import Published
    from ledger.transparency.trust import TrustPolicy
    from ledger.verifier.signatures import Older


class Evidence(NamedTuple):
    """Without a trust policy that which is published is taken, which proves less."""

    older: Sequence[Older] = ()
    trust: TrustPolicy | None = None


NOTHING = Evidence()


def evidence(older: Sequence[Path], policy: Path | None) -> Evidence:
    """Read the files; raises WrongUse for one that cannot be, and for what is no trust policy."""
    from ledger.verifier.signatures import Older

    kept = [Older(str(path), _content(path)) for path in older]
    return Evidence(kept, None if policy is None else policy_in(policy))


def policy_in(path: Path) -> TrustPolicy:
    """The trust policy of a file; raises WrongUse."""
    from ledger.transparency.trust import PolicyInvalid, TrustPolicy

    try:
        return TrustPolicy.parse(_content(path))
    except PolicyInvalid as error:
        raise WrongUse("trust_policy", f"{path} 不是信任策略：{error}",
                       f"{path} is no trust policy: {error}") from None


def published_log(terminal: Terminal, opened: Services, brought: Evidence) -> Published | None:
    """What checks the published log beside the rows; None, and a note, where none was begun."""
    from ledger.audit.published import Published
    from ledger.transparency.tiles import LogFolder

    store = opened.ledger.store
    begun = store.select_log_head()
    if begun is None:
        terminal.note("尚无公证程序签名，未核对公开日志。",
                      "No notary has begun, so there is no published log to check.")
        return None
    log = LogFolder(opened.settings.log_dir / begun.log_id)
    checkpoint = log.checkpoint()  # Before the head, which may only be further.
    return Published(log, checkpoint, store.select_log_head(), brought.trust, brought.older)


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


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongUse("file_error", f"{path} 无法读取：{error.strerror}",
                       f"{path} cannot be read: {error.strerror}") from None
