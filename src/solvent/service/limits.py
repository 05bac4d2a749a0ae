"""Limits: every bound of the service in one place; what exceeds one is refused, never queued.

Units are last in a name: _BYTES, _SECONDS, _MS. A rate is tokens a second and how many a bucket
holds.
"""

BODY_BYTES = 64 * 1024
BODY_SECONDS = 5.0
HEADER_MS = 5_000
"""Also how long a connection may be idle between two requests."""
UNREAD_MS = 10_000
"""How long a client may take nothing of what is sent to it."""
QUIET_SECONDS = 60
PROBE_SECONDS = 15
PROBES = 4
"""A connection that is quiet so long is probed, so often, and ended when nothing comes back."""
CONNECTIONS = 4_096
"""Open at once; who comes then waits until another one ends."""
CONNECTIONS_OF_ADDRESS = 768
CONNECTIONS_OF_ADDRESS_CROWDED = 64
"""Of one address, streams apart; and when three quarters of all places are taken."""
BACKLOG = 1_024
"""Connections that wait to be let in."""
QUERY_BYTES = 8 * 1024
QUERY_FIELDS = 64
JSON_DEPTH = 8
JSON_NUMBER_DIGITS = 20
JSON_PARTS = 16_384
"""Brackets and commas of a JSON text whose bytes are signed; a list of 500 commands has 12,500."""
FIELDS_PARTS, ITEMS_PARTS, FRAME_PARTS = 512, 4_096, 1_024
"""The same of one object whose fields are signed, of a list of them, and of a stream's frame, all
of which are read before it is known who sent them."""
PARTS_A_TOKEN = 64
WINDOW_MS = 60_000
"""The longest window of a signature."""
DEFAULT_WINDOW_MS = 5_000
FUTURE_MS = 1_000
"""How far ahead a request's clock may be."""
LEAP_SECONDS = 1
"""A wall clock that differs by more leapt: it is not followed."""
BEHIND_SECONDS = 60
PAUSE_SECONDS = 30 * 24 * 3600
"""How far a market's last record may be ahead of the clock, and behind it, when it is started."""
BATCH_ORDERS = 100
BATCH_COMMANDS = 500
MEMO_LENGTH = 256
PAGE_DEFAULT = 100
PAGE_MOST = 1_000
QUEUE_RECORDS = 20_000
BATCH_RECORDS = 4_096
KLINES_MOST = 1_000
RECOVERY_SECONDS = 4.0
"""A snapshot is written when what came after the last one took the writer so long."""
VIEWS_RECORDS = 20_000
"""Records that wait for the views; what is older is told again out of the journal."""
BEHIND_WAIT_SECONDS = 0.2
"""How long a request waits for the sequence that it names."""
HISTORY_SECONDS = 5.0
"""How long a question about the past waits for the views."""
READERS = 4
"""How many of them are asked at once."""
QUESTIONS = 8
"""Questions about other prices that may wait."""
REHEARSAL_SECONDS = 600.0
"""How long a rehearsal may take until it is given up."""
REHEARSAL_WAIT_SECONDS = 30.0
"""How long the answer to a proposal waits for its rehearsal."""
REHEARSAL_HOURS = 24
"""How many hours somebody may have played who tries a change."""
FORECAST_SECONDS = 60.0
"""How long it may take to forecast the rounds of an account."""
FORECAST_REST = 20
"""So many times as long as the copy for a forecast held the writer, it is not held for another."""
CERTIFICATE_SECONDS = 1_800.0
"""How long the tree of a certificate may take."""
PARSED_KEYS = 10_000
BUCKETS = 50_000
"""Buckets kept of each kind."""
ADDRESS_RATE = (4_000, 20_000)
KEY_RATE = (2_000, 10_000)
ACCOUNT_RATE = (2_000, 10_000)
JOURNAL_RATE = (16 * 1024, 64 * 1024 * 1024)
"""Bytes of the journal that an account, or a key without one, may fill: a second, at once. What
comes to the views of it is of the same order."""
RECORD_BYTES = 256
"""What a record has beside its commands, at most."""
BODY_BYTES_A_TOKEN = 1_024
OFFSET_ROWS_A_TOKEN = 100
"""Rows that a page leaves out cost its address a token each so many: they are counted over."""
OFFSET_MOST = 1_000_000
"""The most rows that a page leaves out: half of what a full bucket of an address pays for."""
REFUSED_TOKENS = 100
"""What a request costs its address that is refused before it is known who signed it."""
HANDSHAKE_TOKENS = 20
"""What a connection to the streams costs its address; its frames cost what requests do."""
PROPOSALS = 200
PROPOSALS_OF_KEY = 20
"""Proposals that may wait, in all and of one key."""
PROPOSAL_SECONDS = 7 * 24 * 3600
"""How long a proposal waits, from when it is due, until it expires."""
DECIDED_KEPT = 1_000
AUDIT_KEPT = 1_000
"""Proposals that were decided and entries of the audit log that the market itself keeps."""
FRAME_BYTES = 64 * 1024
STREAMS = 512
"""Streams of one connection."""
FRAMES_A_MINUTE = 600
FRAME_ERRORS = 20
"""Frames of a connection that are none, until it is cut off."""
IDLE_SECONDS = 120
"""How long a connection may listen to nothing."""
MESSAGES = 4_096
WAITING_SIZE = 8 * 1024 * 1024
"""Messages that wait for a connection that reads slowly, and their characters."""
CUT_SECONDS = 2
"""How long who is cut off is waited for to hear why."""
LISTENERS = 2_048
"""Connections to streams: half of all, so that the others are for requests."""
LISTENERS_OF_ADDRESS = 256
LISTENERS_OF_ADDRESS_AT_LEAST = 4
"""Of what is left of them an address gets a quarter, so that few cannot take all; some always."""
LISTENERS_OF_KEY = 64
SILENT_SECONDS = 3_600
"""How long a listener may neither say nor be told anything."""
PING_SECONDS = 60
PONG_SECONDS = 120
"""How often a listener is asked whether it is there, and how long it may say nothing then."""
UNREAD_STREAM_BYTES = 128 * 1024
"""What a stream may be sent of a message that is not whole yet, frames of any kind included."""
WARDEN_SECONDS = 0.05
WARDEN_TURNS = 5
"""How often unfinished messages are looked at, and each how many such turns all connections."""
RECEIVE_BUFFER_BYTES = 128 * 1024
HEAD_BYTES = 32 * 1024
"""What the system and the server keep of a connection before the head of a request is whole."""
DOOR_PLACES = 32
DOOR_SECONDS = 2.0
DOOR_BYTES = 4 * 1024
"""Connections to the door of health and metrics, how long one lasts, and its longest head."""
NEWCOMERS = 1_000
NEWCOMER_USDC = 100_000
"""Accounts of users in a demo until strangers may open no more, and USDC that one deposit gives."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts at which only this machine can ask."""
