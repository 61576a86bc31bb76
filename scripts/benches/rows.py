"""The rows of ``gwc bench``; each says what it is measured against and how far it should get."""

from __future__ import annotations

from scripts.benches import (
    awards,
    budgets,
    campaign,
    evidence,
    freshness,
    growth,
    replay,
    wallet,
)
from scripts.benches.row import Bench

BENCHES = (
    Bench("awards-sqlite", "durable awards on SQLite : stock eventsourcing", "/s", 4,
          awards.on_sqlite),
    Bench("awards-postgres", "durable awards on PostgreSQL : stock eventsourcing", "/s", 6,
          awards.on_postgres),
    Bench("wallet-sqlite", "GET wallet on SQLite : a constant answer", "/s", 0.85,
          wallet.on_sqlite),
    Bench("wallet-postgres-redis", "GET wallet on PostgreSQL and Redis : a constant answer", "/s",
          0.7, wallet.on_postgres_and_redis),
    Bench("replay-ledger", "balances of 100,000 awards : ledger", "s", 5, replay.against_ledger),
    Bench("replay-hledger", "balances of 100,000 awards : hledger", "s", 10,
          replay.against_hledger),
    Bench("award-at-1e4-vs-1e6", "an award in a large log : in a small one", "s", 1 / 1.2,
          growth.by_log),
    Bench("award-wallet-10-vs-10000", "an award to a long wallet : to a short one", "s", 1 / 1.2,
          growth.by_wallet),
    Bench("award-budgets", "awards under three budgets : under none", "/s", 1 / 1.1,
          budgets.against_none),
    Bench("evidence-sqlite", "awards with leaf hash and triggers on SQLite : without", "/s", 0.95,
          evidence.on_sqlite),
    Bench("evidence-postgres", "awards with leaf hash and trigger on PostgreSQL : without", "/s",
          0.95, evidence.on_postgres),
    Bench("evidence-vault-sqlite", "the same with a sealed vault row on SQLite : without", "/s",
          0.5, evidence.with_vault_on_sqlite),
    Bench("evidence-vault-postgres", "the same with a sealed vault row on PostgreSQL : without",
          "/s", 0.5, evidence.with_vault_on_postgres),
    Bench("freshness-sqlite", "append to checkpoint, p99, on SQLite : 2 s", "s", 1,
          freshness.on_sqlite),
    Bench("freshness-postgres", "append to checkpoint, p99, on PostgreSQL : 2 s", "s", 1,
          freshness.on_postgres),
    Bench("notary-catches-up", "entries signed by a notary that begins : awards appended", "/s", 1,
          freshness.catching_up),
    Bench("campaign-sqlite", "coverage of a whole campaign on SQLite : of its beginning", "s",
          1 / 1.2, campaign.on_sqlite),
    Bench("campaign-postgres", "coverage of a whole campaign on PostgreSQL : of its beginning", "s",
          1 / 1.2, campaign.on_postgres),
)  # fmt: skip
