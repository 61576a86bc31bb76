"""``gwc demo``: a small made-up city (演示城市) through the real write path, then on show."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click
import msgspec

from scripts.terminal import Terminal, services

if TYPE_CHECKING:
    from api.config import Settings
    from api.services import Services
    from ledger.participants import Actor
    from scripts.demo_city import Person
    from scripts.demo_days import Play

STATEMENT_LINES = 12
BOARD_LINES = 8


@click.command()
@click.option("--once", is_flag=True, help="打印后退出 / print and exit instead of serving")
@click.option("--citizens", type=click.IntRange(2, 20_000), default=200, show_default=True,
              help="市民人数 / how many citizens")
@click.option("--days", type=click.IntRange(1, 366), default=28, show_default=True,
              help="演示天数 / how many days are played")
@click.option("--seed", type=int, default=1, show_default=True,
              help="随机种子；同一种子，同一城市 / the same seed gives the same city")
@click.option(
    "--database-url", envvar="GWC_DATABASE_URL", default="sqlite:///gwc-demo.db", hidden=True,
    help="同 GWC_DATABASE_URL / as the setting of that name",
)
@click.pass_obj
def demo(
    terminal: Terminal, once: bool, citizens: int, days: int, seed: int, database_url: str
) -> None:
    """演示：一座小城市的几周 / a city's weeks of patrols, reports and visits; the same for a seed.

    Plays on GWC_DATABASE_URL, else on gwc-demo.db in this folder; a second time adds nothing.
    """
    from api.config import Settings

    settings = msgspec.structs.replace(Settings.from_env(), database_url=database_url)
    with services(settings) as opened:
        shown = _play(terminal, opened, seed, citizens, days)
        faults = _audit(terminal, opened)
        token = "" if once else _token(opened, shown)
    if faults:
        raise click.exceptions.Exit(1)
    if not once:
        _serve(terminal, settings, token)


def _play(terminal: Terminal, opened: Services, seed: int, citizens: int, days: int) -> UUID:
    """Play, catch the views up and print them; the participant whose statement was shown."""
    from projections.reading import open_stores
    from projections.runner import Follower
    from scripts.demo_city import City
    from scripts.demo_days import Play

    click.echo(terminal.choose(
        f"绿水币演示城市“清泉市”：{citizens} 位市民，{days} 天，种子 {seed}。",
        f"The demo city of Green Water Coin: {citizens} citizens, {days} days, seed {seed}.",
    ))  # fmt: skip
    play = Play(opened.ledger, City(seed, citizens))
    with terminal.progress("演示进行中", "playing", days) as step:
        play.found()
        for number in range(days):
            play.day(number)
            step()
    if play.replayed[True]:
        terminal.note(
            f"其中 {play.replayed[True]} 次提交以前已经记录，只取回原回执，没有重复计入。",
            f"{play.replayed[True]} submissions were recorded before: their receipts came again,"
            " nothing was counted twice.",
        )
    stores = open_stores(opened.settings.database_url, opened.settings.redis_url)
    follower = Follower(opened.ledger, stores)
    try:
        follower.catch_up()
    finally:
        follower.close()
        for store in stores:
            store.close()
    shown = _statement(terminal, opened, play)
    _board(terminal, opened, play)
    _coverage(terminal, opened, play)
    _refusals(terminal, opened)
    return shown


def _statement(terminal: Terminal, opened: Services, play: Play) -> UUID:
    """The newest lines of somebody from the pilot, and every coin of theirs explained."""
    from ledger.contributions import BY_KIND
    from ledger.days import SHANGHAI, day_of
    from ledger.settlement import reason_text
    from ledger.words import ROLE_NAMES, in_words
    from scripts.explain import show

    person, actor = _somebody(opened, play)
    wallet = opened.views.wallet(actor.participant_id, day_of(opened.clock()))
    lines = opened.views.statement(actor.participant_id, None, STATEMENT_LINES)["items"]
    rows = []
    for line in lines:
        reasons = [terminal.words(reason_text(code)) for code in line["reasons"]]
        kind = BY_KIND.get(line["kind"])
        recorded = datetime.fromisoformat(line["recorded_at"]).astimezone(SHANGHAI)
        rows.append((
            recorded.date(), terminal.words(kind.name if kind else in_words("what", line["what"])),
            line["amount"], line["total"], f"{line['policy_version']} {line['rule']}".strip(),
            " ".join(reasons) or terminal.words(in_words("what", line["what"])),
        ))  # fmt: skip
    columns = terminal.choose(
        "日期 事项 枚数 余额 政策与规则 说明", "day what coins balance policy/rule how"
    )
    who, role = _name(terminal, person, actor), ROLE_NAMES[actor.role]
    available = wallet["available"]
    title = terminal.choose(
        f"{who}（{role.zh}）可用绿水币 {available} 枚，最近 {len(rows)} 笔明细",
        f"{who} ({role.en}) can spend {available} coins;"
        f" the latest {len(rows)} lines of the statement",
    )
    terminal.table(columns.split(), rows, title)
    moment = opened.ledger.moment(None, None, opened.clock())
    show(terminal, opened.ledger.wallet_as_of(actor.participant_id, moment))
    return actor.participant_id


def _name(terminal: Terminal, person: Person, actor: Actor) -> str:
    from scripts.demo_city import alias_text

    return terminal.words(alias_text(person.alias)) if person.alias else str(actor.participant_id)


def _somebody(opened: Services, play: Play) -> tuple[Person, Actor]:
    """Who of the pilot has the most to tell: coins awarded, spent, expired, and refusals."""
    from ledger.coins import MONEY

    lines: Counter[UUID] = Counter()
    for entry in opened.ledger.entries(topics=[fact.topic for fact in MONEY]):
        lines[entry.fact.participant_id] += 1  # type: ignore[attr-defined]
    pilots = {actor.participant_id for actor in play.market.pilots()}
    known = [pair for pair in play.actors if pair[1].participant_id in pilots]
    return max(known, key=lambda pair: (lines[pair[1].participant_id], str(pair[1])))


def _board(terminal: Terminal, opened: Services, play: Play) -> None:
    from scripts.demo_days import FIRST_DAY

    month = FIRST_DAY.isoformat()[:7]
    board = opened.views.board("month", month, limit=BOARD_LINES)
    names = {pair[1].participant_id: _name(terminal, *pair) for pair in play.actors}
    rows = [
        (line["rank"], names[UUID(line["participant_id"])], line["coins"])
        for line in board["entries"]
    ]
    columns = terminal.choose("名次 化名 枚数", "rank alias coins").split()
    title = terminal.choose(
        f"{month} 全市排行榜（只含自愿上榜者）", f"The city's board of {month} (those who opted in)"
    )
    terminal.table(columns, rows, title)


def _coverage(terminal: Terminal, opened: Services, play: Play) -> None:
    found = opened.views.coverage_places(play.rounds.campaign, lambda _: True, "everywhere")
    rows = [
        (one.of, one.frame, one.met, one.attempted, one.revisit_due, one.visits,
         sum(one.given.values()))
        for one in found["items"]
    ]  # fmt: skip
    columns = terminal.choose(
        "地区 户数 见面 走访过 待回访 次数 发放", "place frame met attempted revisit visits given"
    )
    title = terminal.choose(
        "春季治水大走访：各地覆盖情况（* 为全市）",
        "The spring campaign: how many households were met (* is the whole city)",
    )
    terminal.table(columns.split(), rows, title)


def _refusals(terminal: Terminal, opened: Services) -> None:
    from ledger.coins import AwardRefused
    from ledger.settlement import reason_text

    reasons: Counter[str] = Counter()
    for entry in opened.ledger.entries(topics=[AwardRefused.topic]):
        assert isinstance(entry.fact, AwardRefused)
        reasons.update(entry.fact.reasons)
    rows = [
        (count, code, terminal.words(reason_text(code)))
        for code, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    columns = terminal.choose("次数 代码 说明", "count code reason").split()
    terminal.table(columns, rows, terminal.choose("未发放的原因", "Why coins were refused"))


def _audit(terminal: Terminal, opened: Services) -> int:
    """Sign the log where its key is, then check all of it: the number of findings."""
    from scripts.audit import audited, verdict
    from scripts.notary import open_notary, sign_all

    head = opened.ledger.head()
    if opened.settings.log_key is not None:
        sign_all(opened, open_notary(opened))
    findings = list(audited(terminal, opened, head))
    for finding in findings:
        click.echo(str(finding))
    click.echo(terminal.choose(*verdict(len(findings), head)))
    return len(findings)


def _token(opened: Services, participant: UUID) -> str:
    state = opened.ledger.participant(participant)
    role, district = next(iter(state.roles.items()))
    return opened.ledger.issue_token(
        role, opened.clock(), participant=participant, district=district
    ).token


def _serve(terminal: Terminal, settings: Settings, token: str) -> None:
    from scripts.serve import Parent, address, beside

    at = address(settings.bind)
    click.echo(terminal.choose(f"服务地址 {at} ，接口页 {at}/docs ，试一试：",
                               f"Serving on {at} , the API's page is {at}/docs ; try it:"))
    for path in ("/v1/wallets/me", "/v1/wallets/me/statement", "/v1/leaderboards/all?around=me"):
        click.echo(f'  curl -H "Authorization: Bearer {token}" "{at}{path}"')
    environment = [f"GWC_DATABASE_URL={settings.database_url}"]
    if Parent(terminal, beside(terminal, settings), environment).run():
        raise click.exceptions.Exit(1)
