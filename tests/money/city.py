"""A small city to play with: people with tokens, two accounts, and a service that can restart."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from flask import Flask

from api.app import create_app
from api.config import Settings
from api.services import Opening, Services, open_services
from ledger.districts import DistrictImported
from projections.reading import open_stores
from projections.runner import Follower
from scripts import servers
from tests.api.conftest import environment

BEGIN = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)  # noon in Shanghai
NAMES = UUID("8f3a6c7e-2f60-4c57-9a51-1d7f7e1c2a90")


class Hand(NamedTuple):
    """Somebody in one of their roles: ``district`` None is the whole city."""

    person: str
    role: str
    district: str | None = None

    @property
    def token(self) -> str:
        return f"token-of-{self.person}-as-{self.role}"


CITIZENS = (Hand("an", "citizen"), Hand("bo", "citizen", "110"), Hand("cai", "citizen", "120"),
            Hand("dou", "citizen"))  # fmt: skip
REVIEWERS = (Hand("eva", "dispatcher"), Hand("fei", "dispatcher", "110"), Hand("dou", "dispatcher"))
OFFICERS = (Hand("gao", "reward_officer"), Hand("hai", "reward_officer", "110"),
            Hand("dou", "reward_officer"))  # fmt: skip
APPROVERS = (Hand("ivy", "approver"), Hand("jia", "approver", "120"), Hand("dou", "approver"))
MERCHANTS = (Hand("kai", "merchant"), Hand("lou", "merchant"), Hand("dou", "merchant"))
EVERYBODY = (*CITIZENS, *REVIEWERS, *OFFICERS, *APPROVERS, *MERCHANTS)
KEEPERS = {"team": "bo", "firm": "dou"}
OWNERS = (*(hand.person for hand in CITIZENS), *KEEPERS)


def made_id(name: str) -> UUID:
    """The id that stands for a name: of a person, or of a submission."""
    return uuid5(NAMES, name)


class Answer(NamedTuple):
    """What came of a command: the code of a refusal or None, and the answer."""

    code: str | None
    body: dict[str, Any]
    replayed: bool = False


class City:
    """The service on one database, asked over HTTP by its hands, at a time that only we move."""

    def __init__(self, url: str, app: Flask) -> None:
        self.url, self.app, self.now = url, app, BEGIN
        self.settings = Settings.from_env(environment(url))
        self.open()

    def open(self) -> None:
        """Open everything a process would; the app gets the new services."""
        self.services: Services = open_services(self.settings, lambda: self.now)
        self.ledger = self.services.ledger
        self.stores = open_stores(self.url)
        self.follower = Follower(self.ledger, self.stores)
        self.app.extensions["gwc"] = Opening(self.settings, self.services)
        self.client = self.app.test_client()

    def close(self) -> None:
        self.follower.close()
        for store in self.stores:
            store.close()
        self.services.close()

    def post(self, hand: Hand, path: str, submission: str, body: dict[str, Any]) -> Answer:
        """Send a command in; ``submission`` is a name."""
        sent = {"submission_id": str(made_id(submission)), **body}
        answer = self.client.post(
            path, json=sent, headers={"Authorization": f"Bearer {hand.token}"}
        )
        assert answer.status_code < 500, answer.text
        content = answer.get_json()
        if answer.status_code >= 400:
            return Answer(content["code"], content)
        return Answer(None, content, "Idempotent-Replay" in answer.headers)

    def get(self, hand: Hand, path: str) -> dict[str, Any]:
        """Ask a question, which must have an answer."""
        answer = self.client.get(path, headers={"Authorization": f"Bearer {hand.token}"})
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def settle(self) -> dict[str, UUID]:
        """Import districts, issue every token and open the accounts; ids by name."""
        self.ledger.import_districts([
            DistrictImported(code="100", name="城", parent=None, kind="city"),
            DistrictImported(code="110", name="东镇", parent="100", kind="town"),
            DistrictImported(code="120", name="西镇", parent="100", kind="town"),
        ], BEGIN)  # fmt: skip
        for hand in EVERYBODY:
            self.ledger.issue_token(
                hand.role, BEGIN, participant=made_id(hand.person), district=hand.district,
                token=hand.token, new=True,
            )  # fmt: skip
        officer = self.ledger.authenticate(OFFICERS[0].token)
        assert officer is not None
        self.follower.catch_up()
        accounts = {
            name: self.ledger.open_account(
                officer, "team", name, made_id(keeper), {}, made_id(name), BEGIN
            ).account_id
            for name, keeper in KEEPERS.items()
        }
        return {**{hand.person: made_id(hand.person) for hand in EVERYBODY}, **accounts}


Founded = Callable[[], City]


@contextmanager
def founding(kind: str, folder: Path, server: str | None) -> Iterator[tuple[Founded, dict]]:
    """Makes cities, each on a database of its own that already holds its people; and their ids.

    The first one is settled in full; the others are copies of its database.
    """
    app, made = create_app(Settings.from_env(environment(f"sqlite:///{folder / 'none.db'}"))), 0
    if kind == "sqlite":
        first = folder / "first.db"
        city = City(f"sqlite:///{first}", app)
        ids = city.settle()
        city.close()

        def found() -> City:
            nonlocal made
            made += 1
            copy = folder / f"city-{made}.db"
            shutil.copy(first, copy)
            return City(f"sqlite:///{copy}", app)

        yield found, ids
        return
    assert server is not None
    with servers.fresh_database(server) as first_url:
        city = City(first_url, app)
        ids = city.settle()
        city.close()
        with copies(server, first_url) as copied:
            yield lambda: City(copied(), app), ids


@contextmanager
def copies(server: str, first_url: str) -> Iterator[Callable[[], str]]:
    """Copies of a PostgreSQL database, dropped at the end."""
    import psycopg

    template = first_url.partition("?")[0].rpartition("/")[2]
    names: list[str] = []
    with psycopg.connect(server, autocommit=True) as connection:

        def copy() -> str:
            if names:
                connection.execute(f"DROP DATABASE IF EXISTS {names[-1]} WITH (FORCE)")
            names.append(f"{template}_{len(names)}")
            connection.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {template}")
            return first_url.replace(template, names[-1])

        yield copy
        if names:
            connection.execute(f"DROP DATABASE IF EXISTS {names[-1]} WITH (FORCE)")
