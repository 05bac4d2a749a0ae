"""Bytes on disk: what an engine was told and what it answered, so that it can be replayed.

`event_hash` digests the stream of events, `run_log` keeps a run's commands and events in a folder,
`audit` replays such a folder and says where it first differs from what it claims. `durable` is the
journal of a service: what it appended is on the disk.
"""
