"""The trust policy (信任策略): whose cosignatures the notary asks for, published with the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scripts.terminal import WrongUse

if TYPE_CHECKING:
    from ledger.transparency.cosigners import PolicyCosigners
    from ledger.transparency.notes import VerifierKey
    from ledger.transparency.tiles import LogFolder

WITHOUT = b"quorum none\n"


def published_policy(given: Path | None, ours: VerifierKey, folder: LogFolder) -> PolicyCosigners:
    """The witnesses of the policy file, which is put beside the checkpoint for auditors.

    Raises WrongUse, naming the line, for a file that is no policy of this log. Without a file no
    cosignature is asked for. The published one always names the log's key.
    """
    from ledger.transparency.cosigners import PolicyCosigners
    from ledger.transparency.tiles import TRUST_POLICY
    from ledger.transparency.trust import PolicyInvalid, TrustPolicy

    try:
        content = given.read_bytes() if given else WITHOUT
        policy = TrustPolicy.parse(content)
        if policy.logs and ours not in [one.key for one in policy.logs]:
            raise PolicyInvalid(f"no log line has the key of this log, {ours}")
        cosigners = PolicyCosigners(policy)
    except (OSError, PolicyInvalid) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise WrongUse(
            "trust_policy",
            f"GWC_TRUST_POLICY {given}：{problem}", f"GWC_TRUST_POLICY {given}: {problem}",
        ) from None  # fmt: skip
    if not policy.logs:
        content = f"log {ours}\n".encode() + content
    folder.write(TRUST_POLICY, content)
    return cosigners
