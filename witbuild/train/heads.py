"""What predictive objectives put behind the image encoder: a head that says how likely a text is, seen an image.

WordHead       image vector ─ linear ─> log probability of each word
CaptionHead    image grid ─ decoder, read forwards (and backwards) ─> log probability of each next word
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn
from torch.nn import functional

from witbuild.train.decoder import Decoder
from witbuild.train.grids import grid
from witbuild.train.vocabulary import Vocabulary, lengths

if TYPE_CHECKING:
    from torch import Tensor


class Head(Protocol):
    """A head; it is a torch module."""

    vocabulary: Vocabulary

    def see(self, visual: nn.Module, pixels: Tensor) -> Tensor:
        """Return what the head wants of images, rows of B."""

    def losses(self, seen: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair, nats, and how many predictions it is of: two tensors of shape (B,)."""

    def likelihoods(self, seen: Tensor, tokens: Tensor) -> Tensor:
        """Return the log likelihood of each of P texts under each of B images, (B, P)."""


class WordHead(nn.Module):
    """Which words stand in the caption, their order left aside (Joulin et al. 2016, section 3.2).

    The loss of a pair is the cross-entropy of a softmax over the vocabulary against the words of its caption, all
    alike:

        L = - 1/|W| sum over w in W of log p(w | image),    W = {the caption's words}

    their multi-class form, which they found better than one logistic loss a word.
    """

    def __init__(self, dim: int, *, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(vocabulary)
        self.words = nn.Linear(dim, vocabulary)

    def see(self, visual: nn.Module, pixels: Tensor) -> Tensor:
        """Return vectors of images, (B, D)."""
        return visual(pixels)

    def losses(self, seen: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair; one whose caption has no known word has none."""
        wanted = self.contained(tokens)
        count = wanted.sum(dim=1)
        words = functional.log_softmax(self.words(seen).float(), dim=-1)
        return -(words * wanted).sum(dim=1) / count.clamp(min=1), (count > 0).float()

    def likelihoods(self, seen: Tensor, tokens: Tensor) -> Tensor:
        """Return the mean log probability of each text's words; a text without a known word is as likely as chance."""
        wanted = self.contained(tokens)
        count = wanted.sum(dim=1)
        words = functional.log_softmax(self.words(seen).float(), dim=-1)
        return torch.where(count > 0, words @ wanted.T / count.clamp(min=1), -math.log(len(self.vocabulary)))

    def contained(self, tokens: Tensor) -> Tensor:
        """Return 1 for each known word that a text has: float of shape (B, V)."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        inside = (places > 0) & (places < lengths(tokens)[:, None] - 1)
        numbers = torch.where(inside, self.vocabulary.numbers(tokens), len(self.vocabulary))
        out = torch.zeros(len(tokens), len(self.vocabulary) + 1, device=tokens.device)
        return out.scatter_(1, numbers, 1.0)[:, :-1]


class CaptionHead(nn.Module):
    """The caption, word by word: forwards, as CLIP's first attempt (Radford et al. 2021, section 2.3), or both ways.

    Both ways is VirTex (Desai and Johnson 2021, section 3): two decoders over one embedding of words,

        L = - sum over t of log p(c_t | c_1 ... c_t-1, image) - sum over t of log p(c_t | c_t+1 ... c_T, image)

    a mean over the words of a batch. Words outside the vocabulary are read, not predicted.
    """

    def __init__(self, dim: int, *, vocabulary: int, directions: int, width: int, **sizes: int) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(vocabulary)
        self.words = nn.Embedding(vocabulary + 1, width)
        nn.init.normal_(self.words.weight, std=0.02)
        self.grid_projection = nn.Linear(dim, width)
        self.decoders = nn.ModuleList(Decoder(width, **sizes) for _ in range(directions))

    def see(self, visual: nn.Module, pixels: Tensor) -> Tensor:
        """Return a vector a place of images, (B, N, W)."""
        return self.grid_projection(grid(visual, pixels))

    def losses(self, seen: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair, summed over its words and directions, and how many words it has."""
        total, counted, length = seen.new_zeros(len(seen)), seen.new_zeros(len(seen)), lengths(tokens)
        for backwards, decoder in enumerate(self.decoders):
            text = turned(tokens) if backwards else tokens
            loss, known = self._losses(decoder, seen, self.vocabulary.numbers(text), length)
            total, counted = total + loss, known
        return total, counted

    def _losses(self, decoder: nn.Module, seen: Tensor, numbers: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        hidden = decoder(self.words(numbers[:, :-1]), seen)
        logits = (hidden @ self.words.weight[: len(self.vocabulary)].T).float()  # tied, as in VirTex
        wanted = numbers[:, 1:]
        places = torch.arange(1, numbers.shape[1], device=numbers.device)
        known = (places < length[:, None]) & (wanted < len(self.vocabulary))
        target = torch.where(known, wanted, -1)
        losses = functional.cross_entropy(logits.transpose(1, 2), target, ignore_index=-1, reduction="none")
        return losses.sum(dim=1), known.sum(dim=1).float()

    def likelihoods(self, seen: Tensor, tokens: Tensor) -> Tensor:
        """Return the log likelihood of each text's words; in both directions, when there are two."""
        columns = [self.losses(seen, text.repeat(len(seen), 1))[0] for text in tokens]
        return -torch.stack(columns, dim=1)


def turned(tokens: Tensor) -> Tensor:
    """Return texts from their end to their start, padded as before.

    Example:
        >>> turned(torch.tensor([[49406, 5, 6, 49407, 0]])).tolist()
        [[49407, 6, 5, 49406, 0]]
    """
    length = lengths(tokens)[:, None]
    places = torch.arange(tokens.shape[1], device=tokens.device)
    return tokens.gather(1, torch.where(places < length, length - 1 - places, places))


def make_head(dim: int, channels: int, section: dict[str, Any]) -> nn.Module:
    """Return the head that a configuration's `head_cfg` describes.

    Args:
        dim: of image vectors.
        channels: of the grid.
        section: {words: {vocabulary}} or {decoder: {vocabulary, directions, width, layers, heads, context_length}}.
    """
    if words := section.get("words"):
        return WordHead(dim, **words)
    return CaptionHead(channels, **section["decoder"])
