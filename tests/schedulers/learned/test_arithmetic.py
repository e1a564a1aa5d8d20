import math

from hypothesis import given
from hypothesis import strategies as st

from dream_gym.compiling.bits import bits_of, number_of
from dream_gym.compiling.jit import entry_point
from dream_gym.schedulers.learned.arithmetic import log2


@entry_point("test_arithmetic", cache=False)
def compiled_log2(x: float) -> float:
    return log2(x)


compiled_log2(1.0)  # compiled before hypothesis looks at the clock
positive = st.floats(min_value=1e-300, max_value=1e300)


@given(positive)
def test_a_logarithm_is_nearly_that(x: float) -> None:
    assert abs(compiled_log2(x) - math.log2(x)) < 2e-5


@given(st.integers(-1000, 1000))
def test_powers_of_two_are_exact(exponent: int) -> None:
    assert compiled_log2(math.ldexp(1.0, exponent)) == exponent


@given(positive, st.integers(1, 100))
def test_it_never_falls(x: float, steps: int) -> None:
    above = number_of(bits_of(x) + steps)
    assert above > x
    assert compiled_log2(above) >= compiled_log2(x)


def test_its_bits_are_the_same_everywhere() -> None:
    """On a machine that gives others, agents would decide otherwise."""
    expected = {
        3.0: "0x1.95bf2019ff0bep+0",
        1.999999: "0x1.ffffe7c632691p-1",
        1e-3: "-0x1.3ee7ce95f4b18p+3",
        12345.678: "0x1.b2ef3d18937a0p+3",
    }
    assert {x: compiled_log2(x).hex() for x in expected} == expected


@given(st.floats())
def test_bits_and_back(x: float) -> None:
    assert number_of(bits_of(x)) == x or math.isnan(x)
