"""The demo's scenes and captions: a grammar over things that can be seen, with a head and a long tail.

    caption := opening? things on a BACKGROUND background
    things  := a SIZE? TEXTURE? COLOUR SHAPE PLACE?
             | NUMBER TEXTURE? COLOUR SHAPEs
             | a COLOUR SHAPE RELATION a COLOUR SHAPE

Colour and shape stand side by side, and some of their combinations are *held out*: no caption and no picture of the
crawled world has them, so that naming them in a picture is composition, not memory. Every draw is a keyed hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from witbuild.demo.dice import Dice, zipf
from witbuild.demo.vocabulary import (
    COLOURS,
    HEAD_BACKGROUNDS,
    NUMBERS,
    OPENINGS,
    PLACES,
    RELATIONS,
    SHAPES,
    SIZES,
    TAIL_BACKGROUNDS,
    TEXTURES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

HELD_OUT_PER_COLOUR = 4
_CONTRAST = 90.0
_PLAIN = 0.45
"""Of the scenes of the head, one thing in the middle and nothing more to say of it."""
_PLURALS = {"cross": "crosses"}


@dataclass(frozen=True, slots=True)
class Thing:
    """A shape on the canvas; centre and radius are fractions of its sides and of its shorter side, turn in degrees."""

    shape: str
    colour: str
    texture: str
    x: float
    y: float
    radius: float
    turn: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows, and the caption that says so."""

    things: tuple[Thing, ...]
    background: str
    caption: str


@lru_cache(maxsize=8)
def held_out(seed: int) -> tuple[tuple[str, str], ...]:
    """Return the (colour, shape) combinations that the crawled world lacks: four a colour, four a shape.

    Example:
        >>> pairs = held_out(0)
        >>> len(pairs), len({colour for colour, _ in pairs}), len({shape for _, shape in pairs})
        (40, 10, 10)
    """
    dice = Dice(seed, "held out")
    colours, shapes = dice.shuffle(list(COLOURS)), dice.shuffle(SHAPES)
    size = len(shapes)
    rows = [(colour, shapes[(i + j) % size]) for i, colour in enumerate(colours) for j in range(HELD_OUT_PER_COLOUR)]
    return tuple(sorted(rows))


def article(words: str) -> str:
    """Return words with their article.

    Example:
        >>> article("orange arrow"), article("red ring")
        ('an orange arrow', 'a red ring')
    """
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def plural(shape: str) -> str:
    """Return the plural of a shape's name."""
    return _PLURALS.get(shape, f"{shape}s")


def seen_combination(seed: int, dice: Dice, steepness: float = 1) -> tuple[str, str]:
    """Draw a (colour, shape) that the crawled world may have, by Zipf's law on both."""
    closed, weights = set(held_out(seed)), zipf(len(COLOURS), steepness)
    while True:
        drawn = dice.pick(list(COLOURS), weights), dice.pick(SHAPES, weights)
        if drawn not in closed:
            return drawn


def crawled_scene(seed: int, dice: Dice, *, tail: bool) -> Scene:
    """Draw a scene of the crawled world; with `tail`, on a background that is rare."""
    if not tail and dice.unit() < _PLAIN:
        return _plain_scene(dice, *seen_combination(seed, dice, steepness=2))
    kind = dice.pick((_single, _many, _related), (0.7, 0.15, 0.15))
    things, words = kind(seed, dice)
    background = _background(dice, things, tail=tail)
    opening = dice.pick(OPENINGS, (0.7, 0.1, 0.1, 0.1))
    return Scene(things, background, f"{opening}{words} on {article(background)} background")


def _plain_scene(dice: Dice, colour: str, shape: str) -> Scene:
    """Draw one thing in the middle, in the words that most would use: the head of the head."""
    thing = Thing(shape, colour, "", _near(dice, 0.5), _near(dice, 0.5), dice.between(*SIZES[""]), _turn(dice))
    background = _background(dice, (thing,), tail=False)
    return Scene((thing,), background, f"{article(f'{colour} {shape}')} on {article(background)} background")


def held_out_scene(dice: Dice, colour: str, shape: str) -> Scene:
    """Draw a scene of one thing, of a combination to evaluate on."""
    thing, words = _one(dice, colour, shape)
    background = _background(dice, (thing,), tail=False)
    return Scene((thing,), background, f"{words} on {article(background)} background")


def reword(caption: str) -> str:
    """Change one word of a caption.

    Example:
        >>> reword("a red ring on a white background")
        'a red ring on a white backdrop'
    """
    return caption.removesuffix("background") + "backdrop"


def _background(dice: Dice, things: Sequence[Thing], *, tail: bool) -> str:
    """Draw a background on which every thing can be told apart."""
    options = TAIL_BACKGROUNDS if tail else HEAD_BACKGROUNDS
    clear = [name for name in options if all(_distance(options[name], COLOURS[t.colour]) > _CONTRAST for t in things)]
    return dice.pick(clear, None if tail else zipf(len(clear)))


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True))) ** 0.5


def _single(seed: int, dice: Dice) -> tuple[tuple[Thing, ...], str]:
    thing, words = _one(dice, *seen_combination(seed, dice))
    return (thing,), words


def _one(dice: Dice, colour: str, shape: str) -> tuple[Thing, str]:
    size, texture = dice.pick(list(SIZES), (1, 2, 1)), dice.pick(TEXTURES, (3, 1, 1))
    place = dice.pick(list(PLACES), (6, 1, 1, 1, 1)) if size != "large" else ""
    x, y = PLACES[place]
    thing = Thing(shape, colour, texture, _near(dice, x), _near(dice, y), dice.between(*SIZES[size]), _turn(dice))
    words = " ".join(word for word in (size, texture, colour, shape) if word)
    return thing, f"{article(words)} {place}".rstrip()


def _many(seed: int, dice: Dice) -> tuple[tuple[Thing, ...], str]:
    """Draw two to five things of one kind in the cells of a grid."""
    colour, shape = seen_combination(seed, dice)
    number, texture = dice.pick(range(len(NUMBERS)), zipf(len(NUMBERS))), dice.pick(TEXTURES, (3, 1, 1))
    cells = dice.shuffle([(x, y) for x in (0.2, 0.5, 0.8) for y in (0.25, 0.75)])[: number + 2]
    things = tuple(
        Thing(
            shape,
            colour,
            texture,
            _near(dice, x, 0.03),
            _near(dice, y, 0.05),
            dice.between(0.12, 0.15),
            _turn(dice),
        )
        for x, y in cells
    )
    return things, " ".join(word for word in (NUMBERS[number], texture, colour, plural(shape)) if word)


def _related(seed: int, dice: Dice) -> tuple[tuple[Thing, ...], str]:
    """Draw two things, one beside the other."""
    relation = dice.pick(list(RELATIONS))
    (dx, dy), things, names = RELATIONS[relation], [], []
    for sign in (1, -1):
        colour, shape = seen_combination(seed, dice)
        x, y = _near(dice, 0.5 + sign * dx * 0.25, 0.04), _near(dice, 0.5 + sign * dy * 0.25, 0.04)
        things.append(Thing(shape, colour, "", x, y, dice.between(0.15, 0.2), _turn(dice)))
        names.append(article(f"{colour} {shape}"))
    return tuple(things), f"{names[0]} {relation} {names[1]}"


def _near(dice: Dice, value: float, spread: float = 0.08) -> float:
    return value + dice.between(-spread, spread)


def _turn(dice: Dice) -> float:
    return dice.between(-15, 15)
