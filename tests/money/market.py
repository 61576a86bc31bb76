"""The other half of the model: offers, redemptions, donations and accounts, in plain dicts."""

from __future__ import annotations

from datetime import timedelta

from tests.money.model import DECIDE_DAYS, OVER, PLACES, Awards, need, within


class Model(Awards):
    """The whole model."""

    def __init__(self):
        super().__init__()
        self.offers = {}
        self.accounts = {}  # name -> its keepers
        self.merchants = set()

    # The catalogue

    def publish(self, name, by, role, district, terms):
        if role == "merchant":
            need(terms["merchant"] in (None, by), "forbidden")
            terms = {**terms, "merchant": by}
        if terms["district"] is None:
            terms = {**terms, "district": district}
        need(terms["district"] in PLACES, "unknown_district")
        need(within(district, PLACES[terms["district"]]), "forbidden")
        need(terms["merchant"] is None or terms["merchant"] in self.merchants, "invalid_input")
        self.offers[name] = {**terms, "withdrawn": False}
        return self.told(name)

    def told(self, name):
        offer = self.offers[name]
        return {key: offer[key] for key in ("price", "stock", "kind", "district", "withdrawn")}

    def left(self, name):
        """What can still be asked for; None where there is no end of it."""
        stock = self.offers[name]["stock"]
        return None if stock is None else stock - self.sold(name)

    def managed(self, name, by, role, district):
        """An offer that somebody may change: the merchant's own, an officer's of their place."""
        offer = self.offers.get(name)
        mine = offer and (
            offer["merchant"] == by if role == "merchant"
            else within(district, PLACES[offer["district"]])
        )  # fmt: skip
        need(mine, "unknown_offer")
        return offer

    def restock(self, name, by, role, district, units):
        offer = self.managed(name, by, role, district)
        need(not offer["withdrawn"], "offer_closed")
        need(offer["stock"] is not None, "invalid_input")
        offer["stock"] += units
        return self.told(name)

    def reprice(self, name, by, role, district, price):
        offer = self.managed(name, by, role, district)
        need(not offer["withdrawn"], "offer_closed")
        offer["price"] = price
        return self.told(name)

    def withdraw(self, name, by, role, district):
        offer = self.managed(name, by, role, district)
        need(not offer["withdrawn"], "offer_closed")
        offer["withdrawn"] = True
        return self.told(name)

    def asked_for(self, name):
        """The redemptions of an offer that were not refused and whose units did not come back."""
        return [one for one in self.redemptions.values()
                if one["offer"] == name and one["state"] not in ("refused", *OVER)]  # fmt: skip

    def sold(self, name):
        return sum(one["quantity"] for one in self.asked_for(name))

    # Redemptions

    def redeem(self, name, by, district, offer_name, quantity, account, today):
        offer, payer = self.offers.get(offer_name), account or by
        need(offer, "unknown_offer")
        need(offer["merchant"] != by, "own_offer")
        need(quantity % offer["multiple"] == 0, "invalid_input")
        need(account is None or by in self.accounts.get(account, ()), "unknown_account")
        coins, month = quantity * offer["price"], (today.year, today.month)
        mine = sum(one["quantity"] for one in self.asked_for(offer_name)
                   if one["payer"] == payer and one["month"] == month)  # fmt: skip
        self.redemptions[name] = redemption = {
            "by": by, "payer": payer, "offer": offer_name, "quantity": quantity, "coins": coins,
            "month": month, "state": "refused", "parts": [], "deadline": None,
        }  # fmt: skip
        over = offer["withdrawn"] or (offer["until"] is not None and today > offer["until"])
        need(not over, "offer_closed", stored=True)
        elsewhere = district and offer["district"] and offer["district"] not in PLACES[district]
        need(not elsewhere, "offer_elsewhere", stored=True)
        left = self.left(offer_name)
        need(left is None or quantity <= left, "sold_out", stored=True)
        need(offer["limit"] is None or mine + quantity <= offer["limit"], "monthly_limit",
             stored=True)  # fmt: skip
        need(self.available(payer, today) >= coins, "insufficient_coins", stored=True)
        redemption["parts"] = self.taken(self.good(payer, today), coins)
        if offer["kind"] == "donation":
            redemption["state"] = "collected"
            self.books["redeemed"] += coins
        elif offer["approval"]:
            redemption |= {"state": "requested", "deadline": today + timedelta(days=DECIDE_DAYS)}
        else:
            redemption |= {"state": "issued", "deadline": today + timedelta(days=offer["days"])}
        return self.shown(redemption, today)

    def shown(self, redemption, today):
        return {"state": redemption["state"], "coins": redemption["coins"],
                "quantity": redemption["quantity"],
                "balance": self.available(redemption["payer"], today)}  # fmt: skip

    def shown_to_another(self, redemption):
        """An approver and a merchant see neither the purse nor the voucher."""
        return {"state": redemption["state"], "coins": redemption["coins"],
                "quantity": redemption["quantity"], "balance": None, "voucher": None}  # fmt: skip

    def theirs(self, redemption, person):
        """Whether somebody pays for it, or keeps the account that does."""
        if redemption["payer"] == redemption["by"]:
            return person == redemption["by"]
        return person in self.accounts[redemption["payer"]]

    def asked(self, name):
        redemption = self.redemptions.get(name)
        need(redemption and redemption["state"] != "refused", "not_found")
        return redemption

    def decide(self, name, by, district, yes, today):
        """Approve or decline, by somebody in charge who did not ask for it."""
        redemption = self.asked(name)
        offer = self.offers[redemption["offer"]]
        need(within(district, PLACES[offer["district"]]), "not_found")
        need(by != redemption["by"] and not self.theirs(redemption, by), "self_approval")
        need(redemption["state"] == "requested", "redemption_over")
        need(today <= redemption["deadline"], "redemption_lapsed")
        if yes:
            redemption |= {"state": "issued", "deadline": today + timedelta(days=offer["days"])}
        else:
            self.end(redemption, "declined", today)
        return self.shown_to_another(redemption)

    def collect(self, name, by, role, district, right, today):
        """Hand out against a voucher, which is the ``right`` one or not."""
        redemption = self.asked(name)
        offer = self.offers[redemption["offer"]]
        merchant, here = offer["merchant"], within(district, PLACES[offer["district"]])
        if not here if merchant is None else (merchant != by or role != "merchant"):
            need(not right, "voucher_of_another_merchant")
            need(False, "not_found")
        need(redemption["state"] != "collected" or not right, "already_collected")
        need(redemption["state"] == "issued", "redemption_over")
        need(right, "wrong_voucher")
        need(by != redemption["by"] and not self.theirs(redemption, by), "own_offer")
        need(today <= redemption["deadline"], "redemption_lapsed")
        redemption |= {"state": "collected"}
        self.books["redeemed"] += redemption["coins"]
        return self.shown_to_another(redemption)

    def cancel(self, name, by, today):
        redemption = self.asked(name)
        need(self.theirs(redemption, by), "not_found")
        need(redemption["state"] != "collected", "already_collected")
        need(redemption["state"] in ("requested", "issued"), "redemption_over")
        self.end(redemption, "cancelled", today)
        return self.shown(redemption, today)

    def end(self, redemption, state, today):
        redemption["state"] = state
        self.give_back(redemption, today)

    def lapse(self, today):
        """End every hold whose last day is over; the names of those that lapsed."""
        late = [name for name, one in self.redemptions.items()
                if one["state"] in ("requested", "issued") and today > one["deadline"]]
        for name in late:
            self.end(self.redemptions[name], "lapsed", today)
        return late

    # Donations

    def donate(self, name, giver, district, to, coins, today):
        """Give to an account, or to a cause: an offer of that kind, by whole units."""
        offer = self.offers.get(to)
        if offer and offer["kind"] == "donation":
            need(coins % offer["price"] == 0, "invalid_input")
            told = self.redeem(name, giver, district, to, coins // offer["price"], None, today)
            return {"coins": coins, "balance": told["balance"]}
        need(to in self.accounts, "unknown_account")
        need(self.available(giver, today) >= coins, "insufficient_coins")
        given = {}
        for lot, some in self.taken(self.good(giver, today), coins):
            given[lot["expires"]] = given.get(lot["expires"], 0) + some
        for expires, some in sorted(given.items()):
            self.put(to, name, expires, some)
        return {"coins": coins, "balance": self.available(giver, today)}
