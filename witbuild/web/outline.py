"""One pass over a page's bytes: its images, what stands around them, and the tags that speak of rights.

Not a tree, but its outline: tags are read by the rules of the HTML standard's tokenizer, and of its tree construction
(section 13.2.6) as much is followed as decides which link, figure and picture an image lies in.

events   kind, first and last of its values, and three numbers more: see witbuild.web.opened      int32
values   attribute, start, stop: where the value of an attribute stands                          int32
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from witbuild.text.kernels import inlined, inner, kernel
from witbuild.web import elements, markup, opened
from witbuild.web.markup import Page
from witbuild.web.page import MAX_IMAGES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from witbuild.web.elements import Numbers

    Rows = npt.NDArray[np.int32]

_READ: Final = (
    1 << elements.A
    | 1 << elements.BASE
    | 1 << elements.HTML
    | 1 << elements.IMG
    | 1 << elements.LINK
    | 1 << elements.META
    | 1 << elements.SCRIPT
    | 1 << elements.SOURCE
)
_TITLE, _HREF, _REL, _CONTENT, _TYPE = (
    elements.ATTRIBUTES.index(one) for one in ("title", "href", "rel", "content", "type")
)
_SRCSET, _LAST_SRCSET, _PROPERTY, _META_NAME, _LANG, _XML_LANG = (
    elements.ATTRIBUTES.index(one) for one in ("srcset", "data-lazy-srcset", "property", "name", "lang", "xml:lang")
)
_ANNOTATION, _MATH, _P, _BR = (elements.name_hash(one) for one in ("annotation-xml", "math", "p", "br"))
_JSON_LD, _LICENSE, _COMMONS, _WWW = (
    elements.name_hash(one) for one in ("application/ld+json", "license", "creativecommons.org/", "www.")
)
_LICENSE_LENGTH, _COMMONS_LENGTH, _WWW_LENGTH = len("license"), len("creativecommons.org/"), len("www.")
_QUESTION, _C, _W = (ord(char) for char in "?cw")


def lead(name: str) -> int:
    """Return the number that a name in ASCII begins with, in small letters; 0 where it has fewer than two.

    Example:
        >>> lead("RObots") == lead("rogue"), lead("")
        (True, 0)
    """
    return (ord(name[0]) | 32) << 8 | ord(name[1]) | 32 if len(name) > 1 else 0


_OG, _RO, _TD, _CO = (lead(one) for one in ("og:image", "robots", "tdm-reservation", "content-usage"))


@kernel
def outline(  # noqa: PLR0913, PLR0917 arrays, each of its own kind
    data: npt.NDArray[np.uint8],
    known: Numbers,
    blank: npt.NDArray[np.uint8],
    state: Numbers,
    events: Rows,
    values: Rows,
    agent: int,
) -> int:
    """Pass over a page.

    Args:
        data: bytes of the page in UTF-8, uint8.
        known: witbuild.web.elements.KNOWN.
        blank: witbuild.web.markup.BLANK.
        state: int64 of shape (STATE_SIZE,); in the end it says how many events, values and images there are, and
            whether the outline is in doubt, so that a tree must be built.
        events: int32 of shape (n, COLUMNS), written.
        values: int32 of shape (m, 3), written.
        agent: `lead` of the crawler's product token: meta tags of such names are told too.

    Returns:
        Where the scan ended: before the end of the page when `events` or `values` are full.
    """
    page = Page(
        markup.pointer(data),
        data.size,
        markup.pointer(known),
        markup.pointer(blank),
        markup.pointer(state),
        markup.pointer(events),
        markup.pointer(values),
    )
    most_events, most_values = len(events) - 1, len(values) - len(elements.ATTRIBUTES)
    opened.start(page)
    state[opened.AGENT] = agent
    place = markup.find(page, 0, markup.LESS)
    while place + 1 < page.size and state[opened.DOUBT] == 0:
        if state[opened.EVENTS] > most_events or state[opened.VALUES] > most_values:
            return place
        second = page.data[place + 1]
        if markup.is_letter(second):
            place = _start_tag(page, place)
        elif second == markup.SLASH and place + 2 < page.size and markup.is_letter(page.data[place + 2]):
            place = _end_tag(page, place)
        elif second in (markup.SLASH, markup.BANG, _QUESTION):
            place = markup.after_markup(page, place, opened.top_traits(page) & elements.FOREIGN != 0)
        else:
            place += 1
        place = markup.find(page, place, markup.LESS)
    opened.close(page, 0, page.size)
    return page.size


@inlined
def _start_tag(page: Page, begin: int) -> int:
    """Read a start tag, and the raw text that it opens; return the place after it."""
    state = page.state
    key, place = markup.name(page, begin + 1)
    traits = elements.traits_of(page.known, key)
    if traits & elements.BREAKS_OUT != 0:
        opened.leave_foreign(page, begin)
    kind, first = traits & elements.KIND, state[opened.VALUES]
    foreign = opened.in_foreign(page)
    wanted = _READ >> kind & 1 != 0 and state[opened.TEMPLATES] == 0
    place, last, closed = markup.rest_of_tag(page, place, first, wanted)
    if place < 0:
        return page.size
    if kind == elements.ORDINARY and not foreign:
        state[opened.DOUBT] |= _breaks_picture(page, key, traits)
        if traits & elements.UNKEPT == 0:
            opened.push(page, key, traits, -1, place)
        return place
    if foreign:
        state[opened.DOUBT] |= key == _ANNOTATION or (wanted and _told(page, kind, first, last) > 0)
        if not closed:
            _push_foreign(page, key, opened.top_traits(page) & elements.MATH, place)
        return place
    event = _event(page, begin, key, traits, first, last)
    return _open(page, begin, place, key, traits, event, closed)


@inner
def _event(page: Page, begin: int, key: int, traits: int, first: int, last: int) -> int:  # noqa: PLR0913, PLR0917
    """Note what a tag tells; return its event, or -1 when it tells nothing."""
    state, kind = page.state, traits & elements.KIND
    _doubt(page, key, traits)
    if kind == elements.A:
        opened.close_link(page, begin)
    told = _told(page, kind, first, last) if state[opened.TEMPLATES] == 0 else 0
    event = _add(page, kind, first, last, told) if told > 0 else -1
    if kind == elements.A:
        state[opened.LINK_NOW], state[opened.LINK_DEPTH] = event, state[opened.DEPTH]
    return event


@inner
def _open(  # noqa: PLR0913, PLR0917
    page: Page,
    begin: int,
    place: int,
    key: int,
    traits: int,
    event: int,
    closed: bool,  # noqa: FBT001
) -> int:
    """Open an element of HTML; return the place after its tag, or after the raw text in it."""
    kind = traits & elements.KIND
    if elements.SCRIPT <= kind <= elements.PLAINTEXT:
        return _raw(page, place, key, kind, event)
    if kind == elements.FOREIGN_ROOT:
        if not closed:
            _push_foreign(page, key, elements.MATH if key == _MATH else 0, place)
    elif _end_before(page, key, kind, begin) and traits & elements.UNKEPT == 0:
        opened.push(page, key, traits, event, place)
    return place


@inner
def _push_foreign(page: Page, key: int, math: int, place: int) -> None:
    holds = elements.INTEGRATES | elements.BOUNDARY if elements.holds_html(page.known, key, math != 0) else 0
    opened.push(page, key, elements.FOREIGN | math | holds, -1, place)


@inner
def _doubt(page: Page, key: int, traits: int) -> None:
    """Leave pages to a tree in which the standard puts elements elsewhere than they stand: out of tables, selects."""
    kind = traits & elements.KIND
    if kind in (elements.FRAMESET, elements.IMAGE):
        page.state[opened.DOUBT] = 1
    elif page.state[opened.TABLES] > 0 and kind in (elements.IMG, elements.A, elements.PICTURE, elements.FIGURE):
        table = opened.find_kind(page, elements.TABLE)
        page.state[opened.DOUBT] |= table >= 0 and not opened.has_cell(page, table)
    if page.state[opened.SELECTS] > 0 and kind in (elements.A, elements.SELECT):
        page.state[opened.DOUBT] |= opened.find_kind(page, elements.SELECT) >= 0
    page.state[opened.DOUBT] |= _breaks_picture(page, key, traits)


@inner
def _breaks_picture(page: Page, key: int, traits: int) -> bool:
    """Say whether an element may end what holds the open picture."""
    return page.state[opened.PICTURE_NOW] >= 0 and (key == _P or traits & elements.SPECIAL != 0)


@inner
def _told(page: Page, kind: int, first: int, last: int) -> int:
    """Return whether a tag tells anything, 0 or 1; 2 when it may name a licence. Images beyond the bound do not."""
    if kind == elements.IMG:
        page.state[opened.IMAGES] += 1
        return page.state[opened.IMAGES] <= MAX_IMAGES
    if kind in (elements.FIGURE, elements.PICTURE):
        return 1
    told, described = 0, kind != elements.META
    for value in range(3 * first, 3 * last, 3):
        attribute, begin, stop = page.values[value], page.values[value + 1], page.values[value + 2]
        described |= attribute == _CONTENT
        told = max(told, _tells(page, kind, attribute, begin, stop))
    return told if described else 0


@inner
def _tells(page: Page, kind: int, attribute: int, begin: int, stop: int) -> int:
    """Return whether an attribute makes its tag worth telling, as `_told` does."""
    told = False
    if kind == elements.META:
        told = attribute in (_PROPERTY, _META_NAME) and _may_tell(page, begin, stop)
    elif kind == elements.SOURCE:
        told = _SRCSET <= attribute <= _LAST_SRCSET and page.state[opened.PICTURE_NOW] >= 0
    elif kind == elements.SCRIPT:
        told = attribute == _TYPE and markup.hash_of(page, begin, stop) == _JSON_LD
    elif kind == elements.HTML:
        told = attribute in (_LANG, _XML_LANG)
    elif attribute == _REL:
        return 2 * (kind != elements.BASE and markup.holds_name(page, begin, stop, _LICENSE, _LICENSE_LENGTH))
    elif attribute == _HREF and kind == elements.A:
        return 2 * _names_commons(page, begin, stop)
    else:
        told = (attribute == _HREF and kind == elements.BASE) or (
            attribute == _TITLE and kind == elements.A and stop > begin
        )
    return int(told)


@inner
def _names_commons(page: Page, begin: int, stop: int) -> bool:
    """Say whether an address may be one of creativecommons.org: its host stands after its first slashes."""
    host = markup.find(page, begin, markup.SLASH) + 2
    if host >= stop or page.data[host - 1] != markup.SLASH:
        return False
    if page.data[host] | 32 == _W and markup.hash_of(page, host, min(host + _WWW_LENGTH, stop)) == _WWW:
        host += _WWW_LENGTH
    if host + _COMMONS_LENGTH > stop or page.data[host] | 32 != _C:
        return False
    return markup.hash_of(page, host, host + _COMMONS_LENGTH) == _COMMONS


@inner
def _may_tell(page: Page, begin: int, stop: int) -> bool:
    """Say whether a meta tag's name may be one that says something; blanks and entities come before some."""
    if stop - begin < 2 or not markup.is_letter(page.data[begin]):
        return True
    found = (page.data[begin] | 32) << 8 | page.data[begin + 1] | 32
    return found in (_OG, _RO, _TD, _CO) or found == page.state[opened.AGENT]


@inner
def _add(page: Page, kind: int, first: int, last: int, told: int) -> int:
    """Append an event; return its number."""
    state, events, number = page.state, page.events, page.state[opened.EVENTS]
    state[opened.EVENTS], state[opened.VALUES] = number + 1, last
    row = opened.COLUMNS * number
    events[row], events[row + opened.FIRST], events[row + opened.LAST] = kind, first, last
    if kind == elements.FIGURE:
        events[row + opened.START], events[row + opened.STOP], events[row + opened.OUTER] = (
            -1,
            -1,
            state[opened.FIGURE_NOW],
        )
        return number
    inner_link = state[opened.LINK_NOW] >= 0 and kind != elements.A
    events[row + opened.LINKED] = state[opened.LINK_NOW] if inner_link else state[opened.AROUND]
    events[row + opened.HELD], events[row + opened.PICTURED] = state[opened.FIGURE_NOW], state[opened.PICTURE_NOW]
    if kind in (elements.A, elements.LINK):
        events[row + opened.LICENSING] = told - 1
    return number


@inner
def _raw(page: Page, place: int, key: int, kind: int, event: int) -> int:
    """Return where the raw text that a tag opens ends."""
    if kind == elements.PLAINTEXT:
        return page.size
    stop = markup.end_of_script(page, place) if kind == elements.SCRIPT else markup.end_of_raw(page, place, key)
    if event >= 0:
        row = opened.COLUMNS * event
        page.events[row + opened.START], page.events[row + opened.STOP] = place, stop
    return stop


@inner
def _end_before(page: Page, key: int, kind: int, place: int) -> bool:
    """End the elements that a start tag ends; say whether it opens one (no cell without table, no form in a form)."""
    if kind in (elements.LI, elements.DD):
        opened.close(page, opened.find_item(page, kind), place)
    elif kind == elements.BUTTON:
        opened.close(page, opened.find_open(page, key, elements.traits_of(page.known, key)), place)
    elif kind == elements.FORM:
        return opened.find_kind(page, elements.FORM) < 0
    elif elements.TABLE <= kind <= elements.COLUMN:
        table = opened.find_kind(page, elements.TABLE)
        if table < 0:
            return kind == elements.TABLE
        if kind != elements.TABLE:
            opened.close(page, table + 1, place)
        elif not opened.has_cell(page, table):
            opened.close(page, table, place)
    return True


@inlined
def _end_tag(page: Page, begin: int) -> int:
    """Read an end tag; return the place after it."""
    key, place = markup.name(page, begin + 2)
    place, _, _ = markup.rest_of_tag(page, place, 0, False)  # noqa: FBT003
    if place < 0:
        return page.size
    traits = elements.traits_of(page.known, key)
    if not opened.close_ordinary(page, key, traits):
        _close(page, begin, key, traits)
    return place


@inner
def _close(page: Page, begin: int, key: int, traits: int) -> None:
    """Do what an end tag asks for."""
    state, kind, depth = page.state, traits & elements.KIND, opened.find_foreign(page, key)
    if depth < 0 and opened.in_foreign(page) and traits & elements.UNKEPT != 0:
        state[opened.DOUBT] |= key not in (_P, _BR)
        opened.leave_foreign(page, begin)
    elif depth >= 0:
        opened.close(page, depth, begin)
    elif kind == elements.A:
        if state[opened.LINK_NOW] >= 0 or state[opened.AROUND] >= 0 or state[opened.LINK_DEPTH] >= 0:
            _doubt(page, key, traits)
        opened.close_link(page, begin)
    elif kind == elements.ROW:
        table = opened.find_kind(page, elements.TABLE)
        opened.close(page, table + 1 if table >= 0 else -1, begin)
    elif traits & elements.UNKEPT == 0 and state[opened.OVER] > 0:
        state[opened.OVER] -= 1
    elif kind == elements.FORM:
        opened.close_form(page, opened.find_open(page, key, traits), begin)
    elif traits & elements.UNKEPT == 0:
        table_like = kind in (elements.TABLE, elements.TEMPLATE)
        opened.close(page, opened.find_kind(page, kind) if table_like else opened.find_open(page, key, traits), begin)
