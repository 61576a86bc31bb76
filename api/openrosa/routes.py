"""The addresses that ODK Collect asks: which forms there are, a form, its files, a submission."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from flask import Blueprint, Response, current_app, request, url_for

from api import metrics
from api.auth import accepts_basic, actor, needs, services
from api.openrosa import envelopes, households
from api.openrosa.envelopes import Listed, MediaFile
from api.openrosa.forms import Form, campaign_of, fingerprint, form_id, form_of
from api.openrosa.instances import Instance, read
from api.openrosa.refusals import UnknownAttachment, XmlPartMissing
from api.openrosa.sheets import HOUSEHOLDS_CSV
from api.openrosa.submissions import PHOTO, times_of, visit_of
from api.photos import photo_of
from api.routing import PERSONAL
from api.schemas import refuse_compressed
from ledger.campaigns.errors import UnknownCampaign, VisitIsWithdrawn
from ledger.contributions.evidence import Photo
from ledger.contributions.visit import VISIT
from ledger.errors import NotFound

RIGHT = "visits.log"
XML_PART = "xml_submission_file"
# What the parts of a body need around their content.
AROUND_BYTES = 64 * 1024
RECEIVED = "走访已登记。\nThe visit was recorded."
KNOWN = "这份走访已登记过，无需再次提交。\nThis visit was recorded before; do not send it again."

routes = Blueprint("openrosa", __name__, url_prefix="/openrosa")
routes.after_app_request(envelopes.in_xml)


@routes.get("/formList")
@accepts_basic
@needs(RIGHT)
def form_list() -> Response:
    """A form for each open campaign at the worker's place."""
    here, who = services(), actor()
    wanted, verbose = request.args.get("formID"), request.args.get("verbose") == "true"
    return envelopes.form_list(
        _listed(campaign_id, verbose=verbose)
        for campaign_id, _ in households.open_campaigns(here, who)
        if wanted in (None, form_id(campaign_id))
    )


@routes.get("/forms/<uuid:id>.xml")
@accepts_basic
@needs(RIGHT)
def form(id: UUID) -> Response:
    """The form of an open campaign at the worker's place."""
    return Response(_form(id)[0].xml, content_type=envelopes.XML)


@routes.get("/forms/<uuid:id>/manifest")
@accepts_basic
@needs(RIGHT)
def manifest(id: UUID) -> Response:
    """The file of households, where the form has one to choose from."""
    _, listed = _form(id)
    files = [MediaFile(
        filename=HOUSEHOLDS_CSV, hash=fingerprint(households.as_csv(services(), actor(), id)),
        downloadUrl=url_for("openrosa.household_list", id=id, _external=True),
    )] if listed else []  # fmt: skip
    return envelopes.manifest(files)


@routes.get("/forms/<uuid:id>/households.csv")
@accepts_basic
@needs(RIGHT)
def household_list(id: UUID) -> Response:
    """The households of the worker's place, with addresses from the vault."""
    here, who = services(), actor()
    households.open_campaign(here, who, id)
    if not households.are_listed(here, who, id):
        raise NotFound  # No form names it, and it could be a whole city's.
    response = Response(
        households.as_csv(here, who, id), content_type="text/csv; charset=utf-8"
    )
    response.headers["Cache-Control"] = PERSONAL
    return response


@routes.route("/submission", methods=["HEAD"])
@accepts_basic
@needs(RIGHT)
def before_submission() -> Response:
    """What a phone asks first: whether this is the right place, and how much it takes at once."""
    response = Response(status=204)
    room = int(current_app.config["MAX_CONTENT_LENGTH"]) - AROUND_BYTES
    response.headers["X-OpenRosa-Accept-Content-Length"] = str(room)
    response.headers["Location"] = url_for("openrosa.submission", _external=True)
    return response


@routes.post("/submission")
@accepts_basic
@needs(RIGHT)
def submission() -> Response:
    """A filled-in form becomes a visit; sent again, its files that are new are added.

    201: something was recorded. 202: all of it was recorded before; neither is to be sent again.
    410: the visit was withdrawn since, and nothing more is added to it.
    """
    here, who, now = services(), actor(), services().clock()
    refuse_compressed()
    xml = _xml()
    instance = read(xml)
    campaign_id = campaign_of(instance.form)
    campaign = here.ledger.campaigns.current(campaign_id) if campaign_id else None
    if campaign_id is None or campaign is None or campaign.planned is None:
        raise UnknownCampaign
    photos = _photos(instance)
    receipt = here.ledger.contribute(
        VISIT, who, visit_of(instance, campaign_id, campaign),
        {"xml_sha256": sha256(xml).hexdigest()}, instance.submission_id, now,
        times_of(instance, request.headers.get("Date") or request.form.get("Date"), now),
    )  # fmt: skip
    if not receipt.replayed:
        metrics.decided(receipt.kind, receipt.coins, receipt.reasons)
    elif here.ledger.contribution(VISIT, receipt.id).state == "withdrawn":
        raise VisitIsWithdrawn
    kept = here.ledger.keep_photos(who, receipt.id, photos, now) if photos else None
    known = receipt.replayed and (kept is None or kept.replayed)
    return envelopes.told("submit_success", KNOWN if known else RECEIVED, 202 if known else 201)


def _form(campaign_id: UUID) -> tuple[Form, bool]:
    """The form for this worker, and whether households are chosen from a list."""
    here, who = services(), actor()
    campaign = households.open_campaign(here, who, campaign_id)
    listed = households.are_listed(here, who, campaign_id)
    return form_of(campaign_id, campaign.plan, listed=listed), listed


def _listed(campaign_id: UUID, *, verbose: bool) -> Listed:
    made, listed = _form(campaign_id)
    campaign = services().ledger.campaigns.current(campaign_id)
    plan = campaign.plan
    days = " – ".join(str(day) for day in (plan.starts_on, plan.ends_on) if day)
    return Listed(
        formID=form_id(campaign_id), name=plan.name, version=made.version, hash=made.hash,
        descriptionText=f"走访登记 Household visits {days}".strip() if verbose else None,
        downloadUrl=url_for("openrosa.form", id=campaign_id, _external=True),
        manifestUrl=url_for("openrosa.manifest", id=campaign_id, _external=True)
        if listed else None,
    )  # fmt: skip


def _xml() -> bytes:
    """The one part that is the filled-in form, sent as a file or as a field."""
    files, fields = request.files.getlist(XML_PART), request.form.getlist(XML_PART)
    if len(files) + len(fields) != 1:
        raise XmlPartMissing
    return files[0].read() if files else fields[0].encode()


def _photos(instance: Instance) -> list[Photo]:
    """The files sent along, each named in the form; raises UnknownAttachment, NotAPhoto."""
    photos = []
    for name, file in request.files.items(multi=True):
        if name == XML_PART:
            continue
        if instance.values.get(PHOTO) not in (name, file.filename):
            raise UnknownAttachment
        photos.append(photo_of(file.read()))
    return photos
