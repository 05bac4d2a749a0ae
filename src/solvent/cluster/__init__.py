"""The cluster: one log that several nodes follow, and one of them that writes it.

`log` says what a log is, `frames` what stands in one, `member` who leads and what is done, decided
from the log alone; `memory_log` and `nats_log` are logs. Nothing here knows what a record says.
"""
