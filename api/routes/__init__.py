"""The addresses of the service; a file per subject, listed here."""

from api.routes import (
    accounts,
    balance_board,
    boards,
    books,
    budgets,
    catalogue,
    contributions,
    donations,
    health,
    history,
    people,
    policy,
    reaches,
    redemptions,
    reversals,
    vouchers,
    wallets,
)
from api.routing import Routes

ALL: tuple[Routes, ...] = (
    contributions.routes,
    people.routes,
    wallets.routes,
    boards.routes,
    balance_board.routes,
    catalogue.routes,
    redemptions.routes,
    vouchers.routes,
    donations.routes,
    accounts.routes,
    reversals.routes,
    budgets.routes,
    books.routes,
    policy.routes,
    reaches.routes,
    history.routes,
    health.routes,
)
