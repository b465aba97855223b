"""Every rule of `filter`, by name, with the type of its argument."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from witbuild.io import tables
from witbuild.stages.filter import captions, grammar, languages, origins, scores, sizes, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Mask = npt.NDArray[np.bool_]
"""One bool a pair: whether it is kept."""


class Rule(NamedTuple):
    """A rule: `keep` gives the mask, `argument` is the type of what stands after its name.

    `fill` completes the table before the rule is asked, where it needs what is not known yet. A pair whose column
    `needs` is null cannot be shown to pass: it is dropped for `no_` and the column's name. `listed` says that the
    argument names word lists.
    """

    keep: Callable[[pa.Table, Any], Mask]
    argument: Any
    fill: Callable[[pa.Table, Any], pa.Table] | None = None
    needs: str = ""
    listed: bool = False

    def apply(self, name: str, table: pa.Table, argument: Any) -> tuple[pa.Table, dict[str, int]]:
        """Return the pairs that pass, and reason -> the number of the others."""
        rows, dropped = table.num_rows, {}
        if self.needs:
            table = tables.filtered(table, pc.is_valid(table[self.needs]))
            dropped[f"no_{self.needs}"] = rows - table.num_rows
            rows = table.num_rows
        table = self.fill(table, argument) if self.fill else table
        table = tables.filtered(table, pa.array(self.keep(table, argument)))
        return table, {**dropped, name: rows - table.num_rows}

    def with_paths(self, argument: Any, paths: Mapping[str, str]) -> Any:
        """Return the argument with the paths of word lists in place of their names.

        Raises:
            ValueError: there is no list of such a name.
        """
        if not self.listed:
            return argument
        for name in argument:
            if name not in paths:
                raise ValueError(f"no word list {name!r}; name its file: `word_lists: {{{name}: PATH}}`")
        if isinstance(argument, list):
            return [paths[name] for name in argument]
        return {paths[name]: value for name, value in argument.items()}

    def doc(self) -> str:
        """Return the sentence that says what passes."""
        return (self.keep.__doc__ or "").partition("\n")[0]


def _linear(pattern: str) -> str:
    """Refuse what RE2, which takes linear time, does not know."""
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(f"not a regular expression of RE2: {error}") from error
    return pattern


Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[list[Annotated[str, StringConstraints(min_length=1)]], Field(min_length=1)]
Extensions = Annotated[list[Annotated[str, StringConstraints(pattern="^[A-Za-z0-9]+$")]], Field(min_length=1)]
Pattern = Annotated[str, AfterValidator(_linear)]
On = Literal[True]
Cosine = Annotated[float, Field(ge=-1, le=1)]
Cosines = Cosine | Annotated[dict[str, Cosine], Field(min_length=1)]
Formats = Annotated[list[Literal["jpg", "png", "webp", "gif", "avif"]], Field(min_length=1)]
Counts = Annotated[dict[str, Count], Field(min_length=1)]

RULES: dict[str, Rule] = {
    "min_characters": Rule(captions.min_characters, Count),
    "max_characters": Rule(captions.max_characters, Count),
    "min_words": Rule(captions.min_words, Count),
    "max_words": Rule(captions.max_words, Count),
    "repeated_words": Rule(captions.repeated_words, Share),
    "has_noun": Rule(grammar.has_noun, On),
    "has_determiner": Rule(grammar.has_determiner, On),
    "caption_not_url": Rule(captions.caption_not_url, On),
    "caption_not_filename": Rule(captions.caption_not_filename, On),
    "caption_matches": Rule(captions.caption_matches, Pattern),
    "caption_not_matches": Rule(captions.caption_not_matches, Pattern),
    "caption_source": Rule(captions.caption_source, Words),
    "language": Rule(languages.language, Words, languages.with_languages),
    "reliable_language": Rule(languages.reliable_language, Words),
    "known_words": Rule(words.known_words, Counts, listed=True),
    "no_words_of": Rule(words.no_words_of, Words, listed=True),
    "url_scheme": Rule(origins.url_scheme, Extensions),
    "url_extension": Rule(origins.url_extension, Extensions),
    "url_extension_not": Rule(origins.url_extension_not, Extensions),
    "host": Rule(origins.host, Words),
    "host_not": Rule(origins.host_not, Words),
    "page_matches": Rule(origins.page_matches, Pattern),
    "subreddit": Rule(origins.subreddit, Words),
    "licence": Rule(origins.licence, Words),
    "no_opt_out": Rule(origins.no_opt_out, Words),
    "min_side": Rule(sizes.min_side, Count),
    "max_aspect": Rule(sizes.max_aspect, Annotated[float, Field(ge=1)]),
    "max_pixels": Rule(sizes.max_pixels, Count),
    "min_bytes": Rule(sizes.min_bytes, Count),
    "original_format": Rule(sizes.original_format, Formats),
    "min_clip_score": Rule(scores.min_clip_score, Cosines, scores.languages_for, needs="clip_score"),
    "max_unsafe_score": Rule(scores.max_unsafe_score, Share, needs="unsafe_score"),
    "max_watermark_score": Rule(scores.max_watermark_score, Share, needs="watermark_score"),
    "min_aesthetic_score": Rule(scores.min_aesthetic_score, float, needs="aesthetic_score"),
    "max_face_score": Rule(scores.max_face_score, Share, needs="face_score"),
}
"""Name of a rule, which is also the reason of its drops -> the rule."""


def checked(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule, as a recipe writes it, with its argument checked.

    Example:
        >>> checked({"min_words": "3"})
        {'min_words': 3}
        >>> checked({"min_word": 3})
        Traceback (most recent call last):
        ...
        ValueError: unknown rule 'min_word'; did you mean 'min_words'? Known: min_characters, max_characters, ...
    """
    if len(rule) != 1:
        raise ValueError(
            f"a rule is one name with its argument, such as `min_words: 3`; found {len(rule)} names: {rule}"
        )
    ((name, argument),) = rule.items()
    if name not in RULES:
        close = difflib.get_close_matches(str(name), RULES, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown rule {name!r}; {hint}Known: {', '.join(RULES)}")
    try:
        return {name: TypeAdapter(RULES[name].argument).validate_python(argument)}
    except ValidationError as error:
        raise ValueError(f"rule {name!r}: {error.errors()[0]['msg']}, found {argument!r}") from error
