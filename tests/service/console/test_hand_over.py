"""A cluster before the eyes of a page: the leader is killed, and no number shown goes back."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.trials import NODES, pid_of, running, url_of
from tests.service.clients.served import Service, until
from tests.service.console.built import PATIENCE, built
from tests.service.console.signing import said_to
from tests.service.console.test_newcomer import come_in

pytestmark = pytest.mark.slow
MORE_TRADES = 5
WATCH = """
window.shown = { frame: [], trade: [], epoch: [] };
const note = (name, text) => {
  const number = Number(text);
  if (text && window.shown[name].at(-1) !== number) window.shown[name].push(number);
};
const look = () => {
  note("frame", document.querySelector(".leader [data-value]")?.dataset.value);
  note("trade", document.querySelector("[data-trade]")?.dataset.trade);
  note("epoch", document.querySelector("[data-epoch]")?.dataset.epoch);
};
new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
"""
"""Notes every frame and every latest trade that the page ever shows, at each change of it."""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    built()
    with running(tmp_path_factory.mktemp("trial")) as served:
        yield served


def seen(port: int) -> dict[str, Any]:
    """What the nodes say of their cluster, by any of them that answers."""
    for number in range(NODES):
        try:
            found: dict[str, Any] = httpx.get(
                f"{url_of(port + number)}/solvent/v1/cluster", timeout=5
            ).json()
        except httpx.TransportError:
            continue
        if sum(each["part"] == "leads" for each in found["nodes"]) == 1:
            return found
    return {}


def leader_of(port: int) -> int:
    nodes = until(lambda: seen(port), 60)["nodes"]
    (leader,) = (each["node"] for each in nodes if each["part"] == "leads")
    return int(leader)


def is_ready(port: int) -> bool:
    """Whether a node serves again, which one that was killed does once it has read its journal."""
    try:
        return httpx.get(f"{url_of(port)}/solvent/v1/ready", timeout=5).is_success
    except httpx.TransportError:
        return False


def watching(chromium: Browser, address: str) -> Page:
    context = chromium.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.add_init_script(WATCH)
    return page


def shown(page: Page, name: str) -> list[int]:
    found: list[int] = page.evaluate(f"window.shown.{name}")
    return found


def kill_leader(folder: Path, port: int) -> int:
    leader = leader_of(port)
    process = pid_of(folder, f"node-{leader}")
    assert process is not None
    os.kill(process, signal.SIGKILL)
    return leader


def test_the_leader_that_a_page_asks_is_killed_and_nothing_shown_goes_back(
    chromium: Browser, trial: tuple[Path, int]
) -> None:
    folder, port = trial
    leader = leader_of(port)
    page = watching(chromium, url_of(port + leader))
    come_in(page)
    page.get_by_role("link", name="Trade", exact=True).click()
    expect(page.locator("ul.bid button").first).to_be_visible()
    expect(page.locator(".leader")).to_contain_text(f"node {leader} leads")
    until(lambda: len(shown(page, "trade")) >= MORE_TRADES, 60)
    before = shown(page, "trade")[-1]
    page.locator("ul.bid button").last.click()
    page.get_by_label("Quantity").fill("1.5")
    assert kill_leader(folder, port) == leader
    # Typed before it died and sent while nobody leads: it is signed once and done once.
    page.get_by_role("button", name="Buy SOL").click()
    expect(page.get_by_text("The order rests in the book.")).to_be_visible()
    news = page.get_by_role("status").filter(has_text="Leadership changed")
    expect(news).to_contain_text(re.compile(rf"node \d leads since .*Before it was node {leader}"))
    until(lambda: shown(page, "trade")[-1] >= before + MORE_TRADES, 60)
    now = leader_of(port)
    assert now != leader
    expect(page.locator(".leader")).to_contain_text(f"node {now} leads")
    for name in ("frame", "trade", "epoch"):
        found = shown(page, name)
        assert found == sorted(found), name
    assert len(shown(page, "frame")) > MORE_TRADES
    service = Service(url_of(port + now).removeprefix("http://"))
    (order,) = said_to(page, service, "/api/v1/orders", "orderQueryAll")
    expect(page.locator(f"tr[data-row='{order['id']}']")).to_contain_text(order["price"])
    # The node that the page came from is gone: what was not opened yet opens all the same.
    page.get_by_role("link", name="Waterfall", exact=True).click()
    expect(page.get_by_role("heading", name="Waterfall")).to_be_visible()
    page.locator(".leader").click()
    expect(page.get_by_role("region", name="Nodes").locator("tbody tr")).to_have_count(NODES)
    expect(page.get_by_role("list").filter(has_text=f"after node {leader}")).to_be_visible()
    page.context.close()


def test_a_page_at_a_node_that_follows_reads_there_and_orders_where_it_leads(
    chromium: Browser, trial: tuple[Path, int]
) -> None:
    """What one node confirmed is what the other shows next, though it may lag."""
    _, port = trial
    until(lambda: all(is_ready(port + number) for number in range(NODES)), 60)
    follower = next(each for each in range(NODES) if each != leader_of(port))
    page = watching(chromium, url_of(port + follower))
    asked: set[str] = set()
    page.on("request", lambda one: asked.add(f"{one.method} {one.url.split('/')[2]}"))
    come_in(page)
    page.get_by_label("Amount to lend").fill("1000")
    page.get_by_role("button", name="Lend USDC").click()
    expect(page.get_by_text("Done: lent 1,000 USDC.")).to_be_visible()
    expect(page.get_by_role("table", name="Loans")).to_contain_text("1,000")
    leader = url_of(port + leader_of(port)).removeprefix("http://")
    own = url_of(port + follower).removeprefix("http://")
    assert f"POST {leader}" in asked
    assert f"GET {own}" in asked
    assert f"GET {leader}" not in asked
    page.context.close()


def test_a_page_of_another_address_stays_where_it_is(
    chromium: Browser, trial: tuple[Path, int]
) -> None:
    """Nodes answer pages of each other's addresses and of no others."""
    _, port = trial
    page = watching(chromium, f"http://localhost:{port}")
    page.goto("/cluster")
    expect(page.get_by_text("none of the nodes', so it asks there alone")).to_be_visible()
    expect(page.locator(".fact", has_text="This page asks")).to_contain_text("no node's")
    page.context.close()
