from dream_gym.schedulers.learned import features


def test_each_place_has_its_name() -> None:
    for kind in ("CONTEXT", "FRAME", "PAIR"):
        names = getattr(features, f"{kind}_FEATURES")
        assert [getattr(features, name.upper()) for name in names] == list(range(len(names)))
        assert getattr(features, kind) == len(names)
    assert len(set(features.INPUT_NAMES)) == len(features.INPUT_NAMES)
