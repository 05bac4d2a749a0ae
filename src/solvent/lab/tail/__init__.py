"""The tail: what happens seldom, estimated with fewer paths than it would take to meet it."""
