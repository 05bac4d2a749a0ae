"""Logs: one JSON object a line on standard error, made of words and numbers that hold no secret.

Nothing that came with a request is logged but its path and a number under which a client can ask;
keys, signatures and bodies never are.
"""

import json
import logging
import sys
from datetime import UTC, datetime

_FIELDS = (
    "request",
    "method",
    "path",
    "status",
    "ms",
    "sequence",
    "reason",
    "address",
    "folder",
    "file",
)
"""What a record may carry beside its message."""


ACCESS = "solvent.access"
"""The log of requests: when, what path, what status, from where, and how long it took."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON; of an error only its kind and its place in the code."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            line["error"] = type(error).__name__
            if trace is not None:
                code = trace.tb_frame.f_code
                line["where"] = f"{code.co_qualname}:{trace.tb_lineno}"
        return json.dumps(line)


def set_up_logs(level: int = logging.INFO, *, access: bool = False) -> None:
    """Send what the service's parts log to standard error; with `access` a line a request too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger("solvent")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False
    logging.getLogger(ACCESS).setLevel(logging.INFO if access else logging.WARNING)


def logs_access() -> bool:
    """Whether a line a request is logged."""
    return logging.getLogger(ACCESS).isEnabledFor(logging.INFO)


SERVER_LOGS: dict[str, object] = {
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {
        "errors": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {"_granian": {"handlers": ["errors"], "propagate": False}},
}
"""How the HTTP server logs: as everything else does."""
