"""``gwc receipt``: receipts (回执) checked, and made, without the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.evidence import content_of, policy_in
from scripts.terminal import Refusal, Terminal, WrongUse
from scripts.whole_files import OUT, written

if TYPE_CHECKING:
    from ledger.store.leaf import EntryRow
    from ledger.transparency.checkpoints import Checkpoint
    from ledger.transparency.receipts import LogProof
    from ledger.transparency.trust import TrustPolicy
    from ledger.words import Text


@click.group()
def receipt() -> None:
    """回执：离线核对，或从公开日志出具 / check a receipt, or make one from the published files."""


@receipt.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", metavar="VKEY", help="日志公钥，name+hash+key / the key of the log")
@click.option("--trust-policy", "policy", type=click.Path(path_type=Path), metavar="FILE",
              help="信任策略文件 / a trust policy instead: the log's key, and its witnesses")
@click.pass_obj
def check(terminal: Terminal, file: Path, key: str | None, policy: Path | None) -> None:
    """核对回执 / whether an entry is in the log that was signed; offline, without a service."""
    from ledger.transparency.merkle import ProofInvalid
    from ledger.transparency.notes import NoteInvalid
    from ledger.transparency.receipts import LogProof

    trust, content = _trust(key, policy), content_of(file)
    try:
        proof = LogProof.parse(content)
        proof.check(proof.extra)
        said = _said(proof, trust)
    except (NoteInvalid, ProofInvalid, ValueError) as error:
        raise Refusal("receipt_invalid", f"回执无效：{error}",
                      f"The receipt does not hold: {error}") from None
    click.echo(terminal.words(said))


@receipt.command()
@click.argument("position", type=click.IntRange(min=1))
@click.option("--log", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
              required=True, help="公开日志的文件夹 / the folder that holds its checkpoint")
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help=OUT)
@click.pass_obj
def make(terminal: Terminal, position: int, folder: Path, out: Path) -> None:
    """出具回执 / the receipt of an entry from a copy of the published files, database or not."""
    from ledger.transparency.issuing import receipt as issued
    from ledger.transparency.merkle import ProofInvalid
    from ledger.transparency.notes import NoteInvalid
    from ledger.transparency.tiles import LogFolder, TileDamaged

    log = LogFolder(folder)
    if log.checkpoint() is None:
        raise Refusal(
            "no_log",
            f"{folder} 中没有检查点；请给出公开日志自己的文件夹（GWC_LOG_DIR 下的一个）。",
            f"There is no checkpoint in {folder}; name the folder of the log itself, one of those"
            " in GWC_LOG_DIR.",
        )
    try:
        proof = issued(log, position)
    except (TileDamaged, NoteInvalid, ProofInvalid) as error:
        raise Refusal("log_damaged", f"公开日志的文件有误：{error}",
                      f"A file of the published log is damaged: {error}") from None
    if proof is None:
        raise Refusal("not_yet_signed", f"检查点还没有到第 {position} 条。",
                      f"The checkpoint does not reach position {position} yet.")
    with written(out) as file:
        file.write(bytes(proof))
    terminal.note(f"第 {position} 条的回执已出具。", f"The receipt of {position} is made.")


def _trust(key: str | None, policy: Path | None) -> TrustPolicy:
    """Whose signatures are asked for; raises WrongUse."""
    from ledger.transparency.notes import LOG_KEY, NoteInvalid, VerifierKey
    from ledger.transparency.trust import NONE, Trusted, TrustPolicy

    if (key is None) == (policy is None):
        raise WrongUse(
            "whose_key", "请用 --key 或 --trust-policy 之一指明日志的公钥；请从可信处取得。",
            "Name the log's key by --key or by --trust-policy, one of them; have it from somebody"
            " you trust.",
        )  # fmt: skip
    if policy is not None:
        return _with_a_log(policy_in(policy), policy)
    try:
        parsed = VerifierKey.parse(key or "")
        if parsed.kind != LOG_KEY:
            raise NoteInvalid("it is the key of a witness")
    except NoteInvalid as error:
        raise WrongUse("key", f"--key 有误：{error}", f"--key is wrong: {error}") from None
    return TrustPolicy((Trusted("", parsed),), {}, {}, NONE)


def _with_a_log(trust: TrustPolicy, path: Path) -> TrustPolicy:
    if not trust.logs:
        raise WrongUse("trust_policy", f"{path} 没有 log 一行。", f"{path} has no log line.")
    return trust


def _said(proof: LogProof, trust: TrustPolicy) -> Text:
    """What a good receipt shows; raises NoteInvalid or ValueError for one that is not."""
    import ledger.application  # noqa: F401 - every fact is registered by now
    from ledger.store.leaf import parse_entry
    from ledger.transparency.checkpoints import Checkpoint
    from ledger.transparency.notes import Note, NoteInvalid
    from ledger.transparency.signing import verify

    note, row = Note.parse(proof.checkpoint), parse_entry(proof.extra)
    problems = list(trust.problems(note, verify))
    if row.position != proof.leaf + 1:
        problems.append(f"position {row.position} is not leaf {proof.leaf}")
    if problems:
        raise NoteInvalid("; ".join(problems))
    head = Checkpoint.parse(note.text)
    signers = ", ".join(one.key.name for one in note.signed_by(trust.keys(), verify))
    return _sentence(row, head, signers)


def _sentence(row: EntryRow, head: Checkpoint, signers: str) -> Text:
    """Which entry it is, in words, and what it is proven by."""
    from uuid import UUID

    from ledger import facts
    from ledger.days import from_microseconds
    from ledger.errors import LogCorrupt
    from ledger.words import Text

    moment = from_microseconds(row.recorded_at).isoformat(timespec="seconds")
    try:
        what = facts.decode(row.topic, row.state).sentence(UUID(row.originator_id))
    except LogCorrupt:  # A newer fact than this program knows: it is proven all the same.
        what = Text(row.topic, row.topic)
    return Text(
        f"回执有效：{head.origin} 第 {row.position} 条（{moment}），在 {head.size} 条的检查点内，"
        f"签名：{signers}\n{what.zh}",
        f"The receipt holds: entry {row.position} of {head.origin} ({moment}), in the checkpoint"
        f" of {head.size} entries, signed by {signers}\n{what.en}",
    )
