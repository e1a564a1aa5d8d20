"""Write docs/semantics.md and draw its pictures."""

from __future__ import annotations

from dream_gym.analysis.report.pictures.timeline import plot_results
from tests.handmade import run_by_hand
from tests.semantics.cases import CASES, HORIZON_MS
from tests.semantics.page import PAGE, PICTURES, page
from tests.semantics.test_cases import run_case


def main() -> None:
    """Write all of it anew."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        result = run_case(run_by_hand, case).result
        plot_results(
            {case.title: result},
            PICTURES / case.file,
            start_ms=0.0,
            length_ms=HORIZON_MS,
            caption=case.options.get("scheduler", "fcfs"),
        )
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
