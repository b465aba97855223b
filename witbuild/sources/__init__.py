"""Where pairs come from: one file a source, all giving the same candidate table.

`SOURCES` is the whole registry: the name in a recipe -> where its class is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from witbuild.sources.base import Source

SOURCES = {
    "wat": "witbuild.sources.commoncrawl:Wat",
    "warc": "witbuild.sources.warc:Warc",
    "urls": "witbuild.sources.url_list:UrlList",
    "site": "witbuild.sources.site:Site",
    "html": "witbuild.sources.folder:Html",
    "folder": "witbuild.sources.folder:Folder",
    "commons": "witbuild.sources.commons:Commons",
    "openverse": "witbuild.sources.openverse:Openverse",
}
"""Name of a source -> module and class."""


def source_class(name: str) -> type[Source]:
    """Return the class of a source.

    Example:
        >>> source_class("warc").__name__
        'Warc'
    """
    module, _, attribute = SOURCES[name].partition(":")
    found: type[Source] = getattr(import_module(module), attribute)
    return found
