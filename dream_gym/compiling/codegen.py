"""How Numba makes machine code of what only compiled code calls: once, within its callers.

By itself Numba optimises each function, makes machine code of it, and does both again in every
function that it is inlined in. Here what only compiled code calls is kept as it was lowered, and
is optimised and translated once, as part of the entry point that Python calls: that takes less than
half the time. The machine code is as fast, and computes the same bits.

This is all that knows the inside of Numba's compiler.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.typed_passes import NopythonTypeInference
from numba.core.types.misc import unliteral


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of a function that is linked into others and never run by itself."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """There is none: the function is not in memory."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """What Numba tells about the environment of a function that can be run."""
        return _Nowhere


class _Nowhere:
    @staticmethod
    def set_env(name: str, environment: Any) -> None:
        """Only what is in memory has one."""


@register_pass(mutates_CFG=False, analysis_only=True)
class _AsPart(AnalysisPass):  # type: ignore[misc]
    _name = "as_part"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        name = state.func_id.func_qualname
        state.library = _PartLibrary(state.targetctx.codegen(), name)
        state.library.enable_object_caching()
        return False


class PartCompiler(CompilerBase):  # type: ignore[misc]
    """The pipeline of a function that only compiled code calls."""

    def define_pipelines(self) -> list[Any]:
        """Numba's own, and where the code goes."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.add_pass_after(_AsPart, NopythonTypeInference)
        pipeline.finalize()
        return [pipeline]


def take_constants_as_numbers(dispatcher: Any) -> None:
    """Keep a function from being compiled once more for each constant that it is called with."""
    template_for = dispatcher.get_call_template

    def get_call_template(arguments: Any, keywords: Any) -> Any:
        plain = {name: unliteral(type_) for name, type_ in keywords.items()}
        return template_for(tuple(map(unliteral, arguments)), plain)

    dispatcher.get_call_template = get_call_template
