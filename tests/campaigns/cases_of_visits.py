"""Cases of what a visit is: answers that fit, fields emptied, withdrawals, reviews, stock."""

from __future__ import annotations

from tests.campaigns.cases import MET, TALKED, Case, case

TALK: dict[str, Case] = {
    "nobody home takes the answers back": case(
        TALKED, "e1 A > v outcome=nobody_home", ends="outcome=nobody_home -q1 -q2"
    ),
    "nobody home, twice": case(
        TALKED, "a A > v outcome=nobody_home", "b B > #1 outcome=nobody_home",
        ends="outcome=nobody_home -q1 -q2",
    ),
    "nobody home, and met after all": case(
        TALKED, "e1 A > v outcome=nobody_home", "e2 A > e1 outcome=met q1=good",
        ends="outcome=met q1=good -q2",
    ),
    "nobody home, then another answered what he knew": case(
        TALKED, "a A > v outcome=nobody_home", "b B > #1 q1=good",
        ends="outcome=nobody_home q1=-|good -q2", at="v a b",
    ),
    "another answered, then nobody home": case(
        TALKED, "b B > #1 q1=good", "a A > v outcome=nobody_home",
        ends="outcome=met|nobody_home q1=good|- -q2", at="v b a",
    ),
    "nobody home, then another answered what is new": case(
        TALKED, "a A > v outcome=nobody_home", "b B > #1 q3=yes",
        ends="outcome=nobody_home -q1 -q2 q3=-|yes", at="v a b",
    ),
    "another answered what is new, then nobody home": case(
        TALKED, "b B > #1 q3=yes", "a A > v outcome=nobody_home",
        ends="outcome=met|nobody_home q1=bad|- q2=smell|- q3=yes", at="v b a",
    ),
    "a waiting answer outlives an edit elsewhere": case(
        TALKED, "a A > v outcome=nobody_home", "b B > #1 q3=yes", "o D >> now remark=新",
        ends="outcome=nobody_home -q1 -q2 q3=-|yes remark=新", at="v a b o",
    ),
    "answers of a clash decided": case(
        TALKED, "b B > #1 q3=yes", "a A > v outcome=nobody_home", "o D >> now outcome=refused",
        ends="outcome=refused -q1 -q2 -q3", at="v b a o\nv a b o",
    ),
    "a skip rule takes an answer back": case(TALKED, "e1 A > v q1=good", ends="q1=good -q2"),
    "a skip rule against another's answer": case(
        TALKED, "a A > v q1=good", "b B > #1 q2=rubbish", ends="q1=good q2=-|rubbish", at="v a b"
    ),
    "another's answer against a skip rule": case(
        TALKED, "b B > #1 q2=rubbish", "a A > v q1=good", ends="q1=bad|good q2=rubbish|-",
        at="v b a",
    ),
    "answers where nobody was met": case(
        "v A outcome=moved", "e1 A > v q1=good", at="v e1!\ne1? v\n(e1! v)", e1="invalid_input"
    ),
    "answers where nobody was met, and others edit": case(
        "v A outcome=moved", "b B > #1 remark=新", "e1 A > v q1=good", ends="remark=新",
        at="v b e1!\nv e1! b\n(b? ) v e1! b", e1="invalid_input",
    ),
    "moved, then answers by one who did not know": case(
        MET, "b B > #1 outcome=moved", "a A > v q1=good", ends="outcome=moved q1=-|good", at="v b a"
    ),
    "answers, then moved by one who did not know": case(
        MET, "a A > v q1=good", "b B > #1 outcome=moved", ends="outcome=met|moved q1=good",
        at="v a b",
    ),
    "a waiting answer that fits again": case(
        MET, "b B > #1 outcome=moved", "a A > v q1=good", "b2 B > b outcome=met",
        "o D >> now q1=good", ends="outcome=met q1=good", at="v b a b2 o",
    ),
    "by phone after a clash on whether anybody was met": case(
        MET, "a A > v outcome=by_phone q1=good", "b B > #1 outcome=moved",
        ends="outcome=moved|by_phone q1=-|good", at="v b a",
    ),
}  # fmt: skip

CLEARING: dict[str, Case] = {
    "a day to come again is cleared": case(TALKED, "e1 A > v -due", ends="-due"),
    "a remark is cleared and written anew": case(
        MET, "e1 A > v -remark", "e2 A > e1 remark=新", ends="remark=新"
    ),
    "cleared by one, changed by another": case(
        MET, "a A > v -remark", "b B > #1 remark=新", ends="remark=-|新"
    ),
    "cleared by both": case(
        TALKED, "a A > v -q2 -due", "b B > #1 -q2 -due", ends="-q2 -due"
    ),
    "a day cleared by one, moved by another": case(
        TALKED, "a A > v -due", "b B > #1 due=12-09", ends="due=-|12-09"
    ),
}  # fmt: skip

ENDINGS: dict[str, Case] = {
    "withdrawn after edits": case(
        TALKED, "e1 A > v booklet=5 q3=yes", "w A withdraw", ends="booklet=5 q3=yes",
        at="v e1 w\n(v e1 w)", state="withdrawn",
    ),
    "edits of what was withdrawn": case(
        TALKED, "w A withdraw", "e1 A > v booklet=5", "b B > #1 q3=yes",
        at="v w e1! b!\n(v w e1!) b!", state="withdrawn", e1="visit_withdrawn", b="visit_withdrawn",
    ),
    "a withdrawal that comes first": case(
        TALKED, "w A withdraw", at="w? v w\n(w v)", state="withdrawn"
    ),
    "withdrawn with a clash open": case(
        TALKED, "a A > v booklet=3 q3=yes", "b B > #1 booklet=4 q3=no", "w A withdraw",
        ends="booklet=3|4 q3=yes|no", at="v a b w\nv b a w", state="withdrawn",
    ),
    "withdrawn between two links": case(
        TALKED, "e1 A > v booklet=3", "w A withdraw", "e2 A > e1 booklet=4", ends="booklet=3",
        at="v e1 w e2!\ne2? v e1 w e2!", state="withdrawn", e2="visit_withdrawn",
    ),
    "verified, then edited": case(
        TALKED, "r D verify", "e1 A > v booklet=5 q3=yes", "b B > #1 remark=新",
        ends="booklet=2|5 q3=-|yes remark=-|新", at="v r e1 b\nv r b e1", state="verified",
    ),
    "verified, then edited to what stands": case(
        MET, "r D verify", "e1 A > v booklet=2", at="v r e1", state="verified"
    ),
    "verified, then none of a kind never handed out": case(
        MET, "r D verify", "e1 A > v leaflet=0", at="v r e1", state="verified"
    ),
    "edited, verified, edited": case(
        TALKED, "e1 A > v booklet=5", "r D verify", "e2 A > e1 booklet=6", "e3 A > e2 booklet=7",
        ends="booklet=5|7", at="v e1 r e2 e3\nv e1 r (e3 e2)", state="verified",
    ),
    "refused by a reviewer, then edited": case(
        TALKED, "n D refuse", "e1 A > v outcome=nobody_home",
        ends="outcome=met|nobody_home q1=bad|- q2=smell|-", at="v n e1", state="refused",
    ),
    "closed, then edited": case(
        TALKED, "k D close", "e1 A > v booklet=5 q1=good", "e2 A > e1 remark=新",
        ends="booklet=5 q1=good -q2 remark=新", at="v k e1 e2\nk v (e2 e1)\nv e1 k e2",
    ),
    "verified, then withdrawn": case(
        MET, "r D verify", "w A withdraw", at="v r w!", state="verified", w="already_decided"
    ),
}  # fmt: skip

REFUSED: dict[str, Case] = {
    "somebody of another grid": case(
        MET, "x X > #1 booklet=9", at="v x!\nx? v x!", x="not_found"
    ),
    "a visitor who is of another grid": case(MET, "c C > #1 booklet=9", ends="booklet=9"),
    "somebody who logs no visits": case(MET, "r R > #1 booklet=9", at="v r!", r="forbidden"),
    "more than the stock has": case(
        MET, "e1 A > v booklet=501", at="v e1!\n(v e1!)", e1="stock_exceeded"
    ),
    "a clash takes nothing of the stock": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=10000", ends="booklet=3|10000", at="v a b"
    ),
    "a material the campaign has not": case(
        MET, "a A > v booklet=3", "b B > #1 booklet=4 topics=none", ends="booklet=3",
        at="v a b!\nv b! a\n(b? ) v b! a", b="invalid_input",
    ),
}  # fmt: skip
