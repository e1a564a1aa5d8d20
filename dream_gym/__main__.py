"""``python -m dream_gym`` is ``dream-gym``."""

import sys

from dream_gym.cli import main

sys.exit(main())
