"""What must be right after any edits: values and clashes, stock, ballots, coverage, the audit."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import msgspec

from ledger.application import Ledger
from ledger.audit import rows_of
from ledger.audit.checks import audit
from ledger.audit.disclosures import Disclosures
from ledger.audit.quotas import Quotas
from ledger.campaigns.edits import Visit
from ledger.campaigns.merging import ANSWERS, parts
from ledger.campaigns.survey import Ballot, Tally, survey_shelf
from ledger.contributions.visits import OfVisit, VisitRecorded
from projections.coverage import COVERAGE
from tests.campaigns.offline import MATERIALS, fields_of
from tests.campaigns.playing import Play

EVERYTHING = 10_000


def values(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as they compare: plain, several choices in one order, without what is empty."""
    plain = msgspec.to_builtins(fields)
    return {
        field: sorted(value) if isinstance(value, list | tuple) else value
        for field, value in plain.items() if value not in (None, 0, [], ())
    }  # fmt: skip


def wanted(play: Play, ends: str) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """What must stand, and by field the values of which one stands and the others wait."""
    stands, open_ = dict(play.steps["v"].fields), {}
    for word in ends.split():
        name, _, text = word.partition("=")
        several = [fields_of(f"{name}={one}") if one != "-" else fields_of(f"-{name}")
                   for one in text.split("|")]  # fmt: skip
        (field,) = {field for one in several for field in one}
        if len(several) > 1:
            open_[field] = [one[field] for one in several]
        stands[field] = several[0][field]
    return values({field: one for field, one in stands.items() if field not in open_}), open_


def check_visit(play: Play, ends: str, state: str) -> None:
    """The visit stands as it must; every value that is not in effect waits, with whose it is."""
    ledger, visit = play.ledger, play.ledger.visit(play.visit_id)
    assert visit.state.state == state
    stands, open_ = wanted(play, ends)
    standing = ledger.history_of(play.visit_id, visit).standing()
    assert {k: v for k, v in values(standing).items() if k not in open_} == stands
    assert public(visit) == {k: v for k, v in values(standing).items() if k in public(visit)}
    waiting: dict[str, list[Any]] = {}
    for clash, value in ledger.history_of(play.visit_id, visit).open_clashes():
        waiting.setdefault(clash.field, []).append(value)
        assert clash.by in authors(play, clash.field, value)
    assert waiting.keys() == open_.keys()
    for field, several in open_.items():
        found = [standing.get(field), *waiting[field]]
        assert plain(field, found) == plain(field, several), (field, found, several)


def public(visit: Visit) -> dict[str, Any]:
    recorded = visit.recorded
    materials = {f"materials.{kind}": count for kind, count in recorded.materials.items()}
    return values({
        "outcome": recorded.outcome, "topics": recorded.topics,
        "follow_up_on": recorded.follow_up_on, **materials,
    })  # fmt: skip


def plain(field: str, several: list[Any]) -> list[str]:
    """Values in one order; none is like nothing."""
    return sorted(repr(values({field: one})) for one in several)


def authors(play: Play, field: str, value: Any) -> set[UUID]:
    """Who said this value of a field; answers that went by themselves went with an outcome."""
    return {
        play.city.people[step.who].participant_id for step in play.steps.values()
        if step.how in ("offline", "online") and (
            plain(field, [step.fields.get(field)]) == plain(field, [value])
        )
    }  # fmt: skip


def check_books(ledger: Ledger, campaign: UUID, visits: list[UUID]) -> None:
    """Stock, ballots and coverage are what the visits that stand come to; the audit is silent."""
    found = [(one, ledger.visit(one)) for one in visits]
    stand = [(one, visit) for one, visit in found if counts(visit)]
    check_stock(ledger, campaign, [visit for _, visit in stand])
    check_ballots(ledger, campaign, stand)
    check_coverage(ledger, campaign, dict(found))
    head, stored = ledger.store.select_quotas_at()
    disclosures = Disclosures(ledger.vault, ledger.store)
    assert list(audit(rows_of(ledger), disclosures, Quotas(stored, head))) == []


def counts(visit: Visit) -> bool:
    """Whether a visit was neither taken back nor found to be untrue."""
    return visit.state.state not in ("withdrawn", "refused")


def check_stock(ledger: Ledger, campaign: UUID, stand: list[Visit]) -> None:
    handed = Counter[str]()
    for visit in stand:
        handed.update(visit.recorded.materials)
    for kind in MATERIALS:
        assert ledger.store.select_used(f"material/{campaign}/{kind}") == handed[kind]
    assert ledger.store.select_used(f"material/{campaign}/booklet/111") == handed["booklet"]


def check_ballots(ledger: Ledger, campaign: UUID, stand: list[tuple[UUID, Visit]]) -> None:
    cast, right = Tally(), Tally()
    ballots, _ = ledger.vault.on_shelf(survey_shelf(campaign), EVERYTHING)
    for one in ballots:
        ballot = msgspec.convert(one, Ballot)
        cast.add(ballot.plus, 1)
        cast.add(ballot.minus, -1)
    for visit_id, visit in stand:
        right.add(parts(ledger.history_of(visit_id, visit).standing(), ANSWERS), 1)
    assert tallied(cast) == tallied(right)


def tallied(tally: Tally) -> tuple[int, dict, dict]:
    codes = {
        question: {code: count for code, count in one.items() if count}
        for question, one in tally.codes.items()
    }
    asked = {question: count for question, count in tally.asked.items() if count}
    return tally.people, asked, {question: one for question, one in codes.items() if one}


def check_coverage(ledger: Ledger, campaign: UUID, visits: dict[UUID, Visit]) -> None:
    """The view is as if every visit that counts had been recorded as it stands, and no other."""
    seen: dict[str, Any] = {}
    afresh: dict[str, Any] = {}
    for entry in ledger.entries():
        fact = entry.fact
        if campaign not in (entry.originator_id, getattr(fact, "campaign_id", None)):
            continue
        if not isinstance(fact, COVERAGE.facts):
            continue
        COVERAGE.fold(seen, entry)
        if isinstance(fact, VisitRecorded) and counts(visits[entry.originator_id]):
            stands = visits[entry.originator_id].recorded
            COVERAGE.fold(afresh, msgspec.structs.replace(entry, fact=stands))
        elif not isinstance(fact, VisitRecorded | OfVisit):
            COVERAGE.fold(afresh, entry)
    assert counted(seen) == counted(afresh)


def counted(rows: dict[str, Any]) -> dict[str, Any]:
    found = {key: msgspec.json.decode(row.data) for key, row in rows.items() if row is not None}
    for row in found.values():
        for visit in row.get("visits", {}).values() if "household" in row else ():
            visit["materials"] = {kind: n for kind, n in visit.get("materials", {}).items() if n}
    return found
