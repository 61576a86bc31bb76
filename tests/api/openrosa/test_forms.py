"""Every feature of a questionnaire as a form has it, and versions that change with content."""

from __future__ import annotations

from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import msgspec
import pytest

from api.openrosa import forms
from api.openrosa.forms import campaign_of, form_id, form_of
from api.openrosa.sheets import plain
from ledger.campaigns.campaign import Plan
from tests.api.openrosa.conftest import QUESTIONNAIRE

CAMPAIGN = UUID("0f5ba5d0-0000-4000-8000-000000000001")
X = "{http://www.w3.org/2002/xforms}"
JR = "{http://openrosa.org/javarosa}"
ORX = "{http://openrosa.org/xforms}"


def a_plan(**more) -> Plan:
    plan = {"name": "春季走访", "materials": {"宣传册": 10, "bag.2": 5}, "topics": ["five_waters"],
            "questionnaire": QUESTIONNAIRE}  # fmt: skip
    return msgspec.convert(plan | more, Plan)


def form(plan: Plan | None = None, *, listed: bool = True) -> ET.Element:
    return ET.fromstring(form_of(CAMPAIGN, plan or a_plan(), listed=listed).xml)


def bind(root: ET.Element, path: str) -> dict[str, str]:
    (found,) = [one for one in root.iter(f"{X}bind") if one.get("nodeset") == f"/data/{path}"]
    return found.attrib


def choices(root: ET.Element, name: str) -> list[str]:
    (found,) = [one for one in root.iter(f"{X}instance") if one.get("id") == name]
    return [one.text for one in found.iter(f"{X}name")]


def texts(root: ET.Element, text_id: str) -> list[str]:
    return [one.find(f"{X}value").text for one in root.iter(f"{X}text") if one.get("id") == text_id]


def test_a_question_has_its_options_and_its_skip_rule():
    """Single or multi, don't know where it is offered, and asked only after certain answers."""
    root = form()
    assert choices(root, "q_water") == ["good", "bad", "dont_know"]
    assert choices(root, "q_praise") == ["clear", "green"]
    kinds = {one.get("ref"): one.tag.removeprefix(X) for one in root.iter()
             if one.get("ref", "").startswith("/data/talk/q_")}  # fmt: skip
    assert kinds == {"/data/talk/q_water": "select1", "/data/talk/q_why": "select",
                     "/data/talk/q_praise": "select1", "/data/talk/q_odour": "select1"}  # fmt: skip
    why, odour = bind(root, "talk/q_why"), bind(root, "talk/q_odour")
    assert "".join(why["relevant"].split()) == (
        "selected(/data/talk/q_water,'bad')orselected(/data/talk/q_water,'dont_know')"
    )
    assert "selected( /data/talk/q_why , 'smell')" in odour["relevant"]
    assert "dont_know" in why["constraint"]
    assert "constraint" not in bind(root, "talk/q_water")
    assert bind(root, "talk/q_water")["required"] == "true()"
    assert "required" not in why


def test_questions_and_topics_are_for_people_who_were_talked_to():
    """They stand in a group that is relevant for met and by_phone alone."""
    relevant = bind(form(), "talk")["relevant"]
    assert " ".join(relevant.split()) == "/data/outcome = 'by_phone' or /data/outcome = 'met'"


def test_words_are_in_both_languages():
    """Labels of questions, options, outcomes and messages; Chinese stands for missing English."""
    root = form()
    assert texts(root, "/data/talk/q_water:label") == ["河水怎么样？", "How is the river?"]
    assert texts(root, "/data/talk/q_why:label") == ["差在哪里？", "差在哪里？"]
    assert texts(root, "outcome-1") == ["无人在家", "nobody home"]
    assert texts(root, "/data/talk/q_why:jr:constraintMsg") == [
        "“不清楚”不能与其他选项同选。", "“Don't know” stands alone.",
    ]  # fmt: skip
    languages = [one.get("lang") for one in root.iter(f"{X}translation")]
    assert languages == ["中文 (zh)", "English (en)"]


def test_a_household_is_chosen_from_a_file_or_typed():
    """With a list the form names the file; without one a number is typed and checked."""
    chosen, typed = form(), form(listed=False)
    files = [one.get("src") for one in chosen.iter(f"{X}instance") if one.get("src")]
    assert files == ["jr://file-csv/households.csv"]
    assert "regex" in bind(typed, "household")["constraint"]
    assert not [one for one in typed.iter(f"{X}instance") if one.get("src")]


def test_materials_are_counted_whatever_they_are_called():
    """Each is a numbered whole number with its own name as the label."""
    root = form()
    assert bind(root, "materials/m2")["type"] == "int"
    assert texts(root, "/data/materials/m1:label") == ["宣传册", "宣传册"]
    assert texts(root, "/data/materials/m2:label") == ["bag.2", "bag.2"]


def test_times_photo_and_place_are_asked_for():
    """Start and end by the phone's clock, a photo made small, a place, an instanceID."""
    root = form()
    assert bind(root, "start")[f"{JR}preloadParams"] == "start"
    assert bind(root, "end")[f"{JR}preloadParams"] == "end"
    assert bind(root, "photo")[f"{ORX}max-pixels"] == "1280"
    assert bind(root, "place")["type"] == "geopoint"
    assert bind(root, "follow_up_on")["type"] == "date"
    assert bind(root, "meta/instanceID")[f"{JR}preload"] == "uid"


def test_a_campaign_that_asks_nothing_still_has_a_form():
    """Without materials, topics and questions what is left is a household and an outcome."""
    root = form(Plan(name="x"))
    names = {one.get("nodeset") for one in root.iter(f"{X}bind")}
    assert {"/data/household", "/data/outcome"} < names
    assert not [name for name in names if "talk" in name or "materials" in name]


def test_wording_is_shown_and_never_read_as_xlsform():
    """Markup, names in braces and characters that XML lacks do no harm in any text."""
    evil = 'a & <b> "${nothing}" “水”‘好’ \ue000 ]]> {{x}}'
    shown = 'a & <b> "＄{nothing}" “水”‘好’  ]]> {{x}}'
    question = {"id": "q", "zh": evil, "en": evil, "options": [{"code": "a", "zh": evil}]}
    root = form(a_plan(name="x ${y}", questionnaire=[question]))
    assert " ".join(texts(root, "/data/talk/q_q:label")[0].split()) == " ".join(shown.split())
    assert " ".join(texts(root, "q_q-0")[0].split()) == " ".join(shown.split())
    assert plain("\x08") == "—"


@pytest.mark.parametrize("topics", [["a", "a"], [f"t{n}" for n in range(30)]])
def test_any_topics_a_plan_may_have_make_a_form(topics):
    """A topic given twice is offered once, and no more are taken than a visit may have."""
    root = form(a_plan(topics=topics))
    assert choices(root, "topics") == list(dict.fromkeys(topics))
    assert bind(root, "talk/topics")["constraint"] == "count-selected(.) <= 30"


def test_the_largest_questionnaire_makes_a_form():
    """Sixty questions of thirty options, each asked after the one before."""
    options = [{"code": f"o{n}", "zh": f"选项 {n}"} for n in range(30)]
    rules = [None, *({"question": f"q{n}", "any_of": ["o0"]} for n in range(59))]
    questions = [
        {"id": f"q{n}", "zh": "问" * 200, "kind": "multi" if n % 2 else "single",
         "options": options, "ask_if": rule}
        for n, rule in enumerate(rules)
    ]  # fmt: skip
    assert choices(form(a_plan(questionnaire=questions)), "q_q59")[-1] == "dont_know"


def changed(**more) -> dict[str, object]:
    return {"questionnaire": [QUESTIONNAIRE[0] | more, *QUESTIONNAIRE[1:]]}


@pytest.mark.parametrize("other", [
    {"name": "秋季走访"}, {"materials": {"bag.2": 5}}, {"topics": []},
    changed(zh="水怎么样？"), changed(required=False), changed(dont_know=False),
    changed(kind="multi"),
], ids=str)  # fmt: skip
def test_another_content_is_another_version(other):
    """Whatever is changed of a plan changes the version and the digest of its form."""
    questions = other.get("questionnaire", QUESTIONNAIRE)
    if other == changed(dont_know=False):
        questions = [questions[0], questions[2]]  # one that asks after don't know would be a fault
    one = form_of(CAMPAIGN, a_plan(), listed=True)
    two = form_of(CAMPAIGN, a_plan(**other | {"questionnaire": questions}), listed=True)
    assert (one.version, one.hash) != (two.version, two.hash)
    assert one.version != two.version
    assert one.hash != two.hash


def test_the_same_content_is_the_same_form():
    """Made again, by another process or after a restart, a form is the same to the byte."""
    one = form_of(CAMPAIGN, a_plan(), listed=True)
    forms._made.cache_clear()
    two = form_of(CAMPAIGN, a_plan(), listed=True)
    assert one is not two
    assert one == two
    assert one.version in one.xml.decode()
    assert form_of(CAMPAIGN, a_plan(), listed=False).version != one.version


def test_a_forms_name_leads_to_its_campaign():
    """Back and forth; what is not our name leads nowhere."""
    campaign = uuid4()
    assert campaign_of(form_id(campaign)) == campaign
    for name in ("", "visit-", "visit-x", str(campaign), f"x{form_id(campaign)}"):
        assert campaign_of(name) is None
    assert campaign_of(f"visit-{{{campaign}}}") is None
