from tests.simulator.conftest import run

__all__ = ["run"]
