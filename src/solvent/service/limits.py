"""Limits: every bound of the service in one place; what exceeds one is refused, never queued.

Units are last in a name: _BYTES, _SECONDS, _MS. A rate is tokens a second and how many a bucket
holds.
"""

BODY_BYTES = 64 * 1024
BODY_SECONDS = 5.0
HEADER_MS = 5_000
QUERY_BYTES = 8 * 1024
JSON_DEPTH = 8
JSON_NUMBER_DIGITS = 20
WINDOW_MS = 60_000
"""The longest window of a signature."""
DEFAULT_WINDOW_MS = 5_000
FUTURE_MS = 1_000
"""How far ahead a request's clock may be."""
BATCH_ORDERS = 100
BATCH_COMMANDS = 500
MEMO_LENGTH = 256
PAGE_DEFAULT = 100
PAGE_MOST = 1_000
QUEUE_RECORDS = 20_000
BATCH_RECORDS = 4_096
KLINES_MOST = 1_000
VIEWS_QUEUE = 1_000
ANSWER_SECONDS = 30.0
CLIENT_IDS_KEPT = 100_000
PARSED_KEYS = 10_000
BUCKETS = 50_000
"""Buckets kept of each kind."""
ADDRESS_RATE = (4_000, 20_000)
KEY_RATE = (2_000, 10_000)
ACCOUNT_RATE = (2_000, 10_000)
