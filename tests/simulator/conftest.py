from __future__ import annotations

import pytest

from tests.handmade import RunByHand, run_by_hand


@pytest.fixture
def run() -> RunByHand:
    """Runs a hand-made workload on the engine and on the reference, which must agree."""
    return run_by_hand
