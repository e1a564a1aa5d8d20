from __future__ import annotations

import pytest

from tests.handmade import RunByHand, make_run


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> RunByHand:
    """Runs a hand-made workload on the engine and on the reference, which must agree."""
    return make_run(monkeypatch)
