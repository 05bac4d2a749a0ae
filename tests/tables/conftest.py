"""Stories and tables are told to both engines."""

import pytest

from solvent.domain.engine_face import EngineFactory
from solvent.engine.engine import FastEngine
from solvent.reference.engine import ReferenceEngine
from tests.tables.story import Story


@pytest.fixture(autouse=True, params=[ReferenceEngine, FastEngine], ids=["reference", "fast"])
def engines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> EngineFactory:
    """The kind of engine that this test's stories are told to."""
    kind: EngineFactory = request.param
    monkeypatch.setattr(Story, "engines", kind)
    return kind
