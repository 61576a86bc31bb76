"""A form that is refused whatever it says: of a visit that was withdrawn, or compressed."""

from __future__ import annotations

import pytest

from tests.api.openrosa.conftest import JPEG, City, said


@pytest.mark.parametrize("photos", [None, {"1.jpg": JPEG}, {"1.jpg": JPEG + b"new"}], ids=str)
def test_a_withdrawn_visit_is_gone_with_photos_and_without(city: City, photos):
    """Its form sent again is 410, whatever comes with it, and the sentence says why."""
    xml = city.filled(photo="1.jpg")
    assert city.worker.send(xml, {"1.jpg": JPEG}).status_code == 201
    (entry,) = city.services.ledger.entries(topics=["visit.recorded"])
    path = f"/v1/visits/{entry.originator_id}/withdraw"
    assert city.worker.worker.submit(path, {}).status_code == 201
    head = city.services.ledger.head()
    answer = city.worker.send(xml, photos)
    assert answer.status_code == 410
    assert "已撤回" in said(answer)
    assert city.services.ledger.head() == head


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_a_compressed_form_is_refused_as_everywhere(city: City):
    """415 with a sentence, and not a complaint about parts that are there."""
    answer = city.worker.send(city.filled(), **{"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert "Content-Encoding" in said(answer)
    assert city.facts("visit.recorded") == []
