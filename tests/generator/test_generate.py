"""The generator keeps its promises, on 10,000 draws."""

from __future__ import annotations

import collections
import functools
import hashlib
import pickle

import numpy as np
import pytest

from dream_gym.analysis.suites.profile import profile
from dream_gym.errors import ConfigError
from dream_gym.generator import Generated, generate_workload
from dream_gym.generator.apps import RATES
from dream_gym.hardware import load_platform
from dream_gym.reading.yaml_core import dump_yaml
from dream_gym.simulator import Cell
from dream_gym.workload import (
    evaluation_seeds,
    load_scenario,
    selection_seeds,
    training_seeds,
)

DRAWS = 10_000
LONGEST_DEADLINE_S = 1.5 / 0.4
FIRST_DIGEST = "028a30a1fd09522b4c7a17a01b4e28e77cfe3b5288f7f50fe6da2e09dfcf65c3"


@functools.cache
def drawn() -> list[Generated]:
    return [generate_workload(seed) for seed in training_seeds(DRAWS)]


def test_every_stratum_has_its_share() -> None:
    strata = collections.Counter(
        (len(workload.platform.accelerators), int(workload.utilisation * 10 - 6))
        for workload in drawn()
    )
    assert set(strata) == {(count, step) for count in range(2, 7) for step in range(6)}
    assert min(strata.values()) >= 0.8 * DRAWS / 30


def test_accelerators_are_of_the_kinds_promised() -> None:
    kinds = collections.Counter()
    for workload in drawn():
        accelerators = workload.platform.accelerators
        assert sum(each.num_pes or 0 for each in accelerators) <= 8192
        for each in accelerators:
            assert each.noc_bandwidth == (256 if (each.num_pes or 0) > 2048 else 128)
        kinds.update((each.dataflow, each.num_pes) for each in accelerators)
    sizes = (256, 512, 1024, 2048, 4096)
    assert set(kinds) == {(dataflow, pes) for dataflow in ("WS", "OS", "RS") for pes in sizes}


def test_models_keep_their_limits() -> None:
    rates, cascades, networks, counts = (collections.Counter() for _ in range(4))
    deadlines, jitters = [], []
    for workload in drawn():
        models = workload.scenario.models
        counts[len(models)] += 1
        cascades[sum(model.depends_on is not None for model in models)] += 1
        for model in models:
            networks[str(model.network)] += 1
            rates[int(model.rate)] += 1
            periods = float(model.rate) * workload.load / 1000
            deadlines.append((model.deadline_ms or 0) * periods)
            jitters.append(model.jitter_ms * periods)
            if model.depends_on is not None:
                assert 0.2 <= model.depends_on.probability <= 1
        assert 0.4 <= workload.load <= 2.5
    assert 0.499 <= min(deadlines) < 0.55
    assert 1.45 < max(deadlines) <= 1.501
    assert min(jitters) >= 0
    assert 0.19 < max(jitters) <= 0.2001
    assert set(rates) == set(RATES)
    assert set(cascades) == {0, 1, 2, 3}
    assert min(counts) >= 2
    assert max(counts) == 16
    assert len(networks) == 23
    assert min(networks.values()) > 0.02 * sum(networks.values())


def test_all_can_be_met_and_the_utilisation_is_what_was_drawn() -> None:
    for workload in drawn()[::47]:  # all strata: 47 and 30 have no divisor in common
        found = profile(
            workload.scenario, workload.platform, load=workload.load, seconds=LONGEST_DEADLINE_S
        )
        for model in found.models:
            assert model.needed_ms <= 0.6 * model.deadline_ms * (1 + 1e-9)
        assert found.utilisation == pytest.approx(workload.utilisation, rel=0.02)


def test_little_is_thrown_away() -> None:
    """Or the distribution would be that of what is easily drawn."""
    for accelerators in range(2, 7):
        tries = [each.tries for each in drawn() if len(each.platform.accelerators) == accelerators]
        assert sum(tries) / len(tries) < 4


def test_the_purposes_have_no_seed_in_common() -> None:
    purposes = [set(first(1000)) for first in (training_seeds, selection_seeds, evaluation_seeds)]
    assert len(set().union(*purposes)) == 3000


def test_a_seed_means_the_same_everywhere() -> None:
    """With another digest, workloads have changed: raise `VERSION`, and say so in CHANGELOG."""
    digest = hashlib.sha256()
    for workload in drawn()[:100]:
        for part in (workload.scenario, workload.platform):
            digest.update(dump_yaml(part.model_dump(mode="json", by_alias=True)).encode())
        digest.update(repr(workload.load).encode())
    assert digest.hexdigest() == FIRST_DIGEST


def test_a_reference_stands_wherever_a_name_does() -> None:
    cell = Cell.generated(17)
    workload = generate_workload(17)
    assert load_scenario("generated:17") == workload.scenario == cell.workload
    assert load_platform("generated:17") == workload.platform == cell.hardware
    assert cell.load == workload.load
    generate_workload.cache_clear()
    assert generate_workload(np.int64(17)) == workload
    assert pickle.loads(pickle.dumps(cell)).digest() == cell.digest()
    assert Cell(**cell.portable()).digest() == cell.digest()


@pytest.mark.parametrize("seed", ["", "-1", "1.5", "x", "9" * 25])
def test_what_is_no_seed_is_refused(seed: str) -> None:
    with pytest.raises(ConfigError, match="seed"):
        load_scenario(f"generated:{seed}")
