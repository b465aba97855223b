"""How functions are compiled that only compiled ones call: they are left for the callers that they become part of.

numba makes machine code of every function, with all that it calls, whoever calls it: of a chain of ten, the last one is
optimized ten times, and nine are never run. Here only what Python calls is optimized and made into machine code, once,
when all that it calls is part of it.

    inner ─ typed, lowered ─ linked into ┐
    inner ─ typed, lowered ─ linked into ┴ kernel ─ typed, lowered ─ optimized ─ machine code
"""

from __future__ import annotations

from typing import Any, Final

from numba import _dynfunc, types
from numba.core import compiler, compiler_machinery, typed_passes, untyped_passes
from numba.core.codegen import JITCodeLibrary


class Linked(JITCodeLibrary):
    """Code that is to be linked into other code, and is not run by itself."""

    def finalize(self) -> None:
        """Take in what the code calls."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)  # noqa: SLF001 as numba's own libraries do
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)  # noqa: SLF001
        self._finalized = True


@compiler_machinery.register_pass(mutates_CFG=True, analysis_only=False)
class Lowering(typed_passes.NativeLowering):
    """numba's own, but what comes of it waits to be linked."""

    _name = "lowering_to_be_linked"

    def run_pass(self, state: Any) -> bool:
        """Lower a function, and tell numba by what object its callers will know it."""
        state.library = Linked(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        about = lowered.fndesc
        name = about.qualname.rsplit(".", 1)[-1]
        entry = _dynfunc.make_function(about.lookup_module(), name, "", 0, lowered.env, (state.library,))
        state.targetctx.insert_user_function(entry, about, [state.library])
        state["cr"] = lowered._replace(cfunc=entry)
        return True


_PASSES: Final = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.RewriteSemanticConstants,
    untyped_passes.DeadBranchPrune,
    untyped_passes.GenericRewrites,
    untyped_passes.InlineInlinables,
    untyped_passes.DeadBranchPrune,
    untyped_passes.ReconstructSSA,
    untyped_passes.DeadBranchPrune,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.NoPythonSupportedFeatureValidation,
    typed_passes.IRLegalization,
    Lowering,
    typed_passes.NoPythonBackend,
)
"""Those of numba that such functions need; without the others, closures, `with` and whole arrays are refused."""


class Linking(compiler.CompilerBase):
    """Compiles a function as far as its callers need it."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes, as numba asks for them."""
        passes = compiler.PassManager("linking")
        for one in _PASSES:
            passes.add_pass(one, one.__name__)
        passes.finalize()
        return [passes]


def widened(kind: Any) -> Any:
    """Return the type that an argument is compiled for: a function of its own for each constant would take long.

    Example:
        >>> [str(widened(kind)) for kind in (types.literal(7), types.int32, types.uint8, types.uint64)]
        ['int64', 'int64', 'uint8', 'uint64']
    """
    kind = types.unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer) and kind.signed and kind.bitwidth < 64 else kind
