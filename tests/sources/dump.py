"""Small dumps as MediaWiki writes them."""

from __future__ import annotations

from html import escape

HEADER = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <namespaces>
      <namespace key="-1" case="first-letter">Spezial</namespace>
      <namespace key="0" case="first-letter" />
      <namespace key="6" case="first-letter">Datei</namespace>
      <namespace key="14" case="first-letter">Kategorie</namespace>
    </namespaces>
  </siteinfo>
"""
END = "</mediawiki>\n"


def page(title: str, text: str, *, namespace: int = 0, redirect: str = "", model: str = "wikitext") -> str:
    """Return a page of a dump."""
    target = f'    <redirect title="{escape(redirect)}" />\n' if redirect else ""
    return (
        f"  <page>\n    <title>{escape(title, quote=False)}</title>\n    <ns>{namespace}</ns>\n    <id>1</id>\n{target}"
        f"    <revision>\n      <id>2</id>\n      <comment>/* x */</comment>\n      <model>{model}</model>\n"
        f'      <text bytes="{len(text)}" xml:space="preserve">{escape(text)}</text>\n'
        f"    </revision>\n  </page>\n"
    )


def dump(*pages: str) -> bytes:
    """Return a whole dump."""
    return (HEADER + "".join(pages) + END).encode()
