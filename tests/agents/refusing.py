"""What train.py says to arguments that are wrong, without the seconds that a process takes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import tyro

from dream_gym.errors import DreamGymError
from train import Arguments, main


def refusal(arguments: Sequence[str]) -> str:
    """The one sentence, which train.py prints behind ``error: ``, see `test_training`."""
    with pytest.raises(DreamGymError) as caught:
        main(tyro.cli(Arguments, args=arguments))
    words = str(caught.value)
    assert "\n" not in words
    return words
