"""A live market: a scenario's agents and prices driving a service as its clients would."""
