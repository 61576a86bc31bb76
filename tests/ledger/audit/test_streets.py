"""Forged streets: the audit says who may log one, of what, and that one command is one street."""

from __future__ import annotations

from uuid import uuid4

from ledger.campaigns.campaign import CampaignPlanned
from ledger.campaigns.streets import StreetLogged, street_id
from tests.ledger.examples import someone


def test_a_street_is_of_a_campaign_and_by_who_logs_visits(town, findings, forge):
    """One by a dispatcher, one of no campaign, one elsewhere and a second one are found; one that
    could have been logged is not."""
    worker, dispatcher = someone(town, "grid_worker"), someone(town, "dispatcher")
    campaign = next(
        one.originator_id for one in town.entries() if isinstance(one.fact, CampaignPlanned)
    )

    def street(by=worker, of=campaign) -> StreetLogged:
        return StreetLogged(by=by.participant_id, command_id=uuid4(), body_digest="ab" * 32,
                            campaign_id=of, households=3)  # fmt: skip

    honest, elsewhere = street(), street()
    foreign, unplanned = street(dispatcher), street(of=uuid4())
    forge((street_id(honest.command_id), honest))
    assert findings() == []
    wrong = {
        forge((street_id(foreign.command_id), foreign)): "ACTOR",
        forge((street_id(unplanned.command_id), unplanned)): "VISIT",
        forge((uuid4(), elsewhere)): "OUT_OF_PLACE",
        forge((street_id(honest.command_id), honest)): "OUT_OF_PLACE",
    }
    assert {one.position: one.code for one in findings()} == wrong
