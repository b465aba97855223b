"""Cut whole pages out of a dump: `python queries/make_wikipedia_sample.py DUMP.xml.bz2 OUT.xml.bz2`.

The pages below were chosen for the plain words in them (colours, shapes, sizes, numbers, animals), with
some redirects and a page of another namespace, so that the sample holds what a reader of dumps must tell
apart. The result has the shape of a multistream dump: the header, every few pages, and the end are bz2
streams of their own.
"""

from __future__ import annotations

import bz2
import re
import sys
from pathlib import Path

PAGES = (
    "A",
    "Aa River",
    "Aardvark",
    "Aardwolf",
    "Abacus",
    "Aberdeen (disambiguation)",
    "Academy Award for Best Production Design",
    "Acid",
    "Actinopterygii",
    "Ada",
    "Agnostida",
    "Albedo",
    "Algae",
    "Allan Dwan",
    "Ambiguity",
    "American Football Conference",
    "Android (robot)",
    "Animal (disambiguation)",
    "Animation",
    "Apollo 11",
    "Apollo 8",
    "Art",
    "Aruba",
    "Asphalt",
    "Atlantic Ocean",
    "Austin (disambiguation)",
    "List of anthropologists",
)
OTHERS = (
    "AsciiArt",
    "AutoRacing",
    "Asia Minor (disambiguation)",
    "Actress",
    "Amaltheia",
    "Ameboid stage",
    "Wikipedia:Adding Wikipedia articles to Nupedia",
)
PAGES_IN_A_STREAM = 10
_PAGE = re.compile(rb"  <page>\n    <title>(.*?)</title>.*?</page>\n", re.DOTALL)


def main(dump: str, out: str) -> None:
    """Write the chosen pages of `dump`, byte for byte and in its order, to `out`."""
    content = bz2.decompress(Path(dump).read_bytes())
    wanted = {name.encode() for name in (*PAGES, *OTHERS)}
    pages = [found[0] for found in _PAGE.finditer(content) if found[1] in wanted]
    if len(pages) != len(wanted):
        sys.exit(f"{dump}: {len(pages)} of the {len(wanted)} pages are there")
    header = content[: content.index(b"  <page>")]
    groups = [b"".join(pages[at : at + PAGES_IN_A_STREAM]) for at in range(0, len(pages), PAGES_IN_A_STREAM)]
    Path(out).write_bytes(b"".join(bz2.compress(group) for group in (header, *groups, b"</mediawiki>\n")))


if __name__ == "__main__":
    main(*sys.argv[1:])
