"""``verify.py``: a bundle in, findings out."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ledger.audit.findings import Finding, found
from ledger.audit.spilled import SpillFailed
from ledger.transparency.trust import POLICY_BYTES_MAX, PolicyInvalid, TrustPolicy
from ledger.verifier.checking import Checked, check_bundle
from ledger.verifier.folder import NOTE_BYTES_MAX, Folder
from ledger.verifier.signatures import Older

FOUND, WRONG_USE, INTERRUPTED = 1, 2, 130
FINDINGS_MAX = 10_000
PROGRESS = 10_000


class Findings:
    """Findings in order of position: the first FINDINGS_MAX, and how many there were."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self.count = 0

    def add(self, finding: Finding) -> None:
        """Take one in."""
        self.count += 1
        self._kept.append(finding)
        if len(self._kept) > 2 * FINDINGS_MAX:
            self._kept = self.first()

    def first(self) -> list[Finding]:
        """The first ones; of one position in the order they came."""
        return sorted(self._kept, key=lambda one: one.position)[:FINDINGS_MAX]


def main(arguments: Sequence[str], program: str) -> int:
    """Check the bundle beside the program, or the one that is named; the exit status."""
    given = _parser(program).parse_args(arguments)
    try:
        trust = given.witness_policy and TrustPolicy.parse(
            _content(given.witness_policy, POLICY_BYTES_MAX)
        )
        older = [Older(str(path), _content(path, NOTE_BYTES_MAX)) for path in given.checkpoint]
    except (OSError, PolicyInvalid) as error:
        print(f"verify.py: {given.witness_policy or ''} {error}", file=sys.stderr)
        return WRONG_USE
    if not given.bundle.is_dir():
        print(f"verify.py: {given.bundle}: 没有这个文件夹 / no such folder", file=sys.stderr)
        return WRONG_USE
    findings = Findings()
    try:
        checked = _checked(given, trust, older, findings)
        _print(given, findings)
        for note in notes(findings.count, checked, own=trust is not None):
            print(note, file=sys.stderr)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except SpillFailed as error:
        print(f"verify.py: 临时文件无法写入，核对未完成 / the check could not end: {error}",
              file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:  # Whoever reads has seen enough; at the end nothing is written again.
        sys.stdout = None
    return FOUND if findings.count else 0


def _parser(program: str) -> ArgumentParser:
    parser = ArgumentParser(
        "verify.py", allow_abbrev=False,
        description="核对审计包 / checks a bundle; CODE position=N text for each finding",
    )  # fmt: skip
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(program).parent,
                        help="审计包文件夹 / its folder, by default the one this program is in")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="OLDER",
                        help="自己保存的较早检查点，可重复 / an older one you kept, repeatable")
    parser.add_argument("--witness-policy", type=Path, metavar="FILE",
                        help="自己的信任策略 / your own trust policy instead of the bundle's")
    parser.add_argument("--json", action="store_true",
                        help="JSON 数组 / a list of {code, position, text}")  # fmt: skip
    return parser


def _checked(
    given: Namespace, trust: TrustPolicy | None, older: Sequence[Older], findings: Findings
) -> Checked:
    reached = 0

    def passed(position: int) -> None:
        nonlocal reached
        reached = position
        if position % PROGRESS == 0 and sys.stderr.isatty():
            print(f"\r{position}", end="", file=sys.stderr, flush=True)

    try:
        return check_bundle(Folder(given.bundle), findings.add, trust, older, passed)
    except SpillFailed:
        raise
    except Exception as error:  # noqa: BLE001 - a bundle may be damaged in ways nobody thought of
        findings.add(found("BUNDLE", reached + 1, f"verify.py: {error!r}"))
        return Checked(reached, [])


def _print(given: Namespace, findings: Findings) -> None:
    if given.json:
        print(msgspec.json.encode(findings.first()).decode())
    else:
        for one in findings.first():
            print(one)


def notes(count: int, checked: Checked, *, own: bool) -> Iterator[str]:
    """What a person should know besides the findings; ``own``: the trust policy was theirs."""
    yield f"{count} 处问题，共 {checked.size} 条记录 / {count} findings in {checked.size} entries"
    if count > FINDINGS_MAX:
        yield f"只列出前 {FINDINGS_MAX} 处 / only the first {FINDINGS_MAX} are listed"
    if checked.erased:
        at = ", ".join(map(str, checked.erased))
        yield f"已按要求删除的个人信息，见第 {at} 条 / personal data was erased on request, at {at}"
    if checked.times:
        of, boards = checked.times.balances, checked.times.boards.position
        yield (f"所示余额截至第 {of.position} 条、{of.day}，排行榜截至第 {boards} 条 / balances are"
               f" shown as of {of.position}, for {of.day}, boards as of {boards}")  # fmt: skip
    if not own:
        yield ("信任策略来自审计包本身；请用 --witness-policy 指定自己的"
               " / the trust policy is the bundle's own; give --witness-policy yours")  # fmt: skip


def _content(path: Path, limit: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(limit + 1)  # One more than there may be is refused, and not cut off.
