"""Measures the console in Chromium, and prints the table that docs/reference/benchmarks.md has.

    python -m tests.service.console.figures [SECONDS]

A crash is replayed at 60 times its speed while the trade page is open for so long (60 by default).
First paint is what the browser's own timeline says, of a new browser; a full book is both sides of
it on the page. Messages are counted on the page's socket, the processor's share is that of the
page's main thread (Chromium's `TaskDuration`), memory its heap after a collection of garbage, and
frames over 50 ms are the browser's long tasks.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.service.clients.served import serving
from tests.service.console.built import browser, built

SECONDS = 60.0
PAINTS = 5
CRASH = ("--replay", "crash-2025-10-10", "--speed", "60", "--accounts", "300")
PATIENCE = 60_000
MIB = 2**20
WATCH = """
window.slow = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.slow.push(each.duration);
}).observe({ type: "longtask", buffered: true });
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main() -> int:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    built()
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name), *CRASH) as service,
        browser() as chromium,
    ):
        paints, books = zip(*(_paint(chromium, service.rest) for _ in range(PAINTS)), strict=True)
        _tell("first contentful paint", f"{median(paints):.0f} ms", paints)
        _tell("a full book on the page", f"{median(books):.0f} ms", books)
        _watch(chromium, service.rest, seconds)
    load, *_ = os.getloadavg()
    print(f"the machine's load was {load:.1f} on {os.cpu_count()} cores")
    return 0


def _tell(what: str, figure: str, each: tuple[float, ...]) -> None:
    print(f"| {what} | {figure}, {min(each):.0f} to {max(each):.0f} of {len(each)} |")


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


def _watch(chromium: Browser, address: str, seconds: float) -> None:
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    page.add_init_script(WATCH)
    messages: list[float] = []
    page.on("websocket", lambda it: it.on("framereceived", lambda _: messages.append(0)))
    page.goto("/trade/SOL_USDC")
    expect(page.locator("ul.bid button").first).to_be_visible(timeout=PATIENCE)
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    devtools.send("HeapProfiler.enable")
    before, heap, heard = _busy(devtools), _heap(devtools), len(messages)
    page.evaluate("window.slow.length = 0")
    began = time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    passed = time.monotonic() - began
    share = (_busy(devtools) - before) / passed
    slow = page.evaluate("window.slow")
    _report(page, passed, (len(messages) - heard) / passed, share)
    print(f"| frames over 50 ms | {len(slow)}, the longest {max(slow, default=0):.0f} ms |")
    print(f"| heap, before and after | {heap / MIB:.2f} and {_heap(devtools) / MIB:.2f} MiB |")
    context.close()


def _report(page: Page, passed: float, rate: float, share: float) -> None:
    lost = page.get_by_text("lost, trying again").count()
    print(f"| messages a second, over {passed:.0f} s | {rate:.1f}; streams lost: {lost} |")
    print(f"| the page's share of a core | {share:.1%} |")


def _busy(devtools: CDPSession) -> float:
    found = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in found if each["name"] == "TaskDuration"))


def _heap(devtools: CDPSession) -> float:
    devtools.send("HeapProfiler.collectGarbage")
    found = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in found if each["name"] == "JSHeapUsedSize"))


if __name__ == "__main__":
    sys.exit(main())
