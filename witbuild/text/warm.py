"""Imported by the process that workers are forked of: what a first kernel waits for, 0.5 s of CPU, is done there once.

That is importing numba, and all that it knows how to compile, which it otherwise looks up when it is first asked. No
kernel is loaded, as one that is not compiled yet would let all workers wait.
"""

from __future__ import annotations

import gc

from witbuild.io.absent import absent

with absent("scipy"):  # numba would import it, to ask for linear algebra that no text needs
    from numba.core.registry import cpu_target

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
gc.freeze()  # a collection in a forked process would write to every object, and so make a copy of all that it shares
