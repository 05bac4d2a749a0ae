"""A live market: a scenario's people and prices driving a service as its clients would."""
