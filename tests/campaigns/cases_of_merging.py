"""Cases of who edits on top of what: chains, branches, clashes, edits online in between."""

from __future__ import annotations

from tests.campaigns.cases import MET, TALKED, Case, case

ONE_AUTHOR: dict[str, Case] = {
    "create and update": case(MET, "e1 A > v outcome=by_phone", ends="outcome=by_phone"),
    "update by the server's id": case(MET, "e1 A > id booklet=3", ends="booklet=3"),
    "chain of two fields": case(
        MET, "e1 A > v outcome=by_phone", "e2 A > e1 remark=新", ends="outcome=by_phone remark=新"
    ),
    "chain on one field": case(
        MET, "e1 A > v booklet=3", "e2 A > e1 booklet=1", "e3 A > e2 booklet=7", ends="booklet=7"
    ),
    "chain that goes back": case(
        MET, "e1 A > v outcome=by_phone", "e2 A > e1 outcome=met", ends="outcome=met"
    ),
    "chain with an empty link": case(
        MET, "e1 A > v", "e2 A > e1 remark=新", ends="remark=新"
    ),
    "chain of private words": case(
        MET, "e1 A > v remark=一", "e2 A > e1 remark=二 questions=何时清淤", "e3 A > e2 remark=三",
        ends="remark=三 questions=何时清淤",
    ),
    "chain of answers": case(
        TALKED, "e1 A > v q3=yes", "e2 A > e1 q2=smell,rubbish q3=no", ends="q2=smell,rubbish q3=no"
    ),
    "branches on two fields": case(
        MET, "e1 A > v outcome=by_phone", "e2 A > v booklet=3", ends="outcome=by_phone booklet=3"
    ),
    "two phones of one person": case(
        MET, "e1 A > v outcome=by_phone", "e2 A > v outcome=moved", ends="outcome=by_phone|moved"
    ),
    "chain on a number": case(
        MET, "e1 A > #1 booklet=3", "e2 A > e1 booklet=4", ends="booklet=4"
    ),
    "number that the last edit became": case(
        MET, "e1 A > v booklet=3", "e2 A > #e1 booklet=4", ends="booklet=4", at="v e1 e2"
    ),
}  # fmt: skip

TWO_AUTHORS: dict[str, Case] = {
    "different fields": case(
        MET, "a A > v outcome=by_phone", "b B > id remark=新", ends="outcome=by_phone remark=新"
    ),
    "different values": case(
        MET, "a A > v outcome=by_phone", "b B > #1 outcome=moved", ends="outcome=by_phone|moved"
    ),
    "what was there first stands": case(
        MET, "a A > v outcome=by_phone", "b B > #1 outcome=moved", ends="outcome=by_phone|moved",
        at="v a b",
    ),
    "the same value": case(
        MET, "a A > v outcome=moved", "b B > #1 outcome=moved", ends="outcome=moved"
    ),
    "back to what was recorded": case(
        MET, "a A > v outcome=moved", "b B > #1 outcome=met", ends="outcome=moved|met"
    ),
    "materials of two kinds": case(
        MET, "a A > v booklet=5", "b B > #1 leaflet=1", ends="booklet=5 leaflet=1"
    ),
    "materials of one kind": case(
        MET, "a A > v booklet=5", "b B > #1 booklet=9", ends="booklet=5|9"
    ),
    "none of a kind never handed out": case(
        MET, "a A > v leaflet=0", "b B > #1 leaflet=0", ends=""
    ),
    "answers to two questions": case(
        TALKED, "a A > v q2=rubbish", "b B > #1 q3=yes", ends="q2=rubbish q3=yes"
    ),
    "answers to one question": case(
        TALKED, "a A > v q3=yes", "b B > #1 q3=no", ends="q3=yes|no"
    ),
    "several choices in another order": case(
        TALKED, "a A > v q2=smell,rubbish", "b B > #1 q2=rubbish,smell", ends="q2=rubbish,smell"
    ),
    "topics in another order": case(
        MET, "a A > v topics=floods,five_waters", "b B > #1 topics=five_waters,floods",
        ends="topics=five_waters,floods",
    ),
    "other topics": case(
        MET, "a A > v topics=floods", "b B > #1 topics=five_waters",
        ends="topics=floods|five_waters",
    ),
    "remarks": case(MET, "a A > v remark=甲", "b B > #1 remark=乙", ends="remark=甲|乙"),
    "questions of the household": case(
        MET, "a A > v questions=甲", "b B > #1 questions=甲,乙", ends="questions=甲|甲,乙"
    ),
    "places": case(MET, "a A > v place=5", "b B > #1 place=50", ends="place=5|50"),
    "days to come again": case(
        TALKED, "a A > v due=12-02", "b B > #1 due=12-03", ends="due=12-02|12-03"
    ),
    "three people": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "c C > #1 booklet=5", ends="booklet=3|4|5"
    ),
    "three people, two of one mind": case(
        MET, "a A > v outcome=moved", "b B > #1 outcome=moved", "c C > #1 remark=新",
        ends="outcome=moved remark=新",
    ),
    "one field of three clashes": case(
        MET, "a A > v outcome=by_phone booklet=3", "b B > #1 outcome=moved leaflet=4",
        ends="outcome=by_phone|moved booklet=3 leaflet=4",
    ),
    "on top of another's edit": case(
        MET, "a A > v booklet=3", "b B > a booklet=4", ends="booklet=4"
    ),
    "two branches that go on": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "a2 A > a booklet=5", "b2 B > b booklet=6",
        ends="booklet=5|6",
    ),
    "one branch goes on": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "a2 A > a booklet=5", ends="booklet=5|4"
    ),
    "a branch that goes on elsewhere": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "a2 A > a remark=新",
        ends="booklet=3|4 remark=新",
    ),
    "agreed in the end": case(
        MET, "a A > v outcome=by_phone", "b B > #1 outcome=moved", "a2 A > a outcome=moved",
        ends="outcome=moved",
    ),
    "agreed, and one of them goes on": case(
        MET, "a A > v outcome=moved", "b B > #1 outcome=moved", "a2 A > a outcome=by_phone",
        ends="outcome=moved|by_phone",
    ),
    "agreed, and both go on": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=3", "a2 A > a booklet=4", "b2 B > b booklet=5",
        ends="booklet=4|5",
    ),
    "parted, and both come to the same": case(
        TALKED, "a A > v q3=yes", "b B > #1 q3=no", "a2 A > a -q3", "b2 B > b -q3", ends="-q3"
    ),
}  # fmt: skip

ONLINE: dict[str, Case] = {
    "edited online before the phone's chain": case(
        MET, "o D >> now booklet=9", "e1 A > v remark=一", "e2 A > e1 remark=二",
        ends="booklet=9 remark=二", at="v o e1 e2\nv o e2? e1\ne1? v o e2? e1",
    ),
    "edited online between two links": case(
        MET, "e1 A > v booklet=3", "o D >> now booklet=9", "e2 A > e1 booklet=4",
        ends="booklet=9|4", at="v e1 o e2",
    ),
    "edited online between two links, elsewhere": case(
        MET, "e1 A > v booklet=3", "o D >> now remark=新", "e2 A > e1 booklet=4",
        ends="booklet=4 remark=新", at="v e1 o e2",
    ),
    "edited online on what is old": case(
        MET, "e1 A > v booklet=3", "o D >> #1 booklet=9", ends="booklet=3|9", at="v e1 o"
    ),
    "a clash that one decides who saw both": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "o D >> now booklet=4", ends="booklet=4",
        at="v a b o\nv b a o\n(v a) b o",
    ),
    "a clash decided otherwise": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "o D >> now booklet=0", ends="booklet=0",
        at="v a b o",
    ),
    "a clash left open by an edit elsewhere": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "o D >> now remark=新",
        ends="booklet=3|4 remark=新", at="v a b o",
    ),
    "a clash decided, and one who did not know goes on": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "o D >> now booklet=5",
        "a2 A > a booklet=6", ends="booklet=5|6", at="v a b o a2\nv b a o a2\nv a b o (a2)",
    ),
    "decided, clashed again, decided again": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4", "o D >> now booklet=5",
        "a2 A > a booklet=6", "o2 D >> now booklet=7", ends="booklet=7", at="v a b o a2 o2",
    ),
    "decided before the other came": case(
        MET, "a A > v booklet=3", "o D >> now booklet=5", "b B > #1 booklet=4",
        ends="booklet=5|4", at="v a o b",
    ),
    "a clash of private words decided": case(
        MET, "a A > v remark=甲", "b B > #1 remark=乙", "o D >> now remark=甲乙",
        ends="remark=甲乙", at="v a b o\nv b a o",
    ),
    "a phone that took in the server's version": case(
        MET, "a A > v booklet=3", "b B > #1 leaflet=4 remark=乙", "a2 A > #b leaflet=5 booklet=5",
        "a3 A > a2 booklet=6 remark=丙", ends="leaflet=5 booklet=6 remark=丙",
        at="v a b a2 a3\nv a b a3? a2",
    ),
}  # fmt: skip

MISSING: dict[str, Case] = {
    "a number that is not there": case(
        MET, "e1 A > #9 booklet=3", at="v e1!\n(v e1!)", e1="invalid_input"
    ),
    "an edit that replaces itself": case(
        MET, "e1 A > e1 booklet=3", at="v e1!\n(e1! v)", e1="builds_on_itself"
    ),
    "an edit on one that never comes": case(
        MET, "e1 A > lost booklet=3", "e2 A > e1 booklet=4", "e3 A > v remark=新", ends="remark=新",
        at="v e1? e2? e3\n(e2? e1? v e3)", e1="earlier_item_missing", e2="earlier_item_missing",
    ),
    "an edit on one that is refused": case(
        MET, "e1 A > v topics=none", "e2 A > e1 booklet=4", at="v e1! e2?\n(e2? e1! v)",
        e1="invalid_input", e2="earlier_item_missing",
    ),
}  # fmt: skip
