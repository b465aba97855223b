"""The columns of the published URL lists.

laion      LAION-400M, LAION-5B, Re-LAION: parquet
datacomp   DataComp, CommonPool: parquet
coyo       COYO-700M: parquet
cc3m       Conceptual Captions: caption TAB url, no header
cc12m      Conceptual 12M: url TAB caption, no header
sbu        SBU Captions: one JSON object of two lists
redcaps    RedCaps: one JSON object with `annotations`; also Reddit's submissions in JSON lines
yfcc15m    the subset of YFCC100M that CLIP used, in JSON lines
wit        Google's Wikipedia-based Image Text, which has CLIP's data set's name and is another one: TSV
auto       any list whose columns have one of the usual names
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where a list keeps what; of several names the first that the list has, whatever its case, counts.

    Attributes:
        url: of the image.
        captions: each that is there gives a candidate.
        header: the columns' names when the list itself has none.
        others: column of the pairs table -> names.
        page_base: what a page's address is relative to.
    """

    url: tuple[str, ...]
    captions: tuple[str, ...]
    header: tuple[str, ...] = ()
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)
    page_base: str = ""


OTHERS = {
    "width": ("width", "original_width"),
    "height": ("height", "original_height"),
    "licence": ("license", "licence", "license_url", "licenseurl"),
    "attribution": ("attribution", "credit", "creator", "author", "artist"),
    "language": ("language", "lang"),
    "page_url": ("page_url", "pageurl"),
    "expected_sha256": ("sha256",),
    "expected_md5": ("md5",),
    "clip_score": ("clip_score", "similarity", "clip_similarity_vitb32", "clip_b32_similarity_score"),
    "unsafe_score": ("unsafe_score", "punsafe", "nsfw_score_opennsfw2"),
    "watermark_score": ("watermark_score", "pwatermark"),
    "aesthetic_score": ("aesthetic_score", "aesthetic", "aesthetic_score_laion_v2"),
    "face_score": ("face_score",),
}
"""Columns that any list may have."""

PRESETS = {
    "auto": Columns(
        url=("url", "image_url", "image", "img_url", "src"),
        captions=("caption", "text", "alt", "alt_text"),
        others=OTHERS,
    ),
    "laion": Columns(url=("url",), captions=("text", "caption"), others=OTHERS),
    "datacomp": Columns(
        url=("url",),
        captions=("text",),
        others={
            **OTHERS,
            "width": ("original_width",),
            "height": ("original_height",),
            "clip_score": ("clip_l14_similarity_score",),  # what DataComp-1B is cut by
        },
    ),
    "coyo": Columns(url=("url",), captions=("text",), others=OTHERS),
    "cc3m": Columns(url=("url",), captions=("caption",), header=("caption", "url")),
    "cc12m": Columns(url=("url",), captions=("caption",), header=("url", "caption")),
    "sbu": Columns(url=("image_urls",), captions=("captions",)),
    "redcaps": Columns(
        url=("url", "image_url"),
        captions=("raw_caption", "caption", "title"),
        others={"page_url": ("permalink",), "attribution": ("author",)},
        page_base="https://www.reddit.com/",
    ),
    "yfcc15m": Columns(
        url=("downloadurl", "photo_url", "url"),
        captions=("title", "description"),
        others={
            "licence": ("licenseurl", "licensename"),
            "attribution": ("unickname", "uname", "username"),
            "page_url": ("pageurl",),
        },
    ),
    "wit": Columns(
        url=("image_url",),
        captions=("caption_reference_description", "caption_attribution_description", "caption_alt_text_description"),
        others=OTHERS,
    ),
}
"""Name of a list -> its columns."""
