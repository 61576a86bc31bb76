"""Campaigns (走访活动): who is to be visited, what is asked and handed out, and what came of it."""
