"""The open elements of a page while its bytes are passed over (HTML standard, section 13.2.4.2).

Kept are those that can hold an image's figure, picture or link, or end one; formatting elements, paragraphs and what
holds nothing are not. A link is no element of the stack: like a formatting element it lasts until `</a>`, over the ends
of the blocks around it, but not over the end of a table cell.

state    the numbers that change, then a row for each open element: its name, its traits, what to go back to at its end
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from witbuild.text.kernels import inlined, inner
from witbuild.web import elements

if TYPE_CHECKING:
    from witbuild.web.markup import Page

MAX_DEPTH: Final = 512
"""Open elements that are told apart, as many as browsers keep; deeper ones are counted."""
COLUMNS: Final = 6
"""Of an event: its kind, then those below."""
FIRST, LAST = 1, 2
"""Its values: from, to."""
LINKED, HELD, PICTURED = 3, 4, 5
"""Of an image, a source or a link: the events of the link, figure and picture around it, or -1."""
LICENSING = 5
"""Of a link: 1 when it may name a licence."""
START, STOP, OUTER = 3, 4, 5
"""Of a figure: where its caption begins and ends, or -1, and the figure around it. Of a script: its text."""
DEPTH, OVER, LINK_NOW, LINK_DEPTH, AROUND, FIGURE_NOW, PICTURE_NOW, TEMPLATES, EVENTS, VALUES, IMAGES, DOUBT = range(12)
AGENT, TABLES, SELECTS = range(12, 15)
"""The numbers that change: elements on the stack and beyond it; of the open link its event, if it has one, and how many
elements were open before it; the link around its table cell; ...; what is given; open tables and selects."""
_FIRST, _ROW = 16, 8
_TRAITS, _SAVED, _SAVED_DEPTH, _SAVED_AROUND = 1, 2, 3, 4
STATE_SIZE: Final = _FIRST + _ROW * MAX_DEPTH


@inner
def start(page: Page) -> None:
    """Empty the stack."""
    for place in range(_FIRST):
        page.state[place] = -1 if LINK_NOW <= place <= PICTURE_NOW else 0


@inlined
def push(page: Page, key: int, traits: int, event: int, place: int) -> None:
    """Open an element; `event` is that of a figure or picture, `place` where its content begins."""
    state, kind = page.state, traits & elements.KIND
    if state[DEPTH] == MAX_DEPTH:
        state[OVER] += 1
        return
    at = _FIRST + _ROW * state[DEPTH]
    state[DEPTH] += 1
    state[at], state[at + _TRAITS] = key, traits
    if kind == elements.ORDINARY and traits & elements.MARKER == 0:
        return
    state[TABLES] += kind == elements.TABLE
    state[SELECTS] += kind == elements.SELECT
    if traits & elements.MARKER != 0:
        state[at + _SAVED], state[at + _SAVED_DEPTH] = state[LINK_NOW], state[LINK_DEPTH]
        state[at + _SAVED_AROUND] = state[AROUND]
        if state[LINK_NOW] >= 0:
            state[AROUND] = state[LINK_NOW]
        state[LINK_NOW] = state[LINK_DEPTH] = -1
        state[TEMPLATES] += kind == elements.TEMPLATE
    elif kind in (elements.FIGURE, elements.PICTURE):
        which = FIGURE_NOW if kind == elements.FIGURE else PICTURE_NOW
        state[at + _SAVED] = state[which]
        if event >= 0:
            state[which] = event
    elif kind == elements.FIGCAPTION:
        state[at + _SAVED] = state[FIGURE_NOW] if state[TEMPLATES] == 0 else -1
        state[at + _SAVED_AROUND] = place
        _caption(page, state[at + _SAVED], place, -1)


@inner
def _caption(page: Page, figure: int, begin: int, stop: int) -> None:
    """Note where a caption begins, for every figure around it that has none yet, or where it ends."""
    events = page.events
    while figure >= 0:
        row = COLUMNS * figure
        if stop < 0:
            if events[row + START] < 0:
                events[row + START] = begin
        elif events[row + START] == begin:
            events[row + STOP] = stop
        figure = events[row + OUTER]


@inner
def close(page: Page, depth: int, place: int) -> None:
    """End the elements above a depth, if there is one; `place` is where the tag that ends them begins."""
    state = page.state
    if depth < 0:
        return
    state[OVER] = 0
    while state[DEPTH] > depth:
        state[DEPTH] -= 1
        at = _FIRST + _ROW * state[DEPTH]
        traits = state[at + _TRAITS]
        kind = traits & elements.KIND
        state[TABLES] -= kind == elements.TABLE
        state[SELECTS] -= kind == elements.SELECT
        if traits & elements.MARKER != 0:
            state[LINK_NOW], state[LINK_DEPTH] = state[at + _SAVED], state[at + _SAVED_DEPTH]
            state[AROUND] = state[at + _SAVED_AROUND]
            state[TEMPLATES] -= kind == elements.TEMPLATE
        elif kind == elements.FIGURE:
            state[FIGURE_NOW] = state[at + _SAVED]
        elif kind == elements.PICTURE:
            state[PICTURE_NOW] = state[at + _SAVED]
        elif kind == elements.FIGCAPTION:
            _caption(page, state[at + _SAVED], state[at + _SAVED_AROUND], place)


@inlined
def close_ordinary(page: Page, key: int, traits: int) -> bool:
    """End an element that holds nothing of interest by its own end tag, if it is the innermost; say whether it was."""
    state = page.state
    at = _FIRST + _ROW * (state[DEPTH] - 1)
    if state[DEPTH] == 0 or state[OVER] > 0 or state[at] != key or state[at + _TRAITS] != traits:
        return False
    if traits & (elements.KIND | elements.MARKER) != elements.ORDINARY:
        return False
    state[DEPTH] -= 1
    return True


@inlined
def _traits(page: Page, depth: int) -> int:
    return page.state[_FIRST + _ROW * depth + _TRAITS]


@inner
def find_open(page: Page, key: int, traits: int) -> int:
    """Return the depth of the element that an end tag ends, or -1 when it ends none."""
    stops = (elements.BOUNDARY if traits & elements.SCOPED != 0 else elements.SPECIAL) | (
        elements.LIST if traits & elements.KIND == elements.LI else 0
    )
    for depth in range(page.state[DEPTH] - 1, -1, -1):
        found = _traits(page, depth)
        if page.state[_FIRST + _ROW * depth] == key and found & elements.FOREIGN == 0:
            return depth
        if found & stops != 0:
            return -1
    return -1


@inner
def find_kind(page: Page, kind: int) -> int:
    """Return the depth of the innermost open table or template, within the template around it, or -1."""
    for depth in range(page.state[DEPTH] - 1, -1, -1):
        found = _traits(page, depth) & elements.KIND
        if found == kind:
            return depth
        if found == elements.TEMPLATE:
            return -1
    return -1


@inner
def find_foreign(page: Page, key: int) -> int:
    """Return the depth of the element of the SVG or MathML around here that an end tag ends, or -1."""
    depth = page.state[DEPTH] - 1
    while depth >= 0 and _traits(page, depth) & elements.FOREIGN != 0:
        if page.state[_FIRST + _ROW * depth] == key:
            return depth
        depth -= 1
    return -1


@inner
def find_item(page: Page, kind: int) -> int:
    """Return the depth of the list item that a new one ends, or -1."""
    for depth in range(page.state[DEPTH] - 1, -1, -1):
        traits = _traits(page, depth)
        if traits & elements.KIND == kind:
            return depth
        if traits & elements.SPECIAL != 0 and traits & elements.TRANSPARENT == 0:
            return -1
    return -1


@inner
def has_cell(page: Page, table: int) -> bool:
    """Say whether a cell or caption of a table is open."""
    for depth in range(table + 1, page.state[DEPTH]):  # noqa: SIM110 a generator is not compiled
        if _traits(page, depth) & elements.KIND == elements.CELL:
            return True
    return False


@inlined
def top_traits(page: Page) -> int:
    """Return the traits of the innermost open element."""
    depth = page.state[DEPTH]
    return _traits(page, depth - 1) if depth > 0 else 0


@inlined
def in_foreign(page: Page) -> bool:
    """Say whether tags are those of SVG or MathML here."""
    return top_traits(page) & (elements.FOREIGN | elements.INTEGRATES) == elements.FOREIGN


@inner
def leave_foreign(page: Page, place: int) -> None:
    """End the SVG or MathML around here, as far as the next element that holds elements.HTML."""
    while in_foreign(page):
        close(page, page.state[DEPTH] - 1, place)


@inner
def close_link(page: Page, place: int) -> None:
    """End the open link, if there is one, and the elements in it unless a special one is among them."""
    state, depth = page.state, page.state[LINK_DEPTH]
    state[LINK_NOW] = state[LINK_DEPTH] = -1
    special, pictured = False, False
    for above in range(max(0, depth), state[DEPTH] if depth >= 0 else 0):
        special |= _traits(page, above) & elements.SPECIAL != 0
        pictured |= _traits(page, above) & elements.KIND == elements.PICTURE
        state[DOUBT] |= _traits(page, above) & elements.INTEGRATES != 0  # HTML in SVG: the link stays around it
    if special:
        state[DOUBT] |= pictured  # the standard moves the elements about (13.2.6.4.7, adoption agency algorithm)
    elif 0 <= depth < state[DEPTH]:
        close(page, depth, place)


@inner
def close_form(page: Page, depth: int, place: int) -> None:
    """End a form, but not the elements opened in it and not yet ended."""
    if depth == page.state[DEPTH] - 1:
        close(page, depth, place)
    elif depth >= 0:
        page.state[_FIRST + _ROW * depth] = page.state[_FIRST + _ROW * depth + _TRAITS] = 0
