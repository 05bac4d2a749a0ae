"""Lets freqtrade trade in a demo market, dry and live, and says what came of it.

    python3.11 -m venv /tmp/freqtrade
    /tmp/freqtrade/bin/pip install -r tests/service/clients/freqtrade/requirements.txt
    .venv/bin/python -m tests.service.clients.freqtrade /tmp/freqtrade/bin/python

It takes some four minutes: freqtrade works on whole minutes of candles. Exit code 1 where a mode
did not trade as it should.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.service.clients.served import DEMO_KEYS, Service, serving
from tests.service.clients.test_ccxt import client_of

HERE = Path(__file__).parent
PAIR = "SOL/USDC"
SECONDS = 150.0
"""How long a mode may take until it has bought and sold."""
FATAL = ("Traceback", "Fatal exception", "OperationalException")


def config(service: Service, folder: Path, *, is_dry: bool) -> Path:
    """The configuration of a mode, with nothing unusual in it but the addresses."""
    key = DEMO_KEYS["user"]
    urls = {"api": {"public": service.rest, "private": service.rest}}
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    found: dict[str, Any] = {
        "max_open_trades": 1,
        "stake_currency": "USDC",
        "stake_amount": 100,
        "tradable_balance_ratio": 0.9,
        "dry_run": is_dry,
        "dry_run_wallet": 1000,
        "trading_mode": "spot",
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "order_types": {
            "entry": "market", "exit": "market", "stoploss": "market",
            "stoploss_on_exchange": False,
        },
        "exchange": {
            "name": "backpack",
            "key": key.public,
            "secret": key.secret,
            "enable_ws": False,
            "ccxt_config": {"urls": urls},
            "ccxt_async_config": {"urls": urls},
            "pair_whitelist": [PAIR],
        },
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 2},
        "initial_state": "running",
        "bot_name": "guest",
    }  # fmt: skip
    path = folder / ("dry.json" if is_dry else "live.json")
    path.write_text(json.dumps(found))
    return path


def trade(python: str, service: Service, folder: Path, *, is_dry: bool) -> str:
    """Run a mode until it has bought and sold; what it logged."""
    base = folder / ("dry" if is_dry else "live")
    base.mkdir()
    words: list[str | Path] = [python, HERE / "start.py", "trade", "--strategy", "InAndOut"]
    words += ["--strategy-path", HERE, "--userdir", base, "--datadir", base]
    words += ["--db-url", f"sqlite:///{base / 'trades.sqlite'}"]
    words += ["--config", config(service, folder, is_dry=is_dry)]
    log = base / "log"
    with log.open("w") as output, subprocess.Popen(words, stdout=output, stderr=output) as process:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and process.poll() is None:
            text = log.read_text()
            if "as closed" in text:
                break
            time.sleep(1)
        process.terminate()
        process.wait(30)
    return log.read_text()


def main(python: str) -> int:
    """Both modes; 1 where one of them did not do what it is for."""
    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with serving(folder, "--demo", "--accounts", "40") as service:
            client = client_of(service, "user")
            client.load_markets()
            time.sleep(70)
            for is_dry in (True, False):
                before = client.fetch_my_trades(PAIR, limit=1000)
                text = trade(python, service, folder, is_dry=is_dry)
                fills = client.fetch_my_trades(PAIR, limit=1000)[len(before) :]
                sides = sorted({fill["side"] for fill in fills})
                mode = "dry" if is_dry else "live"
                print(f"{mode}: {len(fills)} fills of sides {sides or 'none'} on the market")
                said = [line for line in text.splitlines() if any(word in line for word in FATAL)]
                wanted = [] if is_dry else ["buy", "sell"]
                if sides != wanted or "as closed" not in text or said:
                    problems.append(mode)
                    print("\n".join(text.splitlines()[-40:]))
    print("failed: " + ", ".join(problems) if problems else "both modes bought and sold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
