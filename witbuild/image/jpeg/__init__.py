"""A JPEG straight to a smaller image: coded data to coefficients to area means, without the pixels between.

    frame.py         segments, read strictly: UnusualError where the library should look
    huffman.py       codes as tables;  bits.py: bits of coded data
    scans.py         which block comes where
    sequential.py  ┐ coded data to coefficients
    progressive.py ┘
    weights.py       which part samples have in means
    project.py       coefficients to means
    area.py          all of it

Whatever is not usual, or is broken in any way, is left to the library, so that what becomes of an image never depends
on what is done here; only its pixels do, by rounding.
"""
