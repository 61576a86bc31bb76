"""Reward policy (奖励政策) as data: versions with effective dates, published as facts.

A policy file is TOML: ``version``, ``effective_from``, ``[caps]``, ``[roles.<role>]`` and one table
per kind of contribution, whose keys that kind declares. The default is put together from the
section each contribution carries beside its rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from ledger.budgets import BudgetSet
from ledger.errors import InvalidPolicy
from ledger.facts import Fact, stored_as
from ledger.participants import ROLES

Coins = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Version = Annotated[str, msgspec.Meta(pattern=r"^[\w.-]{1,40}$(?!\n)")]
POLICY_BYTES_MAX = 48_000

DEFAULT_HEAD = """\
# 绿水币奖励政策 / Reward policy of Green Water Coin.
# The numbers are those published by 临清 (碧水积分) where it has them, else ours; every award names
# the version and the rule that granted it.
version = "2026-01"
effective_from = 2020-01-01

[caps]                  # coins one person may be awarded (临清: 45 a day, 1,350 a month)
day = 45
month = 1350

[activity]              # being busy earns nothing, and only 0 is accepted (国办函〔2026〕12号)
login = 0
like = 0
share = 0

# Who earns. `duty` lists the kinds somebody is paid for already: within their own district
# these earn nothing, because nobody is thanked twice for the same work.
[roles.citizen]
eligible = true
[roles.civic_river_chief]
eligible = true
[roles.enterprise]
eligible = true
[roles.grid_worker]
eligible = true
duty = ["patrol"]
[roles.cleaner]
eligible = true
duty = ["patrol", "report"]
[roles.village_chief]   # disputed between cities, so off until a city decides
eligible = false
duty = ["patrol", "report"]
"""


class Granted(msgspec.Struct, frozen=True):
    """A rule's yes: so many coins, by the rule of this name.

    ``credit`` marks what it counts for at what it shares with others; none for an empty one. With
    ``counts_unpaid`` it counts even where a cap or another rule leaves it without coins.
    """

    coins: int
    rule: str
    reasons: tuple[str, ...] = ()
    credit: str = ""
    counts_unpaid: bool = False


class Refused(msgspec.Struct, frozen=True):
    """A rule's no, with its reasons; ``credit`` marks what it counts for all the same."""

    rule: str
    reasons: tuple[str, ...]
    credit: str = ""


class Caps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most coins one person may be awarded."""

    day: Coins
    month: Coins


class RoleRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a role earns at all, and which kinds are its paid duty."""

    eligible: bool = False
    duty: tuple[str, ...] = ()


class KindRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every kind's table may say; each kind adds its own keys."""

    day_max: Coins | None = None


class Policy(msgspec.Struct, frozen=True):
    """One version of the rules, parsed."""

    version: str
    effective_from: date
    caps: Caps
    roles: dict[str, RoleRule]
    kinds: dict[str, KindRules]

    def role(self, name: str) -> RoleRule:
        return self.roles.get(name, RoleRule())


@stored_as(
    "policy.published",
    zh="{by} 发布奖励政策 {version}，自 {effective_from} 起生效",
    en="{by} published the reward policy {version}, effective from {effective_from}",
)
class PolicyPublished(Fact, frozen=True):
    """A version of the reward policy, exactly as its file read."""

    version: str
    effective_from: date
    toml: str
    by: UUID | None = None


def parse(text: str, kinds: Mapping[str, type[KindRules]]) -> Policy:
    """Read a policy file; raises InvalidPolicy naming the table and key that is wrong."""
    if len(text.encode()) > POLICY_BYTES_MAX:
        raise InvalidPolicy(problem=f"longer than {POLICY_BYTES_MAX} bytes")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPolicy(problem=f"not TOML: {error}") from None
    head = {"version", "effective_from", "caps", "roles", "activity"}
    if unknown := sorted(set(table) - head - set(kinds)):
        raise InvalidPolicy(problem=f"unknown keys: {', '.join(unknown)}")
    _check(table.get("activity", {}), dict[str, Literal[0]], "activity")
    return Policy(
        version=_check(table.get("version"), Version, "version"),
        effective_from=_check(table.get("effective_from"), date, "effective_from"),
        caps=_check(table.get("caps"), Caps, "caps"),
        roles=_roles(table.get("roles", {}), kinds),
        kinds={kind: _check(table[kind], kinds[kind], kind) for kind in kinds if kind in table},
    )


def _roles(table: object, kinds: Mapping[str, type[KindRules]]) -> dict[str, RoleRule]:
    """Names are checked, because a mistyped role or duty would silently pay or not pay."""
    roles: dict[str, RoleRule] = _check(table, dict[str, RoleRule], "roles")
    unknown = set(roles) - set(ROLES)
    unknown |= {kind for rule in roles.values() for kind in rule.duty if kind not in kinds}
    if unknown:
        raise InvalidPolicy(problem=f"roles: unknown names: {', '.join(sorted(unknown))}")
    return roles


def _check(value: object, shape: Any, name: str) -> Any:
    if value is None:
        raise InvalidPolicy(problem=f"{name} is missing")
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise InvalidPolicy(problem=f"{name}: {error}") from None


class PolicyBook(msgspec.Struct):
    """Every published version, in the order of publication, and the budgets that bound awards.

    ``commands`` are the budgets that were sent in: digest of the body, and version.
    """

    version: int = 0
    published: tuple[PolicyPublished, ...] = ()
    budgets: dict[tuple[str, int], int] = {}
    commands: dict[UUID, tuple[str, int]] = {}

    def with_facts(self, facts: Sequence[Fact]) -> PolicyBook:
        published, budgets, commands = self.published, dict(self.budgets), dict(self.commands)
        for version, fact in enumerate(facts, self.version + 1):
            if isinstance(fact, PolicyPublished):
                published += (fact,)
            elif isinstance(fact, BudgetSet):
                budgets[fact.district, fact.year] = fact.coins
                if fact.command_id is not None:
                    commands[fact.command_id] = (fact.body_digest, version)
        return PolicyBook(self.version + len(facts), published, budgets, commands)

    def in_force(self, day: date) -> PolicyPublished | None:
        """The version for ``day``: the latest effective date, among equals the latest published."""
        started = [one for one in self.published if one.effective_from <= day]
        # max() keeps the first of equals, so the newest publication is looked at first.
        return max(reversed(started), key=lambda one: one.effective_from, default=None)

    def named(self, version: str) -> PolicyPublished | None:
        return next((one for one in self.published if one.version == version), None)
