"""The addresses of the service; a file per subject, listed here."""

from api.routes import boards, contributions, health, history, people, policy, reaches, wallets
from api.routing import Routes

ALL: tuple[Routes, ...] = (
    contributions.routes,
    people.routes,
    wallets.routes,
    boards.routes,
    policy.routes,
    reaches.routes,
    history.routes,
    health.routes,
)
