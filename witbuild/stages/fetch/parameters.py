"""What there is to choose about a fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from witbuild.stage import Stage, digested, runtime

if TYPE_CHECKING:
    from witbuild.image.plan import Plan
    from witbuild.stages.fetch.decoding import Limits
    from witbuild.stages.fetch.make import Make
    from witbuild.web.settings import Settings

SHARDS = 16


class Cut(Stage):
    """What every step of fetch knows."""

    shards: int = Field(0, ge=0, le=65_536)
    """Tasks to cut the work into, by registered domain; 0: sixteen."""

    @property
    def slices(self) -> int:
        """How many tasks there are."""
        return self.shards or SHARDS


class Fetching(Cut):
    """What a download knows."""

    user_agent: str = ""
    """What the fetcher calls itself, with a contact, such as `mybot/1.0 (+https://example.org/bot)`; must be given."""
    respect: Literal["strict", "robots", "none"] = "strict"
    """What is obeyed: strict: robots.txt and every opt-out of page or server; robots: robots.txt; none: own servers."""
    resize: Literal["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"] = "keep_ratio"
    """How an image is fitted: its shorter side (keep_ratio, center_crop) or longer side becomes `size`."""
    size: int = Field(256, ge=1, le=32_767)
    """Pixels of the side that `resize` speaks of."""
    upscale: bool = False
    """Make images larger that are smaller than `size`; without it they stay as they are, uncropped, unbordered."""
    format: Literal["jpg", "webp", "png"] = "jpg"
    """What images are stored as."""
    quality: int = Field(90, ge=1, le=100)
    """Of the encoder; of no meaning to png."""
    oversample: float = Field(6.0, ge=1)
    """An unusual JPEG is decoded at half its size or less if that leaves so many times the pixels needed."""
    avif: bool = False
    """Take AVIF too; it is stored re-encoded."""
    keep_original: bool = False
    """Store the body as it was served, untouched, metadata included; a GIF or an AVIF is re-encoded all the same."""
    keep_metadata: bool = False
    """Let Exif, XMP and colour profile survive re-encoding; places and names of people may be in them."""
    min_bytes: int = Field(0, ge=0)
    """Drop bodies of fewer bytes."""
    max_bytes: int = Field(20_000_000, ge=1)
    """Drop bodies of more bytes; they are not read to their end."""
    min_side: int = Field(0, ge=0)
    """Drop images whose shorter side is of fewer pixels."""
    max_aspect: float = Field(0.0, ge=0)
    """Drop images that are longer than so many times their shorter side; 0: none."""
    max_pixels: int = Field(64_000_000, ge=1)
    """Drop images of more pixels, before they are decoded."""
    require_hash: bool = False
    """Drop images that are not the bytes whose hash the list carries."""
    block_hosts: tuple[str, ...] = ()
    """Hosts and domains of which nothing is fetched, nor of what lies below them."""
    block_hosts_file: str = digested("")
    """More of them, one a line; lines of a hosts file (`0.0.0.0 a.test`) and comments with # will do."""
    block_hashes: str = digested("")
    """File of SHA-256 or MD5 hashes of bodies, hex, one a line, that are never decoded nor stored."""
    max_per_domain: int = Field(0, ge=0)
    """Most images of a registered domain, which all lie in one task: a giant delays no other; 0: all."""
    decode: bool = True
    """Decode and store what comes; without, bodies are thrown away, to find a bottleneck."""
    sink: Literal["tar", "none"] = "tar"
    """Where images go; none: they are made and thrown away, to find a bottleneck."""
    ports: tuple[int, ...] = (80, 443, 8080, 8443)
    """Ports that a URL may name."""
    allow_private: bool = False
    """Fetch from loopback and private addresses too, for tests and intranets."""
    max_redirects: int = Field(5, ge=0)
    """Redirects that are followed, each checked like a URL of its own."""
    timeout_seconds: float = runtime(30.0, gt=0)
    """Most seconds on the wire for an image, its redirects and retries; waiting for a polite moment is free."""
    retries: int = runtime(2, ge=0)
    """Further attempts after 429, 5xx, a reset or a short body."""
    backoff_seconds: float = runtime(1.0, ge=0)
    """Pause before the first further attempt; doubled each time."""
    give_up_after: int = runtime(32, ge=0)
    """Failures of a host in a row (half as many if it never answered) after which it is left alone; 0: never."""
    give_up_after_timeouts: int = runtime(4, ge=0)
    """Timeouts in a row (half as many if it never answered) after which it is left alone; 0: never."""
    connections: int = runtime(256, ge=1)
    """Requests on the wire at once, of a task; never more than the machine keeps up with."""
    per_host: int = runtime(2, ge=1)
    """Requests at once to a host."""
    max_hosts: int = runtime(2_000, ge=1)
    """Hosts that are worked on at once; no more are begun than keep the wire busy."""
    delay_seconds: float = runtime(0.0, ge=0)
    """Pause from request to request of a host; longer where robots.txt asks for it."""
    max_delay_seconds: float = runtime(60.0, ge=0)
    """Longest pause that robots.txt or Retry-After may ask for; a host that asks for more is not asked again."""
    decode_processes: int = runtime(2, ge=1)
    """Processes that decode and encode, of a task."""
    decode_seconds: float = runtime(30.0, gt=0)
    """CPU seconds after which the decoding of an image is ended; it is dropped, and its body kept in quarantine."""
    decode_memory_bytes: int = runtime(1_500_000_000, ge=64_000_000)
    """Memory that the decoding of an image may take; beyond it is dropped, and its body kept in quarantine."""
    resolve: dict[str, str] = runtime({})
    """Host -> `address:port` to connect to instead of what its name says."""
    http2: bool = runtime(False)  # noqa: FBT003 - a default
    """Speak HTTP/2 with https servers that do: many images on a connection; needs the extra http2."""
    proxy: str = runtime("")
    """`http://host:port` through which every request goes; nothing else is connected to then."""
    hours: str = runtime("")
    """Of the day, local time, in which requests start, such as `22:00-06:00`; empty: all."""
    bandwidth_limit: float = runtime(0.0, ge=0)
    """Most megabytes a second that bodies come at, of a task, on average; 0: no bound."""
    revalidate: str = runtime("")
    """An earlier run whose images are asked for again by their ETag or Last-Modified; what did not change is kept."""

    @property
    def stores(self) -> bool:
        """Whether images are stored."""
        return self.decode and self.sink == "tar"

    def blocked_hosts(self) -> frozenset[str]:
        """Return the blocked hosts of the parameter and of the file."""
        from witbuild.web.blocked import hosts

        return hosts(self.block_hosts, self.block_hosts_file)

    def blocked_hashes(self) -> frozenset[str]:
        """Return the blocked hashes, lower-case hex."""
        from witbuild.web.blocked import hashes

        return hashes(self.block_hashes)

    def check(self) -> None:
        """Raise, before any work, what a task would raise: no contact, too few open files, what cannot be read."""
        from witbuild.web.descriptors import room

        self.check_contact()
        room(self.connections)
        self.blocked_hosts()
        self.blocked_hashes()
        if self.hours:
            from witbuild.web.pace import parse_hours

            parse_hours(self.hours)
        if self.proxy:
            from witbuild.web.proxy import Proxy

            Proxy(self.proxy)
        if self.http2:
            from witbuild.web.secure import library

            library(self.proxy)

    def check_contact(self) -> None:
        """Raise PolicyError when the user agent names nobody to write to."""
        from witbuild.web.settings import check_user_agent

        check_user_agent(self.user_agent)

    def settings(self) -> Settings:
        """Return the client's settings."""
        from witbuild.web.settings import Settings

        same = set(Settings.__slots__) & set(type(self).model_fields) - {"ports", "block_hosts"}
        values = {name: getattr(self, name) for name in same}
        return Settings(
            ports=frozenset(self.ports),
            block_hosts=self.blocked_hosts(),
            robots=self.respect != "none",
            notices=self.respect == "strict",
            bytes_per_second=self.bandwidth_limit * 1e6,
            **values,
        )

    def make(self) -> Make:
        """Return what a decoding process does with a body; RecipeError when it cannot be done here."""
        from witbuild.errors import RecipeError
        from witbuild.image.decode import knows_avif
        from witbuild.stages.fetch.make import Make

        if self.avif and not knows_avif():
            raise RecipeError("fetch.avif: the Pillow that is installed cannot decode AVIF; take one of PyPI's wheels")
        return Make(self.image_plan(), md5=self.require_hash)

    def decode_limits(self) -> Limits:
        """Return what the decoding of an image may cost."""
        from witbuild.stages.fetch.decoding import Limits

        return Limits(seconds=self.decode_seconds, memory_bytes=self.decode_memory_bytes)

    def image_plan(self) -> Plan:
        """Return what is to be made of each image."""
        from witbuild.image.plan import Plan

        same = set(Plan.__slots__) & set(type(self).model_fields)
        values = {name: getattr(self, name) for name in same}
        return Plan(mode=self.resize, extension=self.format, **values)
