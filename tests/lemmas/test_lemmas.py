"""Lemmas hold of all integers, their formulas are the engine's, and wrong ones are refuted."""

import importlib
from itertools import chain

import pytest

from tests.lemmas.allotment_lemmas import STEPS, TWO_PLACES
from tests.lemmas.opposites_lemmas import OPPOSITES
from tests.lemmas.pool_lemmas import POOL
from tests.lemmas.terms import (
    Exact,
    Lemma,
    Topic,
    Wrong,
    bound_to,
    counterexample,
    holds_at,
)
from tests.lemmas.throttle_lemmas import THROTTLE
from tests.proof import proves

TOPICS = (POOL, THROTTLE, TWO_PLACES, STEPS, OPPOSITES)
LEMMAS = [
    pytest.param(topic, lemma, id=f"{topic.name}: {lemma.name}")
    for topic in TOPICS
    for lemma in topic.lemmas
]
WRONG = [
    pytest.param(topic, wrong, id=f"{topic.name}: {wrong.mistake}")
    for topic in TOPICS
    for wrong in topic.wrong
]
FORMULAS = [
    pytest.param(topic, name, id=f"{topic.name}: {name}")
    for topic in TOPICS
    for name in topic.functions
]
REFUTED_BELOW = (10**15, 4 * 10**18)
"""Counterexamples are looked for among numbers that columns hold, small ones first."""


@proves("I4", "I13", "I22", "I40")
@pytest.mark.parametrize(("topic", "lemma"), LEMMAS)
def test_a_lemma_holds_of_all_integers(topic: Topic, lemma: Lemma) -> None:
    assert counterexample(lemma, topic.formulas) is None, lemma.sentence


@pytest.mark.parametrize(("topic", "name"), FORMULAS)
def test_a_formula_is_the_engines(topic: Topic, name: str) -> None:
    formula = getattr(bound_to(Exact(), topic.formulas), name)
    function = topic.functions[name]
    points = topic.points[name]
    assert len(points) >= 6
    for point in points:
        assert formula(*point) == function(*point), point


@pytest.mark.parametrize(("topic", "wrong"), WRONG)
def test_a_wrong_formula_is_refuted_and_the_engine_is_not(topic: Topic, wrong: Wrong) -> None:
    lemma = next(each for each in topic.lemmas if each.name == wrong.refuted_by)
    mistaken = {**topic.formulas, wrong.instead_of: wrong.formula}
    tried = (counterexample(lemma, mistaken, below) for below in REFUTED_BELOW)
    found = next(filter(None, tried), None)
    assert found is not None, f"{wrong.mistake}: no lemma notices"
    values = list(found.values())
    exact = bound_to(Exact(), mistaken)
    if topic.agrees is not None:
        assert topic.agrees(bound_to(Exact(), topic.formulas))
        assert not topic.agrees(exact), "the engine would do the same"
        return
    wrongly = {**topic.functions, wrong.instead_of: getattr(exact, wrong.instead_of)}
    assert holds_at(lemma, wrongly, values) is False, found
    assert holds_at(lemma, topic.functions, values) is not False, found


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_no_formula_is_left_untied(topic: Topic) -> None:
    assert (topic.functions.keys() == topic.formulas.keys()) is (topic.agrees is None)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_lemma_can_be_wrong_and_is_about_something(topic: Topic) -> None:
    assert {wrong.refuted_by for wrong in topic.wrong} == {lemma.name for lemma in topic.lemmas}
    for path in chain.from_iterable(lemma.about for lemma in topic.lemmas):
        module, _, function = path.rpartition(".")
        assert callable(getattr(importlib.import_module(f"solvent.reference.{module}"), function))
