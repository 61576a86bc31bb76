"""A real gunicorn: retries from several processes, metrics, logs, the documentation page."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from uuid import uuid4

import pytest
from openapi_spec_validator import validate

from projections import BY_NAME
from tests.api.test_bad_input import a_patrol
from tests.ledger.examples import NOW

# One client of its own process: waits for the start, sends the body, prints status and answer.
CLIENT = """
import json, sys, urllib.request
url, token, body = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
request = urllib.request.Request(url, body.encode(), {
    "Authorization": "Bearer " + token, "Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=30) as answer:
    print(json.dumps([answer.status, answer.headers["Idempotent-Replay"], answer.read().decode()]))
"""


def ask(server, path: str, token: str | None = None, body: object = None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(server.url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def number(text: str, name: str) -> float:
    found = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[0]) if found else 0.0


def test_five_retries_at_once_are_one_patrol(environ, services, serve):
    """The same patrol five times at once from five processes: one 201, four 200, equal answers."""
    token = services.ledger.issue_token("citizen", NOW).token
    body = json.dumps({"submission_id": str(uuid4()), **a_patrol()})
    head = services.ledger.head()
    with serve(environ, GWC_WORKERS="2") as server:
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", CLIENT, f"{server.url}/v1/patrols", token, body],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(5)
        ]  # fmt: skip
        for client in clients:
            assert client.stdout.readline() == "ready\n"
        for client in clients:
            client.stdin.write("go\n")
            client.stdin.flush()
        answers = [json.loads(client.communicate(timeout=60)[0]) for client in clients]
    assert sorted(status for status, _, _ in answers) == [200, 200, 200, 200, 201]
    assert {replay for status, replay, _ in answers if status == 200} == {"true"}
    assert len({content for _, _, content in answers}) == 1
    new = services.ledger.rows(head)
    assert [one.topic for one in new] == [
        "patrol.recorded", "patrol.assessed", "wallet.coins-awarded",
    ]  # fmt: skip


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_metrics_add_up_over_two_workers(environ, services, serve):
    """Counters are those of both workers together, and stay so when a worker has gone."""
    token = services.ledger.issue_token("citizen", NOW).token
    with serve(environ, GWC_WORKERS="2", GWC_THREADS="1") as server:
        for _ in range(40):
            assert ask(server, "/v1/me", token)[0] == 200
        patrol = {"submission_id": str(uuid4()), **a_patrol()}
        assert ask(server, "/v1/patrols", token, patrol)[0] == 201
        served = 'gwc_requests_total{method="GET",route="/v1/me",status="200"}'
        text = ask(server, "/metrics")[1]
        assert number(text, served) == 40
        assert number(text, 'gwc_coins_awarded_total{kind="patrol"}') == 9
        assert number(text, "gwc_log_position") == services.ledger.head()
        assert {one for one in BY_NAME if f'gwc_view_lag{{view="{one}"}}' in text} == set(BY_NAME)
        server.process.send_signal(1)  # HUP: new workers in place of the old ones.
        for _ in range(10):
            assert ask(server, "/v1/me", token)[0] == 200
        assert number(ask(server, "/metrics")[1], served) == 50


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_log_lines_are_ours_alone(environ, services, serve):
    """Line ends in the address, hostile headers, tokens and names make and enter no log line."""
    registrar = services.ledger.issue_token("registrar", NOW).token
    citizen = services.ledger.issue_token("citizen", NOW).token
    person = {"submission_id": str(uuid4()), "role": "citizen", "name": "王小明\u202e",
              "phone": "13800000000"}  # fmt: skip
    with serve(environ) as server:
        refused = ask(server, "/v1/participants", registrar, person)
        person["name"] = "王小明"
        made = ask(server, "/v1/participants", registrar, person)
        ask(server, "/v1/x%0a%7B%22level%22%3A%22error%22%7D?token=geheim%0aFORGED", citizen)
        ask(server, "/v1/patrols?cursor=geheim", citizen)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/healthz", headers={"User-Agent": "\x1b[31mFORGED {} %s"})
        connection.getresponse().read()
        connection.close()
    assert (refused[0], made[0]) == (422, 201)
    text = server.log.read_text()
    for secret in (registrar, citizen, json.loads(made[1])["token"], "王小明", "13800000000",
                   "\\u738b", "geheim", "FORGED", "\x1b"):  # fmt: skip
        assert secret not in text
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["log"] == "gwc.access"]
    routes = [line["route"] for line in requests if line["route"] != "/healthz"]
    assert routes == ["/v1/participants", "/v1/participants", None, "/v1/patrols"]
    assert {"time", "level", "method", "status", "ms"} <= set(requests[0])


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_a_body_of_five_mebibytes_hears_its_answer(environ, services, serve):
    """Whoever sends far too much gets the 413 to read, and the next request is served."""
    token = services.ledger.issue_token("citizen", NOW).token
    head = services.ledger.head()
    with serve(environ) as server:
        status, text = ask(server, "/v1/patrols", token, "x" * 5 * 1024 * 1024)
        assert (status, json.loads(text)["code"]) == (413, "body_too_large")
        assert ask(server, "/v1/me", token)[0] == 200
    assert services.ledger.head() == head


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_the_documentation_page_stays_at_home(environ, services, serve, chromium):
    """/docs draws the operations in a real browser and asks nobody but the service itself."""
    with serve(environ) as server:
        page = chromium.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/docs")
        page.wait_for_selector(".opblock", timeout=30_000)
        assert page.locator(".opblock").count() >= 20
        page.close()
    away = [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert not away
    assert f"{server.url}/openapi.json" in asked


def test_the_openapi_document_is_valid(app):
    """The document validates as OpenAPI 3.1.0 and has the addresses and schemas as they are."""
    document = app.test_client().get("/openapi.json").json
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert {"/v1/patrols", "/v1/wallets/{whose}", "/v1/history"} <= set(document["paths"])
    patrol = document["components"]["schemas"]["PatrolRequest"]
    assert set(patrol["required"]) == {"submission_id", "crs", "track"}
    assert patrol["additionalProperties"] is False
    assert document["paths"]["/healthz"]["get"]["security"] == []
    assert document["security"] == [{"bearer": []}]


def operations(document: dict) -> list[dict]:
    return [one for path in document["paths"].values() for method, one in path.items()
            if method != "parameters"]  # fmt: skip


def test_every_operation_is_described(app):
    """Each has a description, an id of its own that says what it does, and described parameters."""
    found = operations(app.test_client().get("/openapi.json").json)
    ids = [one["operationId"] for one in found]
    assert len(set(ids)) == len(ids)
    verbs = {
        "get", "list", "explain", "look", "record", "verify", "refuse", "register", "change",
        "publish", "restock", "reprice", "withdraw", "ask", "approve", "decline", "collect",
        "cancel", "donate", "open", "propose", "confirm", "reject", "set", "plan", "close", "allot",
        "hold", "edit", "send", "pause", "resume", "erase", "place", "lift",
    }  # fmt: skip
    assert {one.partition("_")[0] for one in ids} == verbs
    assert [one["operationId"] for one in found if not one["description"]] == []
    asked = [each for one in found for each in one.get("parameters", ())]
    assert asked
    assert [each["name"] for each in asked if not each["description"]] == []
    defaults = {each["name"]: each["schema"].get("default") for each in asked}
    assert (defaults["period"], defaults["min_position"]) == ("month", 0)


def test_headers_and_schemas_are_told_as_they_are(app):
    """The headers answers may carry are there, metrics are typed, and no schema is left over."""
    document = app.test_client().get("/openapi.json").json
    paths, schemas = document["paths"], document["components"]["schemas"]
    assert "Idempotent-Replay" in paths["/v1/patrols"]["post"]["responses"]["200"]["headers"]
    assert "Link" in paths["/v1/reports"]["get"]["responses"]["200"]["headers"]
    for one in operations(document):
        assert "Retry-After" in one["responses"]["default"]["headers"]
    assert {"$ref": "#/components/schemas/Metrics"} in (
        schemas["Receipt"]["properties"]["metrics"]["anyOf"]
    )
    text = json.dumps(document)
    assert [name for name in schemas if f'"#/components/schemas/{name}"' not in text] == []
