"""A pair as a row of numbers: where its URL and its caption stand in a text, and what else a page says of it.

url start, url stop, caption start, caption stop, caption source, width, height, and a number that is the reader's own
"""

from __future__ import annotations

from typing import Final

URL_START, URL_STOP, CAPTION_START, CAPTION_STOP, SOURCE, WIDTH, HEIGHT, OWN = range(8)
ROW_SIZE: Final = 8
SOURCES: Final = ("alt", "title", "figcaption", "og", "jsonld", "sitemap", "api", "list", "folder")
"""The sources of captions; rows name them by their places here."""
NO_PIXELS: Final = -(2**31)
"""A width or height that is not known."""
