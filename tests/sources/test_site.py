"""Live sites: breadth first, within bounds, politely, in one order."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tests.server import Reply, Site
from witbuild.errors import InputError, PolicyError, RecipeError
from witbuild.sources import crawl as site_crawl
from witbuild.stages.harvest import Harvest

AGENT = "witbuild-test/0 (+http://contact.test/)"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(text: str) -> Reply:
    return Reply(text.encode(), headers=HTML)


def image(name: str) -> str:
    return f"<img src=/{name}.jpg alt='the {name}'>"


def pages(**texts: str) -> dict[str, Any]:
    """Pages of http://a.test/ by name; `index` is its root."""
    return {f"http://a.test/{'' if name == 'index' else name}": page(text) for name, text in texts.items()}


def stage(
    site: Site, *seeds: str, hosts: tuple[str, ...] = ("a.test", "www.a.test", "b.test"), **changes: Any
) -> Harvest:
    options = {"user_agent": AGENT, "delay_seconds": 0, "allow_private": True, "timeout_seconds": 60, **changes}
    return Harvest(source="site", inputs=seeds or ("http://a.test/",), resolve=site.resolve(*hosts), **options)


def crawl(site: Site, *seeds: str, **changes: Any) -> tuple[list[str], dict[str, int], pa.Table]:
    harvest = stage(site, *seeds, **changes)
    (part,) = [harvest.process(task) for task in harvest.plan({})]
    return part.table["caption"].to_pylist(), dict(part.dropped), part.table


def test_links_are_followed_breadth_first_to_a_depth() -> None:
    texts = pages(
        index=image("root") + "<a href=z>z</a><a href=b>b</a>",
        b=image("b") + "<a href=/deep/c>c</a>",
        z=image("z") + "<a href=b>b</a><a href=/>root</a>",
    )
    texts["http://a.test/deep/c"] = page(image("c") + "<a href=/deep/d>d</a>")
    texts["http://a.test/deep/d"] = page(image("d"))
    with Site(texts) as site:
        captions, dropped, table = crawl(site, max_depth=2)
    assert captions == ["the root", "the b", "the z", "the c"]
    assert dropped == {}
    assert table["page_url"].to_pylist()[1] == "http://a.test/b"
    assert set(table["source"].to_pylist()) == {"site"}
    assert site.hits["http://a.test/b"] == 1
    assert site.hits["http://a.test/deep/d"] == 0


def test_two_crawls_are_equal_byte_for_byte() -> None:
    names = [f"p{number}" for number in range(40)]
    texts = pages(index="".join(f"<a href={name}>x</a>" for name in reversed(names)))
    for number, name in enumerate(names):
        texts[f"http://a.test/{name}"] = Reply(image(name).encode(), headers=HTML, delay_seconds=number % 3 * 0.02)
    with Site(texts) as site:
        first, second = crawl(site)[2], crawl(site)[2]
    assert first.num_rows == 40
    assert first.equals(second)


def test_a_crawl_stays_in_the_registered_domain() -> None:
    links = "<a href=http://www.a.test/w>w</a><a href=http://b.test/>b</a><a href=mailto:x@a.test>m</a>"
    texts = {
        **pages(index=image("root") + links),
        "http://www.a.test/w": page(image("www")),
        "http://b.test/": page(image("b")),
    }
    with Site(texts) as site:
        captions, dropped, _ = crawl(site)
    assert (captions, dropped) == (["the root", "the www"], {})
    assert site.hits["http://b.test/"] == 0


def test_pages_that_cannot_be_had_are_counted_by_reason() -> None:
    links = "".join(
        f"<a href={name}>x</a>" for name in ("gone", "broken", "secret/1", "secret/2", "data", "out", "deep")
    )
    texts = {
        **pages(index=links, deep="<div>" * 200_000),
        "http://a.test/robots.txt": Reply(b"User-agent: *\nDisallow: /secret/"),
        "http://a.test/broken": Reply(status=500),
        "http://a.test/data": Reply(b"{}", headers={"Content-Type": "application/json"}),
        "http://a.test/out": Reply(status=301, headers={"Location": "http://b.test/"}),
        "http://b.test/": page(image("b")),
    }
    with Site(texts) as site:
        captions, dropped, _ = crawl(site)
    assert captions == []
    assert dropped == {"http_404": 1, "http_500": 1, "robots": 2, "not_html": 1, "off_site": 1, "page_too_complex": 1}
    assert site.hits["http://a.test/secret/1"] == 0


def test_two_ways_to_a_page_give_it_once() -> None:
    links = "<a href=real>r</a><a href=moved>m</a><a href=%72eal#part>f</a><a href='./real?'>q</a>"
    texts = pages(index=links, real=image("real"))
    texts["http://a.test/moved"] = Reply(status=302, headers={"Location": "/real"})
    with Site(texts) as site:
        captions, dropped, _ = crawl(site)
    assert (captions, dropped) == (["the real"], {})


def test_the_number_of_pages_is_bounded() -> None:
    texts = pages(index="".join(f"<a href=p{number}>x</a>" for number in range(30)))
    texts |= {f"http://a.test/p{number}": page(image(f"p{number}")) for number in range(30)}
    with Site(texts) as site:
        captions, _, _ = crawl(site, max_pages=11)
    assert len(captions) == 10
    assert sum(site.hits[url] for url in texts) == 11


def test_a_page_may_forbid_to_follow_its_links() -> None:
    with Site(pages(index="<meta name=robots content=nofollow><a href=x>x</a>" + image("root"), x=image("x"))) as site:
        assert crawl(site)[0] == ["the root"]


def test_files_that_are_no_pages_are_not_asked_for() -> None:
    with Site(pages(index="<a href=big.JPG>x</a><a href='doc.pdf?x'>x</a>")) as site:
        _, dropped, _ = crawl(site)
    assert dropped == {}
    assert site.hits["http://a.test/big.JPG"] == 0


SITEMAP = """<urlset xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><loc>http://a.test/far</loc>
<image:image><image:loc>http://a.test/s.jpg</image:loc><image:caption>of the sitemap</image:caption></image:image>
</url><url><loc>http://b.test/other</loc></url></urlset>"""


@pytest.mark.parametrize("named", [True, False])
def test_sitemaps_name_pages_and_images(named: bool) -> None:  # noqa: FBT001
    texts = pages(index=image("root"), far=image("far"))
    texts["http://a.test/maps/1.xml" if named else "http://a.test/sitemap.xml"] = Reply(SITEMAP.encode())
    if named:
        texts["http://a.test/index.xml"] = Reply(
            b"<sitemapindex><sitemap><loc>/maps/1.xml</loc></sitemap></sitemapindex>"
        )
        texts["http://a.test/robots.txt"] = Reply(b"Sitemap: http://a.test/index.xml\n")
    with Site(texts) as site:
        captions, dropped, table = crawl(site)
        without, _, _ = crawl(site, sitemaps=False)
    assert captions == ["the root", "the far", "of the sitemap"]
    assert dropped == {}
    assert table["caption_source"].to_pylist()[2] == "sitemap"
    assert table["page_url"].to_pylist()[2] == "http://a.test/far"
    assert without == ["the root"]


@pytest.mark.parametrize(("bound", "kept"), [("MAX_SITEMAPS", 8), ("MAX_SITEMAPS_BYTES", 4), ("MAX_SITEMAP_IMAGES", 5)])
def test_what_sitemaps_name_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str, kept: int) -> None:
    shown = "".join(f"<image><loc>/{{0}}{n}.jpg</loc><title>{{0}} {n}</title></image>" for n in range(4))
    maps = [f"<urlset><url><loc>http://a.test/</loc>{shown.format(name)}</url></urlset>" for name in "xyz"]
    texts = pages(index="") | {f"http://a.test/{n}.xml": Reply(body.encode()) for n, body in enumerate(maps)}
    texts["http://a.test/robots.txt"] = Reply(b"".join(b"Sitemap: /%d.xml\n" % n for n in range(3)))
    monkeypatch.setattr(site_crawl, bound, {"MAX_SITEMAPS": 2, "MAX_SITEMAPS_BYTES": len(maps[0]) - 1}.get(bound, kept))
    with Site(texts) as site:
        captions, dropped, _ = crawl(site)
    assert len(captions) == kept
    assert dropped == ({"too_many_images": 12 - kept} if bound == "MAX_SITEMAP_IMAGES" else {})


def test_opt_outs_in_headers_are_kept() -> None:
    texts = {"http://a.test/": Reply(image("x").encode(), headers={**HTML, "X-Robots-Tag": "noimageai"})}
    with Site(texts) as site:
        _, _, table = crawl(site)
    assert table["opt_out"].to_pylist() == ["noimageai"]


def test_a_domain_lies_in_one_task_whatever_its_hosts() -> None:
    with Site({}) as site:
        seeds = [f"http://{host}.d{number}.test/" for number in range(20) for host in ("www", "img")]
        tasks = list(stage(site, *seeds, shards=4).plan({}))
    assert len(tasks) == 4
    for number in range(20):
        homes = {task.index for task in tasks for seed in task.sources["input"] if f".d{number}.test" in seed}
        assert len(homes) == 1


def test_the_bounds_hold_for_each_domain_so_that_shards_change_nothing() -> None:
    hosts = [f"d{number}.test" for number in range(6)]
    texts = {f"http://{host}/": page(image(host)) for host in hosts}
    seeds = [f"http://{host}/" for host in hosts]
    with Site(texts) as site:
        found = []
        for shards in (1, 3):
            harvest = stage(site, *seeds, hosts=tuple(hosts), shards=shards, max_pages=1)
            found.append(
                sorted(key for task in harvest.plan({}) for key in harvest.process(task).table["key"].to_pylist())
            )
    assert len(found[0]) == 6
    assert found[0] == found[1]


def test_seeds_in_a_file(tmp_path: Any) -> None:
    (tmp_path / "seeds.txt").write_text("# mine\nhttp://a.test/\n\n")
    with Site(pages(index=image("root"))) as site:
        assert crawl(site, str(tmp_path / "seeds.txt"))[0] == ["the root"]


def test_a_crawler_without_a_contact_does_not_start() -> None:
    with Site({}) as site, pytest.raises(PolicyError, match=r"user_agent"):
        list(stage(site, user_agent="").plan({}))


@pytest.mark.parametrize(("seed", "error"), [("http://", RecipeError), ("no-such-file", InputError)])
def test_wrong_seeds_are_named(seed: str, error: type[Exception]) -> None:
    with Site({}) as site, pytest.raises(error, match=seed):
        list(stage(site, seed).plan({}))


def test_a_page_may_speak_to_this_crawler_alone() -> None:
    ours = "<meta name=witbuild-test content='noai, nofollow'><meta name=otherbot content=noindex><a href=b>b</a>"
    with Site(pages(index=ours + image("root"), b=image("b"))) as site:
        captions, _, table = crawl(site, sitemaps=False)
    assert captions == ["the root"]
    assert table["opt_out"].to_pylist() == ["noai"]
