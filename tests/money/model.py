"""What must come of every command: the rules in plain dicts, without a word of the ledger's code.

Written from the design and the words of the API alone. Things are known here by the name the test
gives them. A command returns what its answer must say, or raises ``No`` with the code of the
refusal; ``No.stored`` says that the refusal itself is kept.
"""

from __future__ import annotations

from datetime import date, timedelta

PLACES = {None: (), "100": ("100",), "110": ("110", "100"), "120": ("120", "100")}
CITY = "*"
TIERS = {1: 10, 2: 30, 3: 50}  # coins of a report
DAY_MAX, MONTH_MAX, REMEMBERED_DAYS = 45, 1350, 400
DECIDE_DAYS = 7
OVER = ("declined", "cancelled", "lapsed")


class No(Exception):
    """A refusal by its code."""

    def __init__(self, code, *, stored=False):
        super().__init__(code)
        self.code, self.stored = code, stored


def need(condition, code, *, stored=False):
    if not condition:
        raise No(code, stored=stored)


def within(office, places):
    """Whether somebody of a district (None: the city) is in charge of a place."""
    return office is None or office in places


class Coins:
    """Purses of lots: what anybody has, holds and owes, and the books of the whole city."""

    def __init__(self):
        self.lots = {}  # owner -> [{serial, cause, expires, left}]
        self.debts = {}
        self.reports = {}
        self.redemptions = {}
        self.books = {"issued": 0, "redeemed": 0, "expired": 0, "reversed": 0}
        self.serial = 0

    def put(self, owner, cause, expires, coins):
        self.serial += 1
        lot = {"serial": self.serial, "cause": cause, "expires": expires, "left": coins}
        self.lots.setdefault(owner, []).append(lot)

    def good(self, owner, today):
        """The lots that can be spent, first expiring first, then first granted first."""
        found = [lot for lot in self.lots.get(owner, ()) if lot["left"] and lot["expires"] >= today]
        return sorted(found, key=lambda lot: (lot["expires"], lot["serial"]))

    def available(self, owner, today):
        return sum(lot["left"] for lot in self.good(owner, today))

    def owned(self, owner):
        """All coins in the purse, those past their day as well until that is written down."""
        return sum(lot["left"] for lot in self.lots.get(owner, ()))

    def holds(self, owner=None):
        """The redemptions that hold coins: of one purse, or of all."""
        return [one for one in self.redemptions.values()
                if owner in (None, one["payer"]) and one["state"] in ("requested", "issued")]

    def held(self, owner):
        return sum(one["coins"] for one in self.holds(owner))

    def debt(self, owner):
        return self.debts.get(owner, 0)

    def taken(self, lots, coins):
        """Take so many coins from these lots in turn, or all there are; from which how many."""
        parts = []
        for lot in lots:
            some = min(lot["left"], coins)
            if some:
                lot["left"] -= some
                coins -= some
                parts.append((lot, some))
        return parts

    def give_back(self, redemption, today):
        """The held coins go back to their lots; those still good pay what is owed first."""
        for lot, coins in redemption["parts"]:
            lot["left"] += coins
        for lot, coins in redemption["parts"]:
            if lot["expires"] >= today:
                paid = min(coins, self.debt(redemption["payer"]))
                lot["left"] -= paid
                self.debts[redemption["payer"]] = self.debt(redemption["payer"]) - paid

    def expire(self, as_of):
        """Write off what was good before a day only; how many coins of whom."""
        lost = {}
        for owner, lots in self.lots.items():
            for lot in lots:
                if lot["expires"] < as_of and lot["left"]:
                    lost[owner] = lost.get(owner, 0) + lot["left"]
                    self.books["expired"] += lot["left"]
                    lot["left"] = 0
        return lost


class Awards(Coins):
    """Reports, what they earn, budgets that bound it, and taking it back."""

    def __init__(self):
        super().__init__()
        self.budgets = {}  # (place, year) -> coins
        self.waiting = []  # reports refused for lack of budget, the first refused first
        self.full = set()  # budgets without room for one of them
        self.reversals = {}  # proposal -> {report, state, by}

    def report(self, name, who, district, today):
        self.reports[name] = {
            "who": who, "places": PLACES[district], "day": today, "state": "pending", "award": None,
        }  # fmt: skip
        return {"state": "pending", "coins": 0, "balance": self.available(who, today)}

    def review(self, name, reviewer, district, tier, today):
        """Find a report to be true in a tier, or not (None)."""
        report = self.reports.get(name)
        need(report and within(district, report["places"]), "not_found")
        need(reviewer != report["who"], "self_review")
        need(report["state"] == "pending", "already_decided")
        report["state"], report["base"] = "verified" if tier else "refused", TIERS.get(tier, 0)
        reasons = self.settle(name, today) if tier else ("refused_by_reviewer",)
        coins = report["award"] or 0
        return {"state": report["state"], "coins": coins, "reasons": reasons,
                "balance": self.available(report["who"], today)}  # fmt: skip

    def earned(self, who, first, last):
        return sum(one["award"] or 0 for one in self.reports.values()
                   if one["who"] == who and first <= one["day"] <= last)  # fmt: skip

    def settle(self, name, today):
        """Award what a report that was found true earns; the reasons for less, or for nothing."""
        report = self.reports[name]
        who, day, coins, cuts = report["who"], report["day"], report["base"], []
        begin = day.replace(day=1)
        end = (begin + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        if begin < today - timedelta(days=REMEMBERED_DAYS - 1):
            return ("too_old",)
        if date(day.year + 1, 12, 31) < today:
            return ("past_expiry",)
        for reason, room in (("cap_day", DAY_MAX - self.earned(who, day, day)),
                             ("cap_month", MONTH_MAX - self.earned(who, begin, end))):  # fmt: skip
            if coins > room:
                coins = room
                cuts.append(reason)
        if not coins:
            return tuple(cuts)
        for budget in self.budgets_above(report):
            if self.used(*budget) + coins > self.budgets[budget]:
                self.waiting.append(name)
                self.full.add(budget)
                return ("budget_used_up",)
        report["award"] = coins
        self.books["issued"] += coins
        paid = min(self.debt(who), coins)
        self.debts[who] = self.debt(who) - paid
        self.put(who, name, date(day.year + 1, 12, 31), coins - paid)
        report["lot"] = self.lots[who][-1]
        return (*cuts, "debt_first") if paid else tuple(cuts)

    def budgets_above(self, report):
        places = (*report["places"], CITY)
        return [(one, report["day"].year) for one in places
                if (one, report["day"].year) in self.budgets]  # fmt: skip

    def used(self, place, year):
        """What a place has awarded for a year and not taken back."""
        return sum(
            one["award"] or 0 for name, one in self.reports.items()
            if one["day"].year == year and place in (*one["places"], CITY)
            and not self.accused(name, "confirmed")
        )  # fmt: skip

    def budget(self, office, district, year, coins, today):
        """Set a budget, by an officer of the place; what waited is paid where it fits now."""
        need(district in PLACES, "unknown_district")
        need(within(office, PLACES[district]), "forbidden")
        self.budgets[district or CITY, year] = coins
        self.pay_waiting(today)
        return {"district": district, "year": year, "coins": coins}

    def pay_waiting(self, today):
        """What waits is settled again, the first refused first; behind one without room nobody."""
        waiting, self.waiting, self.full = self.waiting, [], set()
        for name in waiting:
            if self.full & set(self.budgets_above(self.reports[name])):
                self.waiting.append(name)
            else:
                self.settle(name, today)

    def accused(self, report, *states):
        """Whether there is a proposal in one of these states to take a report's award back."""
        return any(one["report"] == report and one["state"] in states
                   for one in self.reversals.values())  # fmt: skip

    def propose(self, proposal, name, by, district, today):
        report = self.reports.get(name)
        need(report, "nothing_to_reverse" if name in self.reversals else "not_found")
        need(report["award"], "nothing_to_reverse")
        need(within(district, report["places"]), "not_found")
        need(not self.accused(name, "proposed", "confirmed"), "already_reversed")
        need(report["lot"]["expires"] >= today, "award_expired")
        self.reversals[proposal] = {"report": name, "state": "proposed", "by": by}
        return {"state": "proposed", "amount": 0, "debt": 0}

    def decide_reversal(self, proposal, by, district, yes, today):
        """Confirm or reject, by a second person who does not gain or lose by it."""
        reversal = self.reversals.get(proposal)
        report = self.reports[reversal["report"]] if reversal else None
        need(reversal and within(district, report["places"]), "not_found")
        need(by not in (reversal["by"], report["who"]), "self_approval")
        need(reversal["state"] == "proposed", "reversal_over")
        if not yes:
            reversal["state"] = "rejected"
            return {"state": "rejected", "amount": 0, "debt": 0}
        who, amount, own = report["who"], report["award"], report["lot"]
        need(own["expires"] >= today, "award_expired")
        others = [lot for lot in self.good(who, today) if lot is not own]
        owed = amount - sum(coins for _, coins in self.taken([own, *others], amount))
        self.debts[who] = self.debt(who) + owed
        self.books["reversed"] += amount
        reversal["state"] = "confirmed"
        return {"state": "confirmed", "amount": amount, "debt": owed}
