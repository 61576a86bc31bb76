"""Filled-in forms as phones send them: XML from strangers, read within bounds."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from api.openrosa.refusals import EditsNotTaken, MalformedSubmission, MissingInstanceId
from ledger import identity

XML_BYTES_MAX = 256 * 1024
DEPTH_MAX, ELEMENTS_MAX = 8, 1000
ID_MAX = 200
META = "meta"


class Instance(msgspec.Struct, frozen=True):
    """A filled-in form: which form it is of, its id, and what was answered, by path of names."""

    form: str
    instance_id: str
    values: dict[str, str]

    @property
    def submission_id(self) -> UUID:
        """What our commands are known by; a phone's ``uuid:…`` is taken as it is."""
        scheme, _, given = self.instance_id.partition(":")
        try:
            if scheme == "uuid":
                return UUID(given)
        except ValueError:
            pass
        return identity.derived("instance", self.instance_id)


def read(xml: bytes) -> Instance:
    """Raises MalformedSubmission, MissingInstanceId, EditsNotTaken."""
    if len(xml) > XML_BYTES_MAX:
        raise MalformedSubmission
    try:
        root, values = _leaves(xml)
    except (DefusedXmlException, ParseError, ValueError, LookupError):
        raise MalformedSubmission from None
    instance_id = values.pop(f"{META}/instanceID", "")
    if not 0 < len(instance_id) <= ID_MAX:
        raise MissingInstanceId
    if f"{META}/deprecatedID" in values:
        raise EditsNotTaken
    answered = {path: text for path, text in values.items() if not path.startswith(f"{META}/")}
    return Instance(root.get("id", ""), instance_id, answered)


def _leaves(xml: bytes) -> tuple[Element, dict[str, str]]:
    """The root, and the text of every element without others in it that has one."""
    path: list[str] = []
    values: dict[str, str] = {}
    root: Element | None = None
    elements = 0
    for event, element in iterparse(BytesIO(xml), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            elements += 1
            path.append(element.tag.rpartition("}")[2])
            if len(path) > DEPTH_MAX or elements > ELEMENTS_MAX:
                raise MalformedSubmission
            root = element if root is None else root
            continue
        name, text = "/".join(path[1:]), (element.text or "").strip()
        path.pop()
        if not len(element) and text:
            if name in values:
                raise MalformedSubmission
            values[name] = text
    assert root is not None
    return root, values
