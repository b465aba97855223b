"""The plain client that everybody knows, `requests`, gets the same bytes from the same site as ours does."""

from __future__ import annotations

import gzip
import zlib

import pytest
import requests

from tests.server import Behaviour, Reply, Site, once, redirect
from tests.web.test_client import get, settings

TEXT = b"the same bytes " * 999
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthe s\r\n4;x=y\r\name \r\n0\r\n\r\n"
PAGES: dict[str, Reply | Behaviour] = {
    "/plain": Reply(TEXT),
    "/empty": Reply(b""),
    "/gzip": Reply(gzip.compress(TEXT), headers={"Content-Encoding": "gzip"}),
    "/members": Reply(gzip.compress(TEXT) + gzip.compress(b"more") * 2, headers={"Content-Encoding": "gzip"}),
    "/deflate": Reply(zlib.compress(TEXT), headers={"Content-Encoding": "deflate"}),
    "/moved": redirect("/further", 301),
    "/further": redirect("plain", 307),
    "/chunked": once(CHUNKED),
    "/latin": Reply("höflich".encode("latin-1"), headers={"Content-Type": "text/html; charset=iso-8859-1"}),
}


@pytest.mark.parametrize("path", PAGES)
def test_both_clients_get_the_same(path: str) -> None:
    with Site(PAGES) as site:
        ours = get(settings(site), f"http://a.test{path}")
        headers = {"Host": "a.test", "Connection": "close"}
        with requests.Session() as session:
            theirs = session.get(f"http://127.0.0.1:{site.port}{path}", headers=headers, timeout=10)
    assert (ours.status, ours.body) == (theirs.status_code, theirs.content)
    assert len(ours.redirects) == len(theirs.history)
