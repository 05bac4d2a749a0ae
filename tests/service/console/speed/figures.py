"""Measures the console in Chromium, and prints the table that docs/reference/benchmarks.md has.

    python -m tests.service.console.speed.figures [SECONDS] [TRADES_A_SECOND]

A demo is served in which people trade so often (100 times a second by default, `load`) while the
trade page is open for so long (60 seconds by default). First paint is what the browser's own
timeline says, of a new browser; a full book is both sides of it on the page. Messages are counted
on the page's socket, and every trade must come, by its number. The processor's share is that of the
page's main thread (Chromium's `TaskDuration`) and that of the process that draws the page; memory
is the page's heap after a collection of garbage, in ten parts of the time; frames over 50 ms are
the browser's long tasks.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

import httpx
from playwright.sync_api import Browser, CDPSession, Page, WebSocket, expect

from tests.service.clients.served import serving
from tests.service.console.built import PATIENCE, browser, built
from tests.service.console.speed.load import SYMBOL, trading

SECONDS = 60.0
TRADES = 100.0
PAINTS = 5
PARTS = 10
ROWS = 1000
WARM_SECONDS = 15.0
"""What a page keeps, the tape and the book, is full by then."""
DEMO = ("--demo", "--accounts", "300")
MIB = 2**20
WATCH = """
window.slow = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.slow.push(each.duration);
}).observe({ type: "longtask", buffered: true });
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


class Heard:
    """What came over a page's sockets: how much, and which trades, by their numbers."""

    def __init__(self, page: Page) -> None:
        self.messages = 0
        self.sockets = 0
        self.trades: list[int] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        self.sockets += 1
        socket.on("framereceived", self._hear)

    def _hear(self, frame: str | bytes) -> None:
        self.messages += 1
        said: dict[str, Any] = json.loads(frame)
        if said.get("stream") == f"trade.{SYMBOL}":
            self.trades.append(int(said["data"]["t"]))

    def missing(self, address: str) -> int:
        """Trades of the market's history, from the first to the last that came, that did not."""
        here, first, last = {*self.trades}, self.trades[0], self.trades[-1]
        missing, offset = 0, 0
        while True:
            fields: dict[str, str | int] = {"symbol": SYMBOL, "limit": ROWS, "offset": offset}
            rows = httpx.get(f"{address}/api/v1/trades/history", params=fields, timeout=60).json()
            told = [int(row["id"]) for row in rows]
            missing += sum(first <= each <= last and each not in here for each in told)
            if not told or min(told) < first:
                return missing
            offset += ROWS


def main() -> int:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    trades = float(sys.argv[2]) if len(sys.argv) > 2 else TRADES
    built()
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name), *DEMO) as service,
        browser() as chromium,
    ):
        print("| measured | figure |\n|---|---|")
        paints, books = zip(*(_paint(chromium, service.rest) for _ in range(PAINTS)), strict=True)
        _tell("first contentful paint, of a new browser", paints)
        _tell("a full book on the page", books)
        with trading(service, trades):
            heard = _watch(chromium, service.rest, seconds)
        print(f"| trades of the market that did not come | {heard.missing(service.rest)} |")
    load, *_ = os.getloadavg()
    print(f"\nThe machine's load was {load:.1f} on {os.cpu_count()} cores.")
    return 0


def _tell(what: str, each: tuple[float, ...]) -> None:
    print(f"| {what} | {median(each):.0f} ms, {min(each):.0f} to {max(each):.0f} of {len(each)} |")


def _paint(chromium: Browser, address: str) -> tuple[float, float]:
    """Milliseconds until a new browser painted something, and until it has a book."""
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    began = time.monotonic()
    page.goto("/trade/SOL_USDC", wait_until="commit")
    expect(page.locator("ul.bid button").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("ul.ask button").first).to_be_visible(timeout=PATIENCE)
    book = (time.monotonic() - began) * 1000
    paint = float(page.evaluate(PAINT))
    context.close()
    return paint, book


def _watch(chromium: Browser, address: str, seconds: float) -> Heard:
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    page.add_init_script(WATCH)
    heard = Heard(page)
    page.goto("/trade/SOL_USDC")
    expect(page.locator("ul.prints li").nth(30)).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(WARM_SECONDS * 1000)
    devtools = context.new_cdp_session(page)
    for domain in ("Performance", "HeapProfiler"):
        devtools.send(f"{domain}.enable")
    whole = chromium.new_browser_cdp_session()
    heaps = [_heap(devtools)]
    page.evaluate("window.slow.length = 0")
    busy, drawn, messages, trades = (
        _busy(devtools),
        _drawn(whole),
        heard.messages,
        len(heard.trades),
    )
    began, collected = time.monotonic(), 0.0
    for _ in range(PARTS):
        page.wait_for_timeout(seconds * 1000 / PARTS)
        before = _busy(devtools)
        heaps.append(_heap(devtools))
        # What the measuring itself takes is not the page's.
        collected += _busy(devtools) - before
    passed = time.monotonic() - began
    slow = page.evaluate("window.slow")
    print(
        f"| messages a second, over {passed:.0f} s | {(heard.messages - messages) / passed:.1f}, "
        f"of which trades {(len(heard.trades) - trades) / passed:.1f} |"
    )
    lost = page.get_by_text("lost, trying again").count()
    print(f"| sockets opened; streams lost | {heard.sockets}; {lost} |")
    share = (_busy(devtools) - busy - collected) / passed
    print(f"| the page's share of a core, its main thread | {share:.1%} |")
    print(f"| the same of the process that draws it | {(_drawn(whole) - drawn) / passed:.1%} |")
    print(f"| tasks over 50 ms | {len(slow)}, the longest {max(slow, default=0):.0f} ms |")
    _memory(heaps, passed)
    context.close()
    return heard


def _memory(heaps: list[float], passed: float) -> None:
    """The heap in each part of the time, and by how much a line through it rises."""
    slope = linear_regression(range(len(heaps)), heaps).slope * (len(heaps) - 1) / passed * 600
    shown = ", ".join(f"{each / MIB:.2f}" for each in heaps)
    print(f"| heap, MiB, eleven times | {shown} |")
    print(f"| its rise in ten minutes, by a line through these | {slope / MIB:+.2f} MiB |")


def _busy(devtools: CDPSession) -> float:
    found = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in found if each["name"] == "TaskDuration"))


def _drawn(whole: CDPSession) -> float:
    """Seconds of the processor that processes which draw pages took, all together."""
    found = whole.send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(each["cpuTime"] for each in found if each["type"] == "renderer"))


def _heap(devtools: CDPSession) -> float:
    devtools.send("HeapProfiler.collectGarbage")
    found = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in found if each["name"] == "JSHeapUsedSize"))


if __name__ == "__main__":
    sys.exit(main())
