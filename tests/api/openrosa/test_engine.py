"""A real form engine fills in our forms, and what it sends is a visit, recorded once."""

from __future__ import annotations

import pytest

from ledger.campaigns.questionnaire import wrong_answers
from ledger.campaigns.survey import BALLOT
from tests.api.openrosa.conftest import JPEG, City, said

# One database is enough: what is tried here is the form.
pytestmark = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)


@pytest.fixture
def loaded(city: City, odk):
    """The worker's form in the engine, with the files of its manifest."""
    (listed,) = city.worker.forms()
    path = listed["downloadUrl"].partition("/openrosa/")[2]
    xml = city.worker.get(path).text
    csv = city.worker.get(f"forms/{city.campaign}/households.csv").text
    assert odk.load(xml, {"households.csv": csv}) == "success"
    return odk


def test_the_engine_shows_the_form_in_both_languages(loaded):
    """Households come from the list with their addresses; words are in the language chosen."""
    assert loaded.options("household") == [
        ["111-0", "111-0"], ["111-1", "111-1 111街 1 号"], ["111-2", "111-2 111街 2 号"],
    ]  # fmt: skip
    assert ["nobody_home", "无人在家"] in loaded.options("outcome")
    loaded.choose("outcome", "met")
    assert loaded.label("q_water") == "河水怎么样？"
    assert ["dont_know", "不清楚"] in loaded.options("q_water")
    loaded.speak("English (en)")
    assert loaded.label("q_water") == "How is the river?"
    assert ["dont_know", "Don't know"] in loaded.options("q_water")
    # Without an English wording the Chinese one stands for it.
    assert loaded.options("q_water")[1] == ["bad", "差"]


def test_skip_rules_open_and_close_as_the_ledger_reads_them(loaded, city: City):
    """What the engine asks after each answer is what the ledger takes an answer to."""
    questions = {"q_water", "q_why", "q_praise", "q_odour"}
    assert loaded.asked() & questions == set()
    loaded.choose("outcome", "refused")
    assert loaded.asked() & (questions | {"topics"}) == set()
    loaded.choose("outcome", "by_phone")
    assert loaded.asked() & questions == {"q_water"}
    loaded.choose("q_water", "bad")
    assert loaded.asked() & questions == {"q_water", "q_why"}
    loaded.choose("q_why", "rubbish", "smell")
    assert loaded.asked() & questions == {"q_water", "q_why", "q_odour"}
    # Another answer before hides both that were built upon it.
    loaded.choose("q_water", "good")
    assert loaded.asked() & questions == {"q_water", "q_praise"}
    asked = city.services.ledger.campaigns.current(city.campaign).questions
    assert not wrong_answers(asked, {"water": "good", "praise": "clear"})


def test_the_engine_refuses_what_the_ledger_would(loaded):
    """Don't know stands alone, counts are whole and not negative, required is required."""
    loaded.choose("outcome", "met")
    assert ["household", "required"] in [one[:2] for one in loaded.wrong()]
    assert ["q_water", "required", "此题必答。"] in loaded.wrong()
    loaded.choose("household", "111-1")
    loaded.choose("q_water", "dont_know")
    loaded.choose("q_why", "smell", "dont_know")
    loaded.write("m1", -1)
    loaded.write("remark", "长" * 501)
    assert sorted(one[:2] for one in loaded.wrong()) == [
        ["m1", "constraint"], ["q_why", "constraint"], ["remark", "constraint"],
    ]  # fmt: skip
    loaded.choose("q_why", "dont_know")
    loaded.write("m1", 1)
    loaded.write("remark", "长" * 500)
    assert loaded.wrong() == []


def test_what_the_engine_sends_is_one_visit(loaded, city: City):
    """Filled in and sent, sent again, and sent changed: recorded once, answers and photo too."""
    loaded.choose("household", "111-1")
    loaded.choose("outcome", "met")
    assert loaded.label("m2") == "宣传册"
    loaded.write("m2", 2)
    loaded.choose("topics", "垃圾分类")
    loaded.choose("q_water", "good")
    loaded.choose("q_praise", "clear")
    loaded.choose("q_water", "bad")  # which takes the answer about praise back
    loaded.choose("q_why", "smell", "rubbish")
    loaded.choose("q_odour", "sewage")
    loaded.write("remark", "门口 <好>")
    loaded.photograph("photo", JPEG)
    status, content_type, body, xml = loaded.send()
    assert status == "ready", loaded.wrong()
    first = city.worker.post_raw(content_type, body)
    assert (first.status_code, said(first)[:6]) == (201, "走访已登记。")
    assert city.worker.post_raw(content_type, body).status_code == 202
    changed = body.replace(b"<outcome>met<", b"<outcome>moved<")
    assert changed != body
    assert city.worker.post_raw(content_type, changed).status_code == 409
    assert city.worker.send(xml.replace("<m2>2<", "<m2>3<")).status_code == 409
    (visit,) = city.facts("visit.recorded")
    (photo,) = city.facts("contribution.photos-added")
    assert (visit.household, visit.outcome, visit.materials, visit.topics) == (
        "111-1", "met", {"宣传册": 2}, ("垃圾分类",)
    )  # fmt: skip
    ledger = city.services.ledger
    (found,) = ledger.entries(topics=["visit.recorded"])
    opened = {one.field: ledger.vault.open(found.originator_id, one) for one in visit.sealed}
    assert opened["remark"] == "门口 <好>"
    assert opened[BALLOT]["plus"] == {
        "water": "bad", "why": ["smell", "rubbish"], "odour": "sewage",
    }  # fmt: skip
    assert len(photo.photos) == 1
    city.follow()
    rows = city.worker.worker.get(f"/v1/campaigns/{city.campaign}/coverage?by=grid").json
    assert [(one["of"], one["met"], one["given"]) for one in rows["items"]] == [
        ("111", 1, {"宣传册": 2})
    ]  # fmt: skip
