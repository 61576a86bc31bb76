"""Playing the market: offers, redemptions, donations, and awards that are taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.money import city as cast
from tests.money.city import Hand
from tests.money.machine import ANY, Playing, late, pick

SELLERS = (*cast.MERCHANTS, *cast.OFFICERS)
ENDLESS, ALL = 1_000_000, 0
START_OFFERS = ((0, 34, 5), (1, 64, 4), (2, 1, 6), (3, 13, 9))  # who, in which way, how many
PLAIN = {
    "price": 10, "stock": 5, "kind": "goods", "multiple": 1, "limit": None, "approval": False,
    "days": 30, "district": None, "until": None, "merchant": None,
}  # fmt: skip
NO_VOUCHER = "0000-0000-0000-0000"
PRICES = st.sampled_from((1, 3, 5, 10, 20))
some_asked = precondition(lambda self: self.model.redemptions)
some_paid = precondition(lambda self: self.model.books["issued"])


def by_name(hands: tuple[Hand, ...], person: str) -> Hand:
    return next(hand for hand in hands if hand.person == person)


class Trading(Playing):
    """The rules about spending, giving, and taking back."""

    @initialize(price=PRICES)
    def trade(self, price: int) -> None:
        """Everybody has coins, and there is something to spend them on."""
        self.begin()
        for number in range(len(cast.CITIZENS)):
            self.earn(number, 2, 0)
        for who, way, stock in START_OFFERS:
            self.publish(who, way, price, stock)

    # The catalogue

    def publish(self, a: int, b: int, price: int, stock: int) -> None:
        self.note("rule publish")
        hand, name = pick((*SELLERS, *cast.MERCHANTS[:2]), a), self.new("offer")
        places = (None, None, None, hand.district, "110", "120", "999")
        terms = {
            "price": price,
            "stock": stock if b % 3 else None if b % 7 == 0 else ENDLESS,
            "kind": "donation" if b % 7 == 0 else "goods",
            "multiple": 2 if b % 11 == 0 else 1,
            "limit": 2 if b % 4 < 2 else None,
            "approval": b % 5 < 2,
            "days": (3, 30, 300)[b % 9 // 3],
            "district": pick(places, b // 16),
            "until": self.today + timedelta(days=b % 300) if b % 13 == 0 else None,
            "merchant": pick((None, None, None, "kai", "kai", "an"), b // 128),
        }
        self.offer(hand, name, terms)

    def offer(self, hand: Hand, name: str, terms: dict[str, Any]) -> None:
        terms = {**PLAIN, **terms}
        body = {
            "name": "茶叶", "price": terms["price"], "stock": terms["stock"], "kind": terms["kind"],
            "multiple": terms["multiple"], "per_person_month": terms["limit"],
            "approval": terms["approval"], "collect_days": terms["days"],
            "district": terms["district"],
            "valid_until": terms["until"] and terms["until"].isoformat(),
            "merchant_id": terms["merchant"] and self.id_of(terms["merchant"]),
        }  # fmt: skip
        self.send(hand, "/v1/catalogue", name, body, lambda: self.model.publish(
            name, hand.person, hand.role, hand.district, terms))  # fmt: skip

    @rule(a=ANY, b=ANY, number=st.integers(1, 12), what=st.sampled_from(
        ("publish", "publish", "restock", "reprice", "withdraw")))  # fmt: skip
    def manage(self, a: int, b: int, number: int, what: str) -> None:
        if what == "publish":
            self.publish(a, b, number, number // 2)
            return
        self.note(f"rule {what}")
        name, hand = late(self.model.offers, a), pick(SELLERS, b)
        offer = self.model.offers.get(name)
        if offer and offer["merchant"] and b % 4:
            hand = by_name(cast.MERCHANTS, offer["merchant"])
        self.change(hand, name, what, number)

    def change(self, hand: Hand, name: str, what: str, number: int = 0) -> None:
        body = {"restock": {"units": number}, "reprice": {"price": number}}.get(what, {})
        change = getattr(self.model, what)
        path = f"/v1/catalogue/{self.id_of(name)}/{what}"
        self.send(hand, path, self.new(what), body, lambda: change(
            name, hand.person, hand.role, hand.district, *body.values()))  # fmt: skip

    # Redemptions

    @rule(a=ANY, b=ANY, c=ANY, quantity=st.sampled_from((1, 1, 1, 2, 2, 3, 7)),
          then=st.sampled_from((None, None, None, "approve", "collect", "cancel")))  # fmt: skip
    def redeem(self, a: int, b: int, c: int, quantity: int, then: str | None) -> None:
        self.note("rule redeem")
        name, offer = self.new("redemption"), late(self.model.offers, a)
        hand, account = pick(cast.CITIZENS, b), pick((None, None, None, "team", "firm"), b // 16)
        if account is not None and b % 3:
            hand = by_name(cast.CITIZENS, cast.KEEPERS[account])
        elif a % 5 == 0 and offer in self.model.offers:  # A merchant who is a citizen as well.
            merchant = self.model.offers[offer]["merchant"]
            hand = next((one for one in cast.CITIZENS if one.person == merchant), hand)
        self.ask(hand, name, offer, quantity, account)
        if then is not None:
            self.go_on(b, c, then)

    def ask(
        self, hand: Hand, name: str, offer: str, quantity: int = 1, account: str | None = None
    ) -> None:
        body: dict[str, Any] = {"offer_id": self.id_of(offer), "quantity": quantity}
        if account is not None:
            body["account_id"] = self.id_of(account)
        told = self.send(hand, "/v1/redemptions", name, body, lambda: self.model.redeem(
            name, hand.person, hand.district, offer, quantity, account, self.today))  # fmt: skip
        self.look_at(name, told)

    def look_at(self, name: str, told: dict[str, Any] | None) -> None:
        """A voucher is shown exactly while it can be used, with the last day of the hold."""
        if told is None:
            return
        redemption, code = self.model.redemptions[name], told["voucher"]
        assert (code is not None) == (redemption["state"] == "issued")
        if code is not None:
            assert code not in self.vouchers.values()
            self.vouchers[name] = code
            assert told["collect_by"] == redemption["deadline"].isoformat()
        elif redemption["state"] == "requested":
            assert told["decide_by"] == redemption["deadline"].isoformat()

    def one_of(self, state: str, number: int) -> str:
        """A redemption by name, mostly one in this state, and gladly one past its day."""
        known = [name for name in self.model.redemptions if name in self.names]
        ready = [name for name in known if self.model.redemptions[name]["state"] == state]
        late_ones = [name for name in ready
                     if self.model.redemptions[name]["deadline"] < self.today]  # fmt: skip
        if late_ones and number % 2:
            return pick(late_ones, number)
        return late(ready if ready and number % 3 else known, number)

    @some_asked
    @rule(a=ANY, b=ANY, what=st.sampled_from(
        ("approve", "approve", "decline", "collect", "collect", "cancel")))  # fmt: skip
    def go_on(self, a: int, b: int, what: str) -> None:
        """Something that was asked for is approved or not, collected, or given up."""
        self.note(f"rule {what}")
        getattr(self, what)(a, b)

    def approve(self, a: int, b: int) -> None:
        hand = pick((*cast.APPROVERS, *cast.APPROVERS[:1]), b)
        self.judge(hand, self.one_of("requested", a), True)

    def decline(self, a: int, b: int) -> None:
        self.judge(pick(cast.APPROVERS, b), self.one_of("requested", a), False)

    def judge(self, hand: Hand, name: str, yes: bool) -> None:
        action, body = ("approve", {}) if yes else ("decline", {"reason": "库存另有安排"})
        path = f"/v1/redemptions/{self.id_of(name)}/{action}"
        told = self.send(hand, path, self.new(action), body, lambda: self.model.decide(
            name, hand.person, hand.district, yes, self.today))  # fmt: skip
        if told and yes:  # Who approves is not shown the voucher; who asked is.
            self.city.follower.catch_up()
            asker = by_name(cast.CITIZENS, self.model.redemptions[name]["by"])
            self.look_at(name, self.city.get(asker, f"/v1/redemptions/{told['id']}"))

    def collect(self, a: int, b: int) -> None:
        name, hand = self.one_of("issued" if a % 6 else "collected", a), pick(SELLERS, b)
        redemption = self.model.redemptions.get(name)
        if redemption and b % 4:
            merchant = self.model.offers[redemption["offer"]]["merchant"]
            hand = by_name(cast.MERCHANTS, merchant or "kai")
        self.hand_out(hand, name, right=b % 3 > 0)

    def hand_out(self, hand: Hand, name: str, *, right: bool = True) -> None:
        right = right and name in self.vouchers
        body = {"voucher": self.vouchers[name].lower() if right else NO_VOUCHER}
        path = f"/v1/redemptions/{self.id_of(name)}/collect"
        self.send(hand, path, self.new("collect"), body, lambda: self.model.collect(
            name, hand.person, hand.role, hand.district, right, self.today))  # fmt: skip

    def cancel(self, a: int, b: int) -> None:
        name, hand = self.one_of("issued" if a % 2 else "requested", a), pick(cast.CITIZENS, b)
        if name in self.model.redemptions and b % 4:
            hand = by_name(cast.CITIZENS, self.model.redemptions[name]["by"])
        self.give_up(hand, name)

    def give_up(self, hand: Hand, name: str) -> None:
        path = f"/v1/redemptions/{self.id_of(name)}/cancel"
        self.send(hand, path, self.new("cancel"), {}, lambda: self.model.cancel(
            name, hand.person, self.today))  # fmt: skip

    # Donations

    @rule(a=ANY, b=ANY, coins=st.sampled_from((ALL, ALL, 1, 5, 10, 12, 60)))
    def donate(self, a: int, b: int, coins: int) -> None:
        self.note("rule donate")
        if coins == ALL:
            coins = max(1, self.model.available(pick(cast.CITIZENS, a).person, self.today))
        causes = [name for name, one in self.model.offers.items() if one["kind"] == "donation"]
        to = pick(("team", "firm", "team", "an", late(causes, b // 8)), b)
        self.give(pick(cast.CITIZENS, a), to, coins)

    def give(self, hand: Hand, to: str, coins: int) -> None:
        name = self.new("donation")
        body = {"to": self.id_of(to), "coins": coins}
        self.send(hand, "/v1/donations", name, body, lambda: self.model.donate(
            name, hand.person, hand.district, to, coins, self.today))  # fmt: skip

    # Reversals

    @some_paid
    @rule(a=ANY, b=ANY, what=st.sampled_from(
        ("propose", "propose", "confirm", "confirm", "reject")))  # fmt: skip
    def take_back(self, a: int, b: int, what: str) -> None:
        """Somebody proposes to take an award back, or decides a proposal."""
        self.note(f"rule {what}")
        proposals = self.model.reversals
        if what == "propose":
            paid = [name for name, one in self.model.reports.items() if one["award"]]
            unpaid = [name for name in self.model.reports if name not in paid]
            name = late(paid if a % 5 else unpaid or paid, a)
            if b % 23 == 0 and proposals:
                name = late(proposals, a)
            self.accuse(pick((*cast.OFFICERS, *cast.OFFICERS[:1]), b), self.new("proposal"), name)
            return
        waiting = [name for name, one in proposals.items() if one["state"] == "proposed"]
        name, yes = late(waiting if waiting and a % 4 else proposals, a), what == "confirm"
        hand = pick((*cast.APPROVERS, *cast.APPROVERS[:2]), b)
        if self.judge_award(hand, name, yes) and b % 2:  # Whoever owes earns again.
            self.city.now += timedelta(days=1)
            owner = self.model.reports[proposals[name]["report"]]["who"]
            self.earned(by_name(cast.CITIZENS, owner), self.new("report"), 1 + b % 3)

    def accuse(self, hand: Hand, proposal: str, name: str) -> None:
        body = {"cause": self.id_of(name), "code": "fraud", "reason": "照片是从网上找的"}
        self.send(hand, "/v1/reversals", proposal, body, lambda: self.model.propose(
            proposal, name, hand.person, hand.district, self.today))  # fmt: skip

    def judge_award(self, hand: Hand, proposal: str, yes: bool) -> bool:
        """Whether it left a debt."""
        action = "confirm" if yes else "reject"
        path = f"/v1/reversals/{self.id_of(proposal)}/{action}"
        told = self.send(hand, path, self.new(action), {}, lambda: self.model.decide_reversal(
            proposal, hand.person, hand.district, yes, self.today))  # fmt: skip
        if told and told["debt"]:
            self.note("a debt")
        return bool(told and told["debt"])
