"""Filled-in forms from strangers: read within bounds, and what is no form is refused."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from api.openrosa import instances
from api.openrosa.instances import read
from api.openrosa.refusals import EditsNotTaken, MalformedSubmission, MissingInstanceId

NAMES = "abcdefghij"
BOMB = (
    '<!DOCTYPE data [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(NAMES))
    + f']><data id="x"><a>&{NAMES[-1]};</a></data>'
)
XXE = '<!DOCTYPE data [<!ENTITY a SYSTEM "file:///etc/hostname">]><data id="x"><a>&a;</a></data>'


def a_form(inner: str = "", meta: str = "<instanceID>uuid:1</instanceID>") -> bytes:
    return f'<data id="f">{inner}<meta>{meta}</meta></data>'.encode()


def test_answers_are_read_by_the_path_of_their_names():
    """Groups, namespaces and padding fall away; what is blank was not answered."""
    found = read(b"""<?xml version='1.0' ?><data id="f" xmlns:orx="http://openrosa.org/xforms"
        xmlns="http://example.com/form"><a> 1 </a><g><b>2</b><c/></g><d>  </d>
        <orx:meta><orx:instanceID>uuid:7</orx:instanceID><orx:userID>x</orx:userID></orx:meta>
        </data>""")
    assert (found.form, found.instance_id, found.values) == ("f", "uuid:7", {"a": "1", "g/b": "2"})


def test_a_phones_uuid_is_the_submission_id():
    """As it is, however it is spelt; of another id a UUID is made, always the same."""
    number = uuid4()
    for spelt in (f"uuid:{number}", f"uuid:{str(number).upper()}"):
        assert read(a_form(meta=f"<instanceID>{spelt}</instanceID>")).submission_id == number
    made = [read(a_form(meta=f"<instanceID>{one}</instanceID>")).submission_id
            for one in ("uuid:x", "uuid:x", "uuid:y", str(number))]  # fmt: skip
    assert made[0] == made[1]
    assert len({*made, number}) == 4
    assert all(isinstance(one, UUID) for one in made)


@pytest.mark.parametrize("meta", ["", "<instanceID/>", "<instanceID> </instanceID>",
                                  f"<instanceID>{'x' * 201}</instanceID>"])  # fmt: skip
def test_a_form_without_an_id_is_refused(meta):
    """It could not be told from the same form sent twice."""
    with pytest.raises(MissingInstanceId):
        read(a_form(meta=meta))


def test_an_edit_is_refused():
    """What replaces a form that was sent would count as another visit."""
    with pytest.raises(EditsNotTaken):
        read(a_form(meta="<instanceID>uuid:2</instanceID><deprecatedID>uuid:1</deprecatedID>"))


@pytest.mark.parametrize("xml", [
    b"", b"no xml", b"<data", b"<data></other>", b"\xff\xfe\x00", a_form("<a>1</a><a>2</a>"),
    b'<?xml version="1.0" encoding="nonsense"?><data/>', BOMB.encode(), XXE.encode(),
    b"<!DOCTYPE data><data/>", a_form("<g>" * 8 + "</g>" * 8), a_form("<a/>" * 1000),
    a_form("<a>" + "x" * instances.XML_BYTES_MAX + "</a>"),
])  # fmt: skip
def test_what_is_no_form_is_refused(xml):
    """Broken, doubled, deep, long, with entities or a document type: none of it is read."""
    with pytest.raises(MalformedSubmission):
        read(xml)


def test_bounds_leave_room_for_every_form_of_ours():
    """A form as deep and as long as ours may be is read."""
    assert read(a_form("<g><h><i>" + "".join(f"<q{n}>x</q{n}>" for n in range(900))
                       + "</i></h></g>")).values["g/h/i/q899"] == "x"  # fmt: skip
