"""Importing this makes an image: what decoding imports and compiles is then there, in the server that forks decoders.

It would else be done again by each process, within the limits of the first body it is given.
"""

from __future__ import annotations

import gc

from witbuild.io.absent import absent
from witbuild.stages.fetch.lean import unmap_code

gc.disable()  # nothing of what is imported is garbage
with absent("scipy"):  # numba would import it, to ask for linear algebra that no image needs
    import io

    from PIL import Image

    from witbuild.image.prepare import Plan, prepare

    for kind, options in (("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True})):
        stream = io.BytesIO()
        Image.new("RGB", (16, 16), "red").save(stream, kind, **options)
        prepare(stream.getvalue(), Plan(size=4))
unmap_code("libllvmlite")
gc.enable()
gc.freeze()  # a collection in a forked process would write to every object, and so make a copy of all that it shares
