"""Prices: sources to index, index and book to mark, and what becomes stale when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.parameters import PriceParameters
from solvent.domain.units import PRICE_SCALE, RATIO
from solvent.reference.prices import (
    capped_index,
    clamp_around,
    index_price,
    mark_price,
    median,
)
from solvent.reference.state import Price, Quote
from tests.proof import proves
from tests.tables.story import run_story

prices = st.integers(1, 10**15)


def flat(price: int, time: int = 0) -> Quote:
    """A quote whose bid, ask and last agree."""
    return Quote(price, price, price, time)


@pytest.mark.parametrize(
    ("quote", "price"),
    [((100, 102, 101), 101), ((100, 102, 99), 100), ((100, 102, 103), 102), ((5, 5, 9), 5)],
)
def test_a_source_is_the_median_of_bid_ask_and_last(
    quote: tuple[int, int, int], price: int
) -> None:
    assert Quote(*quote).price == price


@pytest.mark.parametrize(
    ("values", "middle"), [([3], 3), ([1, 4], 2), ([9, 1, 5], 5), ([1, 2, 4, 9], 3)]
)
def test_median(values: list[int], middle: int) -> None:
    assert median(values) == middle


@pytest.mark.parametrize(
    ("value", "held"), [(99, 99), (0, 95), (95, 95), (94, 95), (105, 105), (106, 105), (9999, 105)]
)
def test_clamp_around(value: int, held: int) -> None:
    assert clamp_around(value, 100, RATIO * 5 // 100) == held


def test_a_clamp_rounds_inward() -> None:
    assert clamp_around(0, 101, RATIO // 100) == 100
    assert clamp_around(999, 101, RATIO // 100) == 102


def test_one_source_that_runs_away_moves_the_index_by_its_clamp() -> None:
    parameters = PriceParameters(source_weights=(1, 1, 1), source_clamp=RATIO // 100)
    quotes = [flat(1000), flat(1000), flat(5000)]
    assert index_price(parameters, quotes, 0) == (1000 + 1000 + 1010) // 3


def test_weights() -> None:
    parameters = PriceParameters(source_weights=(3, 1), source_clamp=RATIO)
    assert index_price(parameters, [flat(100), flat(200)], 0) == 125


def test_a_source_that_fell_silent_does_not_count() -> None:
    parameters = PriceParameters(source_weights=(1, 1), source_clamp=RATIO, max_age=10)
    quotes = [flat(100, time=0), flat(200, time=10)]
    assert index_price(parameters, quotes, 10) == 150
    assert index_price(parameters, quotes, 11) == 200
    assert index_price(parameters, [flat(100, time=-1), flat(200, time=10)], 11) == 200


@given(st.lists(prices, min_size=1, max_size=8), st.data())
def test_the_index_lies_among_its_sources(values: list[int], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(1, 1000), min_size=len(values), max_size=len(values)))
    clamp = data.draw(st.integers(0, RATIO))
    parameters = PriceParameters(source_weights=tuple(weights), source_clamp=clamp)
    index = index_price(parameters, [flat(value) for value in values], 0)
    assert min(values) - 1 <= index <= max(values) + 1


@given(prices, st.integers(-(10**15), 10**15), st.integers(0, RATIO // 2))
def test_the_mark_stays_within_its_band(index: int, premium: int, band: int) -> None:
    price = Price([], index=index, premium=premium)
    mark = mark_price(PriceParameters(mark_band=band), price)
    assert mark >= 1
    assert abs(mark - index) * RATIO <= index * band or mark == 1


@proves("I34")
def test_the_mark_follows_the_book_within_the_band() -> None:
    run_story("""
        set SOL price.ewma_time 60s
        set waterfall.interval 60s
        set SOL price.impact_notional 200
        deposit mia SOL  1,000
        deposit ben USDC 100,000
        sell mia SOL 1 @ 206
        buy  ben SOL 1 @ 204                      # mid 205, index 200
        step +60s
        saw  MarkUpdated asset=SOL index=200 mark=202.5   # half the way in one time constant
        step +60s
        expect mark SOL 203.75
        step +10m
        expect mark SOL < 205
        expect mark SOL > 204.8
        cancel_all mia
        cancel_all ben
        sell mia SOL 1 @ 248
        buy  ben SOL 1 @ 246                      # mid 247: the band of 5 % holds the mark
        step +60m
        expect mark  SOL > 209.8                  # it comes near the band and never beyond
        expect mark  SOL < 210
        expect index SOL 200
        cancel ben #4
        step +60m
        expect mark SOL < 200.2
    """)


@proves("I34")
def test_an_index_moves_by_its_cap_at_most() -> None:
    run_story("""
        set SOL price.max_move 10%
        price SOL 300
        expect index SOL 220
        expect stale SOL 1                        # in doubt until it has caught up
        price SOL 300                             # the same instant: it has moved already
        expect index SOL 220
        price SOL 150
        expect index SOL 180                      # from 200, where the instant began
        price SOL 300
        step +1s
        expect index SOL 242                      # it catches up with what it was told
        price SOL 241
        expect index SOL 241
        expect stale SOL 0
        step +2s
        price SOL 1
        expect index SOL 195.21                   # two stretches: 241 * 0.9 * 0.9
        step +1m
        expect index SOL 1
        expect stale SOL 0
    """)


@proves("I34")
def test_a_cap_does_not_depend_on_how_time_was_cut() -> None:
    ends = []
    for steps in ("steps 60 +1s", "step +60s", "steps 3 +20s", "steps 120 +500ms"):
        story = run_story(f"""
            set SOL price.max_move 1%
            price SOL 100
            {steps}
        """)
        ends.append(story.engine.queries.price(2).index)
    assert len(set(ends)) == 1, ends
    assert ends[0] > 100 * PRICE_SCALE


@proves("I34")
def test_an_index_of_a_few_units_still_moves() -> None:
    parameters = PriceParameters(max_move=RATIO // 100)
    price = Price([], index=5, anchor=5)
    assert capped_index(parameters, price, 9, 0) == 6
    assert capped_index(parameters, price, 1, 0) == 4
    assert capped_index(parameters, price, 5, 0) == 5


@proves("I34")
def test_a_quorum_is_more_than_half_or_as_set() -> None:
    for sources, minimum, quorum in ((1, 0, 1), (2, 0, 2), (3, 0, 2), (8, 0, 5), (8, 8, 8)):
        weights = (1,) * sources
        parameters = PriceParameters(source_weights=weights, min_sources=minimum)
        assert parameters.quorum == quorum


@proves("I34")
def test_sources_come_and_go() -> None:
    run_story("""
        set SOL price.source_weights 2 1
        set SOL price.source_clamp 10%
        set SOL price.max_age 10s
        set SOL price.min_sources 1
        price SOL 200 source=0
        price SOL 215 source=1
        expect index SOL 205
        step +8s
        price SOL 230 source=1                    # held at 215 * 1.1, and 200 at 215 * 0.9
        expect index SOL 210
        step +3s
        expect stale SOL 0                        # the index is 3 s old
        price SOL 230 source=1                    # and source 0 too old to count
        expect index SOL 230
        step +11s
        expect stale SOL 1
        halt SOL
        price SOL 230 source=1
        expect stale SOL 1
        resume SOL
        expect stale SOL 0
    """)
