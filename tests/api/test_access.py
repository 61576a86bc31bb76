"""Who may do what: deny by default, on every address of the URL map."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Response

from api.app import create_app
from api.auth import PUBLIC
from ledger import access
from ledger.participants import ROLES
from tests.api.test_bad_input import a_patrol
from tests.ledger.examples import NOW, a_report

EXISTING = {"board": "all", "whose": "me", "int:position": "1", "sha256": "00" * 32}
PUBLIC_ADDRESSES = {
    "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/start.js",
    "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js",
    "/log/checkpoint", "/log/tile/<path:name>", "/log/trust-policy",
}  # fmt: skip
# (method, address) -> the roles that may; written here by hand, once more than in the code.
FIELD = {"citizen", "civic_river_chief", "village_chief", "grid_worker", "cleaner", "enterprise"}
EVERYBODY = set(ROLES) - {"open311"}
PLANNERS = {"dispatcher", "reward_officer", "admin"}
EXPECTED = {
    ("POST", "/v1/patrols"): FIELD,
    ("POST", "/v1/patrols/<uuid:id>/verify"): {"dispatcher", "reward_officer"},
    ("POST", "/v1/patrols/<uuid:id>/refuse"): {"dispatcher", "reward_officer"},
    ("POST", "/v1/reports"): FIELD,
    ("POST", "/v1/reports/<uuid:id>/verify"): {"dispatcher", "handler"},
    ("POST", "/v1/reports/<uuid:id>/refuse"): {"dispatcher", "handler"},
    ("POST", "/v1/visits"): {"grid_worker"},
    ("POST", "/v1/visits/<uuid:id>/verify"): {"dispatcher"},
    ("POST", "/v1/visits/<uuid:id>/refuse"): {"dispatcher"},
    ("POST", "/v1/check-ins"): FIELD,
    ("POST", "/v1/check-ins/<uuid:id>/verify"): {"dispatcher", "reward_officer"},
    ("POST", "/v1/check-ins/<uuid:id>/refuse"): {"dispatcher", "reward_officer"},
    ("PUT", "/v1/contributions/<uuid:id>/photos/<sha256>"): FIELD,
    ("POST", "/v1/trails"): {"dispatcher", "reward_officer", "admin"},
    ("POST", "/v1/trails/<uuid:id>/pause"): {"dispatcher", "reward_officer", "admin"},
    ("POST", "/v1/trails/<uuid:id>/resume"): {"dispatcher", "reward_officer", "admin"},
    ("POST", "/v1/trails/<uuid:id>/close"): {"dispatcher", "reward_officer", "admin"},
    ("POST", "/v1/participants"): {"registrar", "admin"},
    ("POST", "/v1/catalogue"): {"merchant", "reward_officer"},
    ("POST", "/v1/catalogue/<uuid:id>/restock"): {"merchant", "reward_officer"},
    ("POST", "/v1/catalogue/<uuid:id>/reprice"): {"merchant", "reward_officer"},
    ("POST", "/v1/catalogue/<uuid:id>/withdraw"): {"merchant", "reward_officer"},
    ("POST", "/v1/redemptions/<uuid:id>/collect"): {"merchant", "reward_officer"},
    ("POST", "/v1/vouchers/lookup"): {"merchant", "reward_officer"},
    ("POST", "/v1/redemptions"): FIELD,
    ("POST", "/v1/redemptions/<uuid:id>/cancel"): FIELD,
    ("POST", "/v1/redemptions/<uuid:id>/approve"): {"approver", "reward_officer"},
    ("POST", "/v1/redemptions/<uuid:id>/decline"): {"approver", "reward_officer"},
    ("POST", "/v1/donations"): FIELD,
    ("POST", "/v1/accounts"): {"reward_officer", "registrar", "admin"},
    ("POST", "/v1/reversals"): {"reward_officer"},
    ("POST", "/v1/reversals/<uuid:id>/confirm"): {"approver"},
    ("POST", "/v1/reversals/<uuid:id>/reject"): {"approver"},
    ("GET", "/v1/reversals"): {"reward_officer", "approver", "auditor"},
    ("GET", "/v1/reversals/<uuid:id>"): EVERYBODY,
    ("POST", "/v1/erasures"): {"registrar", "admin"},
    ("POST", "/v1/erasures/<uuid:id>/approve"): {"approver", "admin"},
    ("POST", "/v1/erasures/<uuid:id>/refuse"): {"approver", "admin"},
    ("POST", "/v1/holds"): {"approver", "admin"},
    ("POST", "/v1/holds/<uuid:id>/lift"): {"approver", "admin"},
    ("POST", "/v1/budgets"): {"reward_officer"},
    ("GET", "/v1/budgets"): {"reward_officer", "approver", "auditor", "admin"},
    ("GET", "/v1/trial-balance"): {"auditor", "reward_officer", "approver"},
    ("POST", "/v1/campaigns"): PLANNERS,
    ("POST", "/v1/campaigns/<uuid:id>/open"): PLANNERS,
    ("POST", "/v1/campaigns/<uuid:id>/close"): PLANNERS,
    ("POST", "/v1/campaigns/<uuid:id>/stock"): PLANNERS,
    ("POST", "/v1/campaigns/<uuid:id>/shows"): PLANNERS | {"grid_worker"},
    ("GET", "/v1/campaigns/<uuid:id>/coverage"): {
        "grid_worker", "dispatcher", "reward_officer", "approver", "auditor", "admin"
    },
    ("GET", "/v1/campaigns/<uuid:id>/households"): {"grid_worker", "dispatcher"},
    ("GET", "/v1/campaigns/<uuid:id>/survey"): {
        "dispatcher", "reward_officer", "auditor", "admin"
    },
    ("POST", "/v1/visits/<uuid:id>/edit"): {"grid_worker", "dispatcher"},
    ("GET", "/v1/visits/<uuid:id>/details"): {"grid_worker", "dispatcher"},
    ("POST", "/v1/visits/<uuid:id>/withdraw"): {"grid_worker"},
    ("POST", "/v1/visits/nobody-home"): {"grid_worker"},
    ("POST", "/v1/sync"): FIELD | {"dispatcher"},
    ("GET", "/openrosa/formList"): {"grid_worker"},
    ("GET", "/openrosa/forms/<uuid:id>.xml"): {"grid_worker"},
    ("GET", "/openrosa/forms/<uuid:id>/manifest"): {"grid_worker"},
    ("GET", "/openrosa/forms/<uuid:id>/households.csv"): {"grid_worker"},
    ("POST", "/openrosa/submission"): {"grid_worker"},
    ("GET", "/v1/history"): {"auditor"},
    ("GET", "/v1/history/<uuid:originator_id>"): {"auditor"},
    **dict.fromkeys(
        [
            ("GET", "/v1/patrols"), ("GET", "/v1/patrols/<uuid:id>"),
            ("GET", "/v1/reports"), ("GET", "/v1/reports/<uuid:id>"),
            ("GET", "/v1/visits"), ("GET", "/v1/visits/<uuid:id>"),
            ("GET", "/v1/check-ins"), ("GET", "/v1/check-ins/<uuid:id>"),
            ("GET", "/v1/contributions/<uuid:id>/photos"),
            ("GET", "/v1/contributions/<uuid:id>/photos/<sha256>"),
            ("GET", "/v1/trails"), ("GET", "/v1/trails/<uuid:id>"),
            ("GET", "/v1/me"), ("POST", "/v1/me/consents"), ("POST", "/v1/me/erasure"),
            ("GET", "/v1/erasures/<uuid:id>"),
            ("GET", "/v1/wallets/<whose>"), ("GET", "/v1/wallets/<whose>/statement"),
            ("GET", "/v1/wallets/<whose>/explain"),
            ("GET", "/v1/leaderboards/<board>"), ("GET", "/v1/leaderboards/balance"),
            ("GET", "/v1/catalogue"), ("GET", "/v1/catalogue/<uuid:id>"),
            ("GET", "/v1/redemptions"), ("GET", "/v1/redemptions/<uuid:id>"),
            ("GET", "/v1/accounts/<uuid:id>"), ("POST", "/v1/accounts/<uuid:id>/members"),
            ("GET", "/v1/policy"), ("GET", "/v1/receipts/<int:position>"),
            ("GET", "/v1/campaigns"), ("GET", "/v1/campaigns/<uuid:id>"),
            ("GET", "/v1/reaches"), ("GET", "/v1/reaches/<uuid:id>"),
        ],
        EVERYBODY,
    ),
}  # fmt: skip


def addresses(app) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def path_of(rule: str) -> str:
    for name, value in EXISTING.items():
        rule = rule.replace(f"<{name}>", value)
    return rule.replace("<uuid:id>", str(uuid4())).replace("<uuid:originator_id>", str(uuid4()))


def test_the_matrix_has_a_row_for_every_address(app):
    """An address without a row in the matrix fails here, so none is added unlooked at."""
    private = {row for row in addresses(app) if row[1] not in PUBLIC_ADDRESSES}
    assert private == set(EXPECTED)


def test_only_the_listed_addresses_are_public(app):
    """What can be asked without a token is listed by hand."""
    public = {
        rule.rule for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "right", None) == PUBLIC
    }  # fmt: skip
    assert public == PUBLIC_ADDRESSES


def test_route_by_role(app, caller, services):
    """Every role gets 403 exactly where the matrix says it may not, and nothing is written."""
    client = app.test_client()
    callers = {role: caller(role) for role in ROLES}
    head = services.ledger.head()
    wrong = []
    for (method, rule), roles in EXPECTED.items():
        for role, one in callers.items():
            answer = client.open(path_of(rule), method=method, json={}, headers=one.headers)
            if (answer.status_code == 403) == (role in roles):
                wrong.append((method, rule, role, answer.status_code))
    assert not wrong
    assert services.ledger.head() == head


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic dTpw", "Bearer no", "Bearer é", f"Bearer {'x' * 300}"],
)
def test_no_token_or_an_unknown_one_is_a_401(header, app):
    """Every private address answers 401 to whoever cannot say who they are."""
    client = app.test_client()
    headers = {} if header is None else {"Authorization": header}
    for method, rule in EXPECTED:
        answer = client.open(path_of(rule), method=method, headers=headers)
        if rule.startswith("/openrosa/"):  # They answer in XML, and ask for a password.
            assert (answer.status_code, answer.json) == (401, None), rule
            continue
        assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated"), rule
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_ends_at_once(caller, services):
    """The first request after a revocation is refused."""
    citizen = caller()
    assert citizen.get("/v1/me").status_code == 200
    services.ledger.revoke_token(citizen.token, NOW)
    head = services.ledger.head()
    assert citizen.get("/v1/me").status_code == 401
    assert citizen.submit("/v1/patrols", a_patrol()).status_code == 401
    assert services.ledger.head() == head


def test_an_endpoint_that_declares_nothing_is_refused(services):
    """A route somebody forgot to give a right is closed to all, tokens or not."""
    app = create_app(services)
    app.add_url_rule("/forgotten", "forgotten", lambda: Response("secret"))
    token = services.ledger.issue_token("admin", NOW).token
    client = app.test_client()
    assert client.get("/forgotten").status_code == 401
    answer = client.get("/forgotten", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_somebody_elses_wallet_is_not_there(caller, follow):
    """Another's balance and statement are 404, as one that never was; an auditor sees them."""
    follow()
    owner, other, auditor = caller(), caller(), caller("auditor")
    wallet = f"/v1/wallets/{owner.id}"
    for path in (wallet, f"{wallet}/statement", f"{wallet}/explain", f"{wallet}?at_position=1"):
        assert owner.get(path).status_code == 200
        assert other.get(path).status_code == 404
        assert other.get(path).json["code"] == other.get(f"/v1/wallets/{uuid4()}").json["code"]
        assert auditor.get(path).status_code == 200
    assert auditor.get(f"/v1/wallets/{uuid4()}").status_code == 404


def test_somebody_elses_contribution_is_not_there(caller, follow):
    """A report is seen by its owner, reviewers of its district and auditors; else it is 404."""
    owner = caller("citizen", "110")
    made = owner.submit("/v1/reports", a_report()).json
    follow()
    path = f"/v1/reports/{made['id']}"
    seen = {
        "owner": owner.get(path),
        "auditor": caller("auditor").get(path),
        "own district": caller("handler", "110").get(path),
        "whole city": caller("dispatcher").get(path),
    }
    assert {name: one.status_code for name, one in seen.items()} == dict.fromkeys(seen, 200)
    hidden = [caller(), caller("citizen", "110"), caller("handler", "120"), caller("admin")]
    assert [one.get(path).status_code for one in hidden] == [404] * len(hidden)
    assert owner.get(f"/v1/patrols/{made['id']}").status_code == 404


def test_nobody_reviews_their_own_or_another_district(caller, services):
    """A reviewer of elsewhere gets 404; who sent it in cannot decide it; nothing is written."""
    owner = caller("citizen", "110")
    made = owner.submit("/v1/reports", a_report()).json
    elsewhere = caller("handler", "120")
    # The same person in two roles: sending in as a citizen, reviewing as a handler.
    token = services.ledger.issue_token("handler", NOW, participant=owner.id, district="110").token
    head = services.ledger.head()
    path = f"/v1/reports/{made['id']}/verify"
    assert elsewhere.submit(path, {"tier": 1}).status_code == 404
    owner.headers["Authorization"] = f"Bearer {token}"
    answer = owner.submit(path, {"tier": 1})
    assert (answer.status_code, answer.json["code"]) == (403, "self_review")
    assert services.ledger.head() == head


@pytest.mark.parametrize("office", ["admin", "registrar", "auditor", "approver", "reward_officer"])
def test_a_registrar_makes_no_officer(office, caller, services):
    """A registrar cannot give anybody an office that checks others; an admin can."""
    registrar, admin = caller("registrar"), caller("admin")
    head = services.ledger.head()
    assert registrar.submit("/v1/participants", {"role": office}).status_code == 403
    assert services.ledger.head() == head
    assert admin.submit("/v1/participants", {"role": office}).status_code == 201


def test_an_unknown_right_nobody_has(caller):
    """The table of rights denies what it does not name."""
    actor = access.Actor(caller("admin").id, "admin")
    assert not access.allowed(actor, "no.such-right")
