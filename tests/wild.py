"""Random workloads of awkward numbers for Hypothesis: of many digits, and of extreme sizes.

Each is ordinary but for a few fields. What is drawn is the content of YAML files, so that it goes
the way of a user's; some of it has to be refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from hypothesis import strategies as st

FIELDS = (
    "clock_ghz",
    "dram_bandwidth_gb_s",
    "dram_energy_pj_per_byte",
    "shared_memory_kib",
    "accelerators",
    "layers",
    "rate",
    "load",
    "deadline_ms",
    "phase_ms",
    "jitter_ms",
    "probability",
    "seconds",
    "decision_ns",
)
SCHEDULERS = ("fcfs", "edf", "dream_mapscore")
MANY_FRAMES = 100_000

Number: TypeAlias = int | float | str


@dataclass(frozen=True)
class Wild:
    """Contents of two files, and arguments of `dream_gym.simulate`."""

    platform: dict[str, Any]
    scenario: dict[str, Any]
    scheduler: str
    options: dict[str, Any]
    wild: frozenset[str]


def numbers(low: float, high: float, *, fractions: bool = False) -> st.SearchStrategy[Number]:
    """Numbers of any size between two, of one to seventeen digits; perhaps as texts."""
    exponents = st.floats(math.log10(low), math.log10(high))
    long = exponents.map(lambda exponent: min(max(10.0**exponent, low), high))
    short = st.tuples(long, st.integers(1, 4)).map(lambda pair: float(f"{pair[0]:.{pair[1]}g}"))
    kinds: list[st.SearchStrategy[Number]] = [long, short.map(lambda n: min(max(n, low), high))]
    if fractions:
        parts = st.tuples(st.integers(1, 10**9), st.integers(1, 10**9))
        kinds.append(parts.map(lambda pair: f"{pair[0]}/{pair[1]}"))
        kinds.append(st.sampled_from((2 / 3, 1 / 3, 100 / 3, 1e-9, 30000 / 1001, "1/3")))
    return st.one_of(kinds)


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    """Integers of any size between two, often near a power of two."""
    powers = st.integers(low.bit_length(), high.bit_length())
    near = st.tuples(powers, st.integers(-2, 2)).map(lambda pair: 2 ** pair[0] + pair[1])
    return st.one_of(near.map(lambda n: min(max(n, low), high)), st.integers(low, high))


def times(most: float, unit_ns: int) -> st.SearchStrategy[Number]:
    """Times up to so many units, most of them of whole nanoseconds."""
    real = numbers(0.1 / unit_ns, most)
    in_ns = real.map(lambda time: math.ceil(Fraction(str(time)) * unit_ns) / unit_ns)
    return st.one_of(in_ns, in_ns, in_ns, real)


@st.composite
def layers(draw: st.DrawFn, wild: bool) -> list[dict[str, Any]]:
    size = st.sampled_from((1, 3, 8, 16))
    if wild:  # most of them such that a layer can be costed
        size = whole(1, 2 ** draw(st.sampled_from((10, 14, 14, 40))))
    found = []
    for index in range(draw(st.integers(1, 3))):
        layer = {name: draw(size) for name in "KC"} | {"Y": draw(size) + 2, "X": draw(size) + 2}
        for name in ("R", "S", "stride"):
            layer[name] = draw(whole(1, 2**8)) if wild and draw(st.booleans()) else 1
        found.append({"name": f"layer{index}", **layer})
    return found


@st.composite
def worlds(draw: st.DrawFn) -> Wild:
    """Two to four of the fields are wild, and the others ordinary."""
    wild = draw(st.frozensets(st.sampled_from(FIELDS), min_size=1, max_size=3))

    def pick(field: str, strategy: st.SearchStrategy[Any], *ordinary: Any) -> Any:
        return draw(strategy if field in wild else st.sampled_from(ordinary))

    platform = {
        "schema": 1,
        "name": "wild",
        "clock_ghz": pick("clock_ghz", numbers(1e-9, 1e6, fractions=True), 0.7, 1, "1/3"),
        "dram_bandwidth_gb_s": pick(
            "dram_bandwidth_gb_s", numbers(1e-9, 1e6, fractions=True), 90, 12.5
        ),
        "dram_energy_pj_per_byte": pick("dram_energy_pj_per_byte", whole(0, 10**6), 216, 0),
        "shared_memory_kib": pick("shared_memory_kib", whole(0, 2**30), 0, 8192),
        "accelerators": [
            {
                "name": f"acc{index}",
                "dataflow": draw(st.sampled_from(("WS", "OS", "RS"))),
                "num_pes": pick("accelerators", whole(256, 2**20), 256, 1024),
                "noc_bandwidth": pick("accelerators", whole(1, 2**20), 16, 64),
            }
            for index in range(draw(st.integers(1, 2)))
        ],
    }
    models: list[dict[str, Any]] = []
    for index in range(draw(st.integers(1, 3))):
        model: dict[str, Any] = {
            "name": f"model{index}",
            "network": {
                "name": f"net{index}",
                "source": "random",
                "layers": draw(layers("layers" in wild)),
            },
            "rate": pick("rate", numbers(1e-6, 1e6, fractions=True), 30, 60, 20000, "30000/1001"),
            "backlog": draw(st.sampled_from((1, 8))),
        }
        if "deadline_ms" in wild:
            model["deadline_ms"] = draw(times(1e4, 10**6))
        if models and draw(st.booleans()):
            model["rate"] = models[0]["rate"]
            chance = pick("probability", numbers(1e-20, 1), 1.0, 0.5)
            model["depends_on"] = {"model": "model0", "probability": chance}
        else:
            for field, most_ms in (("phase_ms", 1e4), ("jitter_ms", 10.0)):
                if field in wild:
                    model[field] = draw(times(most_ms, 10**6))
        models.append(model)
    load = pick("load", numbers(1e-3, 1e3), 1.0, 1.3, 0.333)
    # A few periods of the fastest model, or as many as can be counted at once.
    rate = max(Fraction(str(model["rate"])) for model in models) * Fraction(str(load))
    periods = draw(st.integers(2, 8))
    seconds: Number = max(math.ceil(periods / rate * 10**9), 1) / 1e9
    if "seconds" in wild:
        seconds = draw(times(min(float(MANY_FRAMES / rate), 1e5), 10**9))
    options = {
        "seconds": seconds,
        "load": load,
        "seed": draw(st.integers(0, 2**63 - 1)),
        "contention": draw(st.booleans()),
        "decision_ns": pick("decision_ns", whole(0, 10**9), 0),
        "expiry": draw(st.sampled_from(("soft", "firm"))),
        "energy_norm": draw(st.sampled_from(("charged", "literal"))),
    }
    scenario = {"schema": 1, "name": "wild", "models": models}
    return Wild(platform, scenario, draw(st.sampled_from(SCHEDULERS)), options, wild)
