"""Spending (兑换): what coins are given for, and the holds in between."""
