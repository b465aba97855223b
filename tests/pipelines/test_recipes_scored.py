"""Published recipes that ask models, run whole: for each rule a pair that breaks it and no other, scored as told."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.planted import GOOD, Case, check, expected, picture, play, survivors
from tests.pipelines.told_model import changes

pytestmark = pytest.mark.train
pytest.importorskip("torch")

LISTS = {
    "wikipedia": "".join(f"{word} 500\n" for word in " ".join(GOOD).split()) + "ocelot 19\nseen 20\nthe 20\nby 20\n"
}


def lists(folder: Path, **texts: str) -> dict[str, Any]:
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return {"filter.word_lists": {name: str(folder / f"{name}.txt") for name in texts}}


def scored(folder: Path, cases: list[Case], **plan: Any) -> dict[str, Any]:
    return changes(folder / "told", cases, plan)


def safe(*texts: str, **more: Any) -> list[Case]:
    return [Case(text, heads={"unsafe": 0.4}, **more) for text in texts]


def test_cc12m(tmp_path: Path) -> None:
    cases = [
        *safe(*GOOD),
        *safe("a dog seen by the boat", image=picture(50, 1002, 401)),
        Case("the red dog on the green grass", "caption_source", attribute="title"),
        Case("der rote Hund auf dem grünen Rasen im Garten", "language"),
        Case("a dog", "min_words"),
        Case("the red dog " * 90, "max_words"),
        Case("the of with on", "has_noun"),
        Case("two blue cars near old boat", "has_determiner"),
        Case("the dog the dog on the grass", "repeated_words"),
        Case("an ocelot on the grass", "known_words"),
        Case("the green garden near a street", "original_format", image=picture(51, kind="PNG")),
        Case("the old street at night", "min_side", image=picture(52, 400, 900)),
        Case("the blue garden at night", "max_aspect", image=picture(53, 1003, 401)),
        Case("the small red garden at night", "max_unsafe_score", heads={"unsafe": 0.6}),
    ]
    changes = {**lists(tmp_path, wikipedia=LISTS["wikipedia"]), **scored(tmp_path, cases)}
    check(play("cc12m", cases, tmp_path, changes), cases)


def test_align(tmp_path: Path) -> None:
    twice = [case for text in GOOD for case in safe(text, text)]  # a word that stands once would be rare
    crowd = [
        Case("image of the product page", "caption_of_many_images", url=f"http://a.test/p{i}.jpg", image=b"-")
        for i in range(11)
    ]
    many = [
        Case(f"a photo number {i} of the same", "image_of_many_captions", url="http://a.test/m.jpg", image=b"-")
        for i in range(1001)
    ]
    long = "the red dog on the green grass of a garden near the old harbour at night in the rain with two cars"
    unsafe = "the red dog of a garden"
    cases = [
        *twice,
        *crowd,
        *many,
        *[Case("der rote Hund auf dem grünen Rasen im Garten", "language")] * 1,
        Case("the red dog on the green grass of a garden", "caption_source", attribute="title"),
        Case("the red zyzzyva on the green grass of a garden", "rare_ngram"),
        *[Case("the dog", "min_words", url=f"http://a.test/s{i}.jpg") for i in range(2)],
        *[Case(long, "max_words", url=f"http://a.test/l{i}.jpg") for i in range(2)],
        Case(GOOD[0], "min_side", image=picture(2001, 200, 400)),
        Case(GOOD[0], "max_aspect", image=picture(2002, 630, 210)),
        *[Case(unsafe, "max_unsafe_score", heads={"unsafe": 0.6}, image=picture(2003 + i)) for i in range(2)],
        Case(GOOD[1], "eval_imagenet_image", image=picture(3000), heads={"unsafe": 0.1}),
    ]
    changes = {
        "frequency.frequent_ngrams": 1000,
        "decontaminate.sets": [evaluation(tmp_path / "imagenet", picture(3000))],
        "decontaminate.size": 289,
        **scored(tmp_path, cases, size=289),
    }
    check(play("align-1.8b", cases, tmp_path, changes), cases)


def evaluation(folder: Path, *images: bytes) -> str:
    """An evaluation set of images."""
    folder.mkdir()
    for number, image in enumerate(images):
        (folder / f"{number}.jpg").write_bytes(image)
    return str(folder)


def test_laion_400m(tmp_path: Path) -> None:
    flat = picture(60, 40, 40)
    texts = [text + " with a friendly neighbour" for text in GOOD]
    cases = [
        Case(texts[0], clip=0.35),
        Case(texts[1], clip=0.301),
        Case(texts[2], "min_clip_score", clip=0.29),
        Case(texts[0] + " of old", "caption_source", attribute="title"),
        Case("another dog that plays outside in the snow", "url_extension_not", url="http://a.test/x.webp"),
        Case("a picture that the page itself holds", "data_url", url="data:image/gif;base64,R0lGODlhAQABAAAAACw="),
        Case("boat", "min_characters"),
        Case("zwei Hunde spielen draußen vor dem Haus im Schnee", "reliable_language"),
        Case("xq zv", "reliable_language"),
        Case("The dog that plays outside in the snow.", "duplicate_url", url="http://a.test/d.jpg", image=picture(8)),
        Case("the dog that plays outside in the snow", url="http://a.test/d.jpg", clip=0.5, image=picture(8)),
        Case("the cat that sleeps inside of the house", "too_few_bytes", image=flat),
        Case("a very large poster of the whole mountain", "image_too_large", image=_bomb()),
        Case("the moving image of a dancing bear", "original_format", image=picture(61, kind="GIF")),
    ]
    ran = play("laion-400m", cases, tmp_path, scored(tmp_path, cases))
    assert ran.dropped == expected(cases)
    assert sorted(caption.lower().rstrip(".") for caption in ran.captions) == survivors(cases)


def _bomb() -> bytes:
    """A PNG that says of itself that it has a pixel more than the bound."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 9460, 9459, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(6000)) + chunk(b"IEND", b"")


def test_laion_5b(tmp_path: Path) -> None:
    german = ["der rote Hund auf dem grünen Rasen im Garten", "ein kleines Boot im alten Hafen bei Nacht"]
    cases = [
        Case(GOOD[0], clip=0.285),
        Case(GOOD[1], "min_clip_score", clip=0.27),
        Case(german[0], clip=0.27),
        Case(german[1], "min_clip_score", clip=0.25),
        Case("12 30 45", clip=0.27),
        Case("Hund", "min_characters"),
        Case(GOOD[2], "caption_source", attribute="title"),
        Case("a street in the rain", "duplicate_url", url="http://a.test/d.jpg", image=picture(8)),
        Case("two blue cars on a street in the rain", url="http://a.test/d.jpg", image=picture(8), clip=0.9),
        Case("the cat that sleeps inside of the house", "too_few_bytes", image=picture(60, 40, 40)),
        Case("a very large poster of the whole mountain", "image_too_large", image=_bomb_of(9461, 9461)),
    ]
    check(play("laion-5b", cases, tmp_path, scored(tmp_path, cases)), cases)


def _bomb_of(width: int, height: int) -> bytes:
    whole = bytearray(_bomb())
    whole[16:24] = struct.pack(">II", width, height)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    return bytes(whole)


def test_coyo(tmp_path: Path) -> None:
    same = picture(70)
    cases = [
        *safe(*GOOD),
        Case("the red dog in a garden", "caption_source", attribute="title"),
        Case("der rote Hund auf dem grünen Rasen im Garten", "language"),
        Case("I a m", "min_characters"),
        Case("the old boat " + "x" * 1000, "max_characters"),
        Case("garden dog", "min_words"),
        Case("a dog " * 140, "max_words"),
        Case("the of with on", "has_noun"),
        Case("a darned boat in the harbour", "no_words_of"),
        *[
            Case("the page of our new shop", "caption_of_many_pairs", url=f"http://a.test/p{i}.jpg", image=b"-")
            for i in range(11)
        ],
        Case("the cat that sleeps inside of the house", "too_few_bytes", image=picture(60, 200, 200, "WEBP")[:4000]),
        Case("a narrow garden in the night", "image_too_small", image=picture(71, 199, 400)),
        Case("a wide garden in the night", "image_aspect", image=picture(72, 601, 200)),
        Case("the small red garden at night", "max_unsafe_score", heads={"unsafe": 0.6}),
        *safe("a cat in the old harbour", image=same),
        Case("A cat, in the old harbour", "duplicate_image", image=same, heads={"unsafe": 0.4}),
        Case("another dog in the benchmark", "eval_coco_image", image=picture(3000), heads={"unsafe": 0.1}),
    ]
    begun = [Case(f"Thumbnail for {case.caption}", heads=case.heads) for case in safe("the garden in spring")]
    changes = {
        **lists(tmp_path, profanity="darned\n"),
        **scored(tmp_path, [*cases, *begun]),
        "decontaminate.sets": [evaluation(tmp_path / "coco", picture(3000))],
    }
    ran = play("coyo-700m", [*cases, *begun], tmp_path, changes)
    assert ran.dropped == expected(cases)
    cat = {"a cat in the old harbour", "A cat, in the old harbour"} & set(ran.captions)
    assert len(cat) == 1
    assert sorted({*ran.captions} - cat) == sorted([*GOOD, "the garden in spring"])


def test_redcaps(tmp_path: Path) -> None:
    def post(subreddit: str = "cats", score: int = 2, **more: Any) -> dict[str, Any]:
        return {"permalink": f"/r/{subreddit}/comments/1/", "score": score, **more}

    hosts = iter(range(100))

    def case(caption: str, why: str = "", host: str = "i.redd.it", **more: Any) -> Case:
        row = more.pop("row", post())
        return Case(caption, why, url=f"http://{host}/{next(hosts)}.jpg", row=row, **more)

    heads = {"unsafe": 0.2, "face": 0.2}
    cases = [
        case("My Cat [OC] (4032x3024) by @some.one", heads=heads),
        case("Café 😺 at night", heads={"unsafe": 0.9, "face": 0.8}, host="live.staticflickr.com", row=post("DIY", 7)),
        case("a cat that few liked", "where_score", row=post(score=1)),
        case("a cat that is not for all", "where_over_18", row=post(over_18=True)),
        case("a cat elsewhere", "host", host="images.a.test"),
        case("a cat in the news", "subreddit", row=post("news")),
        case("[OC]", "no_caption"),
        case("a darned cat", "no_words_of"),
        case("an unsafe cat", "max_unsafe_score", heads={"unsafe": 0.92}),
        case("a cat and its owner", "max_face_score", heads={"face": 0.9}),
    ]
    plan = {"size": 512, "mode": "keep_ratio_largest"}
    changes = {**lists(tmp_path, blocklist="darned\n"), **scored(tmp_path, cases, **plan)}
    ran = play("redcaps", cases, tmp_path, changes)
    assert ran.dropped == expected(cases)
    assert ran.captions == ["cafe at night", "my cat by <usr>"]


def test_metaclip(tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("dog\nboat\nNASA\nstreet\n")
    views = tmp_path / "views.gz"
    views.write_bytes(gzip.compress(b"en Rain 90 0\nen Snow 40 0\nde Regen 900 0\n"))
    same = picture(7)
    cases = [
        *safe(*GOOD),
        *safe("nobody was out in the Rain today, and so it was quiet"),
        Case("a red boat in a green garden", "caption_source", attribute="title"),
        Case("der rote Hund auf dem grünen Rasen im dog Garten", "language"),
        Case("a Dog of the nasa in a garden", "no_query"),
        Case("the dog in the water of the lake", url="http://a.test/d.jpg", image=same, heads={"unsafe": 0.1}),
        Case("The dog in the water of the lake!", "duplicate_url", url="http://a.test/d.jpg", image=same),
        Case("a dog under the table in the kitchen", "duplicate_image", image=same, heads={"unsafe": 0.1}),
        Case("a small dog of the shop window", "max_unsafe_score", heads={"unsafe": 0.6}),
        Case("another street in the benchmark", "eval_imagenet_image", image=picture(3000), heads={"unsafe": 0.1}),
    ]
    changes = {
        "queries.wikipedia": [], "queries.lists": [str(queries)], "queries.pageviews": [str(views)],
        "queries.synsets": False, "queries.numbers": 0,
        "decontaminate.sets": [evaluation(tmp_path / "imagenet", picture(3000))],
        **scored(tmp_path, cases),
    }  # fmt: skip
    ran = play("metaclip-400m", cases, tmp_path, changes)
    assert ran.dropped == expected(cases)
    assert len(ran.captions) == len(survivors(cases))
