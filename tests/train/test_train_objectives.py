"""The objectives: equal to plain references in float64 and to open_clip's; they learn a few pairs by heart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from torch import Tensor

torch = pytest.importorskip("torch")
open_clip_loss = pytest.importorskip("open_clip.loss")
pytestmark = pytest.mark.train

from torch.nn import functional  # noqa: E402

from tests.train import pictures, quick  # noqa: E402
from witbuild.train import objectives  # noqa: E402
from witbuild.train.batch import Batch  # noqa: E402
from witbuild.train.captions import Captions, tokenise  # noqa: E402
from witbuild.train.loss import contrastive_loss  # noqa: E402
from witbuild.train.model import architecture, build, normalised  # noqa: E402
from witbuild.train.objectives.contrastive import caption_numbers, group_numbers  # noqa: E402
from witbuild.train.objectives.sigmoid import sigmoid_loss  # noqa: E402
from witbuild.train.shelf import indexed  # noqa: E402
from witbuild.train.step import Encoder, Gradients  # noqa: E402
from witbuild.train.towers import BagOfWords  # noqa: E402
from witbuild.train.vocabulary import lengths  # noqa: E402
from witbuild.train.world import ALONE, World  # noqa: E402

torch.set_num_threads(1)
TEXTS = ["a red disc on paper", "a blue square", "two green discs", "a blue square", "yellow"]
SPEC: dict[str, Any] = {"dtype": torch.float64}

SIGMOID: Any = sigmoid_loss
CONTRASTIVE: Any = contrastive_loss


def unit(batch: int, dim: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(batch, dim, generator=generator, **SPEC), dim=-1)


def leaves(*values: Tensor, dtype: Any) -> Any:
    return [value.to(dtype).clone().requires_grad_() for value in values]


def slopes(loss: Tensor, of: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(loss, of))


# ---- contrastive


@pytest.mark.parametrize(("batch", "tile"), [(2, 4096), (48, 48), (50, 7)])
@pytest.mark.parametrize(("scale", "bias"), [(10.0, -10.0), (40.0, -2.5)])
def test_siglip_equals_open_clips(batch: int, tile: int, scale: float, bias: float) -> None:
    values = unit(batch, 16, 0), unit(batch, 16, 1), torch.tensor(scale, **SPEC), torch.tensor(bias, **SPEC)
    ours, theirs, exact = (leaves(*values, dtype=dtype) for dtype in (torch.float32, torch.float32, torch.float64))
    peer = open_clip_loss.SigLipLoss()
    mine, loss, truth = SIGMOID(*ours, tile), peer(*theirs), peer(*exact)
    assert mine.item() == pytest.approx(loss.item(), rel=1e-5, abs=1e-5)
    assert mine.item() == pytest.approx(truth.item(), rel=1e-5, abs=1e-5)
    for own, other, right in zip(slopes(mine, ours), slopes(loss, theirs), slopes(truth, exact), strict=True):
        torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(own.double(), right, atol=1e-5, rtol=1e-4)


def test_siglip_agrees_in_float64_to_the_last_digits() -> None:
    values = unit(30, 8, 0), unit(30, 8, 1), torch.tensor(20.0, **SPEC), torch.tensor(-5.0, **SPEC)
    ours, theirs = leaves(*values, dtype=torch.float64), leaves(*values, dtype=torch.float64)
    mine, loss = SIGMOID(*ours, 11), open_clip_loss.SigLipLoss()(*theirs)
    for own, other in zip(slopes(3 * mine, ours), slopes(3 * loss, theirs), strict=True):
        torch.testing.assert_close(own, other, atol=1e-12, rtol=1e-10)


def test_siglip_of_halves_is_near_the_exact_one_and_its_scalars_stay_single() -> None:
    scalars = torch.tensor(20.0, **SPEC), torch.tensor(-5.0, **SPEC)
    exact = leaves(unit(40, 16, 0), unit(40, 16, 1), *scalars, dtype=torch.float64)
    halves = leaves(*exact[:2], dtype=torch.bfloat16) + leaves(*scalars, dtype=torch.float32)
    mine, truth = SIGMOID(*halves, 16), SIGMOID(*exact)
    assert mine.item() == pytest.approx(truth.item(), rel=5e-3)
    found = slopes(mine, halves)
    assert [slope.dtype for slope in found] == [torch.bfloat16, torch.bfloat16, torch.float32, torch.float32]
    for own, right in zip(found, slopes(truth, exact), strict=True):
        assert (own.double() - right).norm() < 2e-2 * right.norm()


@dataclass(frozen=True)
class OneOf(World):
    """One of several processes whose rows are all known here; what is gathered is looked up."""

    wholes: tuple[Tensor, ...] = ()

    def gathered(self, rows: Tensor) -> Tensor:
        each = len(rows)
        return next(w for w in self.wholes if torch.equal(w[self.rank * each : (self.rank + 1) * each], rows))

    def scattered(self, rows: Tensor) -> Tensor:
        return rows.chunk(self.size)[self.rank]


def test_the_shares_of_siglip_add_up() -> None:
    images, texts = unit(12, 8, 0), unit(12, 8, 1)
    scale, bias = leaves(torch.tensor(9.0), torch.tensor(-4.0), dtype=torch.float64)
    whole = SIGMOID(images, texts, scale, bias)
    shares = [
        SIGMOID(images[r * 4 : r * 4 + 4], texts[r * 4 : r * 4 + 4], scale, bias, 3, OneOf(r, 3, (texts,)))
        for r in range(3)
    ]
    assert sum(share.item() for share in shares) == pytest.approx(whole.item(), rel=1e-12)
    found = [sum(s) for s in zip(*(slopes(share, [scale, bias]) for share in shares), strict=True)]
    torch.testing.assert_close(found, slopes(whole, [scale, bias]))


def plain_directions(images: Tensor, texts: Tensor, scale: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropies against a target of any shape, written down as the papers do."""
    logits = scale * images @ texts.T
    rows = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    columns = -(target * logits.log_softmax(dim=0)).sum(dim=0).mean()
    return rows, columns


PLAIN: Any = plain_directions


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_the_directions_are_weighed_as_in_convirt(weight: float) -> None:
    values = unit(40, 8, 0), unit(40, 8, 1), torch.tensor(12.0, **SPEC)
    ours, theirs = leaves(*values, dtype=torch.float64), leaves(*values, dtype=torch.float64)
    rows, columns = PLAIN(*theirs, torch.eye(40, **SPEC))
    mine, reference = CONTRASTIVE(*ours, 9, image_weight=weight), weight * rows + (1 - weight) * columns
    assert mine.item() == pytest.approx(reference.item(), rel=1e-12)
    for own, right in zip(slopes(mine, ours), slopes(reference, theirs), strict=True):
        torch.testing.assert_close(own, right, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("tile", [5, 4096])
def test_unicl_equals_its_formula(tile: int) -> None:
    values = unit(30, 8, 0), unit(30, 8, 1), torch.tensor(12.0, **SPEC)
    ours, theirs = leaves(*values, dtype=torch.float64), leaves(*values, dtype=torch.float64)
    groups = torch.randint(0, 9, (30,), generator=torch.Generator().manual_seed(2))
    same = (groups[:, None] == groups).double()
    rows, columns = PLAIN(*theirs, same / same.sum(dim=1, keepdim=True))
    mine, reference = CONTRASTIVE(*ours, tile, groups=groups), (rows + columns) / 2
    assert mine.item() == pytest.approx(reference.item(), rel=1e-12)
    for own, right in zip(slopes(mine, ours), slopes(reference, theirs), strict=True):
        torch.testing.assert_close(own, right, atol=1e-12, rtol=1e-9)


def test_unicl_is_clip_where_no_caption_comes_twice() -> None:
    values = unit(20, 8, 0), unit(20, 8, 1), torch.tensor(12.0, **SPEC)
    assert torch.equal(CONTRASTIVE(*values, groups=torch.arange(20)), CONTRASTIVE(*values))


def test_equal_captions_are_one_group_however_long_the_batch() -> None:
    captions = tokenise(TEXTS, 32)
    short, long = (torch.from_numpy(captions.batch(range(5), length)) for length in (None, 32))
    found = caption_numbers(short)
    assert torch.equal(found, caption_numbers(long))
    assert found[1] == found[3]
    assert len(set(found.tolist())) == 4


def test_pairs_of_one_label_are_one_group_whatever_their_captions(tmp_path: Path) -> None:
    red, json = pictures.picture("red disc", np.random.default_rng(0)), b'{"cls": 4, "caption": "unseen"}'
    samples = [
        {"jpg": red, "txt": b"a wren", "cls": b"bird"},
        {"jpg": red, "txt": b"a heron", "cls": b"bird"},
        {"jpg": red, "txt": b"a heron"},
        {"jpg": red, "txt": b"a heron", "json": b"{"},
        {"jpg": red, "txt": b"a truck", "json": json},
        {"jpg": red, "txt": b"a van", "cls": b"4"},
        {"txt": b"no image", "cls": b"bird"},
    ]
    tar = pictures.tar(tmp_path / "a.tar", samples)
    index = indexed([tar], tmp_path / "index", context_length=32, label_key="cls")
    assert index.labels is not None
    labels = torch.from_numpy(np.array(index.labels))
    tokens = torch.from_numpy(index.captions.batch(np.arange(6)))
    batch = Batch(torch.zeros(6, 1), tokens, lengths(tokens), labels)
    numbers = group_numbers(batch).tolist()
    groups = [numbers.index(number) for number in numbers]
    assert groups == [0, 0, 2, 2, 4, 4]
    assert torch.cat([piece.labels for piece in batch.pieces(4)]).tolist() == labels.tolist()
    assert indexed([tar], tmp_path / "index", context_length=32).labels is None
    unlabelled = Batch(batch.pixels, tokens, batch.lengths)
    assert len(set(group_numbers(unlabelled).tolist())) == 4


# ---- predictive


def model_of(name: str, vocabulary: int = 40, seed: int = 0, dtype: Any = torch.float32) -> tuple[Any, Captions]:
    config = objectives.configured(architecture("tiny", 32), name, vocabulary)
    model = build(config, seed).to(dtype)
    captions = tokenise(TEXTS, 32)
    objectives.prepare(model, captions)
    return model, captions


def plain_words(seen: Tensor, head: Any, tokens: Tensor) -> Tensor:
    """Joulin et al.'s loss, a caption and a word at a time."""
    scores = head.words(seen).log_softmax(dim=-1)
    ids, total = head.vocabulary.ids.tolist(), []
    for row, text in zip(scores, tokens.tolist(), strict=True):
        words = {ids.index(word) for word in text[1 : text.index(49407)] if word in ids}
        if words:
            total.append(-sum(row[word] for word in words) / len(words))
    return torch.stack(total).mean()


@pytest.mark.parametrize("vocabulary", [6, 40])
def test_bow_equals_its_formula(vocabulary: int) -> None:
    model, captions = model_of("bow", vocabulary, dtype=torch.float64)
    tokens, seen = torch.from_numpy(captions.batch(range(5))), torch.randn(5, 128, **SPEC)
    losses, counts = model.head.losses(seen, tokens)
    mine, right = losses.sum() / counts.sum(), plain_words(seen, model.head, tokens)
    assert mine.item() == pytest.approx(right.item(), rel=1e-6)
    weights = list(model.head.parameters())
    for own, other in zip(slopes(mine, weights), slopes(right, weights), strict=True):
        torch.testing.assert_close(own, other, atol=1e-7, rtol=1e-5)


def plain_caption(decoder: Any, head: Any, seen: Tensor, tokens: Tensor) -> tuple[Tensor, int]:
    """The log likelihood of each next word, a caption and a word at a time."""
    total, count = torch.zeros((), **SPEC), 0
    for picture, text in zip(seen, tokens.tolist(), strict=True):
        numbers = head.vocabulary.numbers(torch.tensor(text))
        ends = {49406, 49407}
        length = next(place for place in range(1, len(text)) if text[place] in ends) + 1
        for place in range(1, length):
            state = decoder(head.words(numbers[None, :place]), picture[None])[0, -1]
            if numbers[place] < len(head.vocabulary):
                logits = head.words.weight[: len(head.vocabulary)] @ state
                total, count = total - logits.log_softmax(dim=0)[numbers[place]], count + 1
    return total, count


@pytest.mark.parametrize("vocabulary", [5, 40])
@pytest.mark.parametrize("name", ["caption", "virtex"])
def test_captioning_equals_its_formula(name: str, vocabulary: int) -> None:
    model, captions = model_of(name, vocabulary, dtype=torch.float64)
    head, seen = model.head, torch.randn(5, 4, 64, **SPEC)
    tokens = torch.from_numpy(captions.batch(range(5)))
    backwards = [[49407, *row[1 : row.index(49407)][::-1], 49406] for row in tokens.tolist()]
    turned = torch.tensor([row + [0] * (tokens.shape[1] - len(row)) for row in backwards])
    parts = [plain_caption(head.decoders[0], head, seen, tokens)]
    if name == "virtex":
        parts.append(plain_caption(head.decoders[1], head, seen, turned))
    losses, counts = head.losses(seen, tokens)
    right = sum(part[0] for part in parts) / parts[0][1]
    mine = losses.sum() / counts.sum()
    assert int(counts.sum()) == parts[0][1]
    assert mine.item() == pytest.approx(right.item(), rel=1e-6)
    weights = [head.words.weight, *head.decoders.parameters()]
    for own, other in zip(slopes(mine, weights), slopes(right, weights), strict=True):
        torch.testing.assert_close(own, other, atol=1e-6, rtol=1e-4)


def test_captioning_equals_open_clips_coca_loss() -> None:
    """On the same logits; theirs leaves out id 0, so 0 stands for padding there."""
    model, captions = model_of("caption", 40)
    head, seen = model.head, torch.randn(5, 4, 64)
    tokens = torch.from_numpy(captions.batch(range(5)))
    numbers = head.vocabulary.numbers(tokens)
    logits = head.decoders[0](head.words(numbers[:, :-1]), seen) @ head.words.weight[:-1].T
    padded = torch.cat([torch.full_like(logits[:, :, :1], -1e9), logits], dim=2)
    places = torch.arange(1, tokens.shape[1])
    labels = torch.where(places <= (tokens == 49407).int().argmax(dim=1)[:, None], numbers[:, 1:] + 1, 0)
    theirs = open_clip_loss.CoCaLoss(caption_loss_weight=1.0, clip_loss_weight=0.0)
    _, expected = theirs(torch.zeros(5, 2), torch.zeros(5, 2), padded, labels, torch.tensor(1.0))
    losses, counts = head.losses(seen, tokens)
    assert (losses.sum() / counts.sum()).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["caption", "virtex", "bow"])
def test_padding_changes_nothing(name: str) -> None:
    model, captions = model_of(name)
    short, long = (torch.from_numpy(captions.batch(range(5), length)) for length in (None, 32))
    seen = torch.randn(5, 128) if name == "bow" else torch.randn(5, 4, 64)
    for one, other in zip(model.head.losses(seen, short), model.head.losses(seen, long), strict=True):
        torch.testing.assert_close(one, other)


def test_a_text_of_unknown_words_is_as_likely_as_chance() -> None:
    model, _ = model_of("bow", 6)
    tokens = torch.from_numpy(tokenise(["zebra crossing", "", "a disc"], 32).batch(range(3)))
    found = model.head.likelihoods(torch.randn(4, 128), tokens)
    assert found[:, :2].tolist() == [[pytest.approx(-float(np.log(6)))] * 2] * 4
    assert len(set(found[:, 2].tolist())) == 4
    losses, counts = model.head.losses(torch.randn(3, 128), tokens)
    assert losses[:2].tolist() == counts[:2].tolist() == [0, 0] and counts[2] == 1


def test_a_state_depends_on_the_words_before_it_alone() -> None:
    model, captions = model_of("caption")
    tokens = torch.from_numpy(captions.batch(range(5)))
    other = tokens.clone()
    other[:, 3:] = other[:, 3:].flip(0)
    seen, decoder = torch.randn(5, 4, 64), model.head.decoders[0]
    one, two = (decoder(model.head.words(model.head.vocabulary.numbers(t)), seen) for t in (tokens, other))
    torch.testing.assert_close(one[:, :3], two[:, :3])
    assert not torch.allclose(one[:, 3:], two[:, 3:])


def test_the_most_frequent_words_are_predicted() -> None:
    model, _ = model_of("caption", 5)
    words = [tokenise([word], 8).ids[1] for word in ("a", "blue", "square")]
    assert model.head.vocabulary.ids.tolist() == sorted([*words, 49406, 49407])


def test_the_bag_of_words_is_the_mean_of_the_words_of_a_text() -> None:
    tower: Any = BagOfWords(7, width=12).double()
    torch.nn.init.normal_(tower.ln_final.weight)
    torch.nn.init.normal_(tower.ln_final.bias)
    tokens = torch.from_numpy(tokenise([*TEXTS, ""], 32).batch(range(6)))
    plain = []
    for row in tokens.tolist():
        words = [tower.token_embedding.weight[word] for word in row[1 : row.index(49407)]]
        mean = sum(words) / len(words) if words else torch.zeros(12, **SPEC)
        centred = mean - mean.mean()
        scaled = centred / (centred.square().mean() + 1e-5).sqrt()
        plain.append((scaled * tower.ln_final.weight + tower.ln_final.bias) @ tower.text_projection)
    expected = torch.stack(plain)
    torch.testing.assert_close(tower(tokens), expected)
    wider = torch.nn.functional.pad(tokens, (0, 9))
    torch.testing.assert_close(tower(wider), expected)
    for own, right in zip(
        slopes(tower(tokens).square().sum(), list(tower.parameters())),
        slopes(expected.square().sum(), list(tower.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(own, right)


# ---- all of them


def batch_of(count: int) -> tuple[Batch, list[str]]:
    return quick.batch_of([pictures.CLASSES[i % 8] for i in range(count)])


def stepper(name: str, model: Any) -> Gradients:
    goal = objectives.OBJECTIVES[name](0.5)
    return Gradients(Encoder(model, goal), goal, ALONE)


@pytest.mark.parametrize("name", objectives.OBJECTIVES)
def test_a_few_pairs_are_learned_by_heart(name: str) -> None:
    batch, texts = batch_of(8)
    model, _ = model_of(name, 60)
    objectives.prepare(model, tokenise(texts, 32))
    step = stepper(name, model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0, fused=True)
    losses = []
    for _ in range(50):
        optimiser.zero_grad()
        losses.append(step.add([batch]).item())
        optimiser.step()
    # of a caption with five words, each must be named: ln 5
    least = float(np.log(5)) if name == "bow" else 0.0
    assert losses[-1] - least < 0.12 * (losses[0] - least)
    pixels = normalised(batch.pixels)
    with torch.no_grad():
        if name in objectives.PREDICTIVE:
            scores = model.head.likelihoods(model.see(pixels), batch.tokens)
        else:
            scores = model.encode_image(pixels, normalize=True) @ model.encode_text(batch.tokens, normalize=True).T
    assert scores.argmax(dim=1).tolist() == list(range(8))


@pytest.mark.parametrize("name", objectives.OBJECTIVES)
def test_a_batch_in_pieces_has_the_gradients_of_the_whole(name: str) -> None:
    batch, _ = batch_of(7)
    model, _ = model_of(name, 60)
    step = stepper(name, model.eval())
    loss = step.add([batch])
    whole = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    pieces = list(batch.pieces(3))
    assert step.add(pieces).item() == pytest.approx(loss.item(), rel=1e-5)
    for key, weight in model.named_parameters():
        torch.testing.assert_close(weight.grad, whole[key], atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize("name", ["ViT-B-32", "RN50"])
@pytest.mark.parametrize("goal", ["bow", "virtex"])
def test_open_clips_image_encoders_take_a_head(name: str, goal: str) -> None:
    config = architecture(name)
    config["text_cfg"] |= {"width": 32, "heads": 2, "layers": 1}
    if name == "RN50":
        config["vision_cfg"] |= {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8}
    else:
        config["vision_cfg"] |= {"image_size": 64, "layers": 1, "width": 64}
    model: Any = build(objectives.configured(config, goal, 100), 0)
    tokens = torch.from_numpy(tokenise(["a red disc", "paper"], 77).batch(range(2)))
    pixels = torch.randint(0, 255, (2, 64, 64, 3), dtype=torch.uint8)
    stepper(goal, model).add([Batch(pixels, tokens, lengths(tokens))])
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []
    assert model.encode_image(torch.randn(2, 3, 64, 64)).shape[0] == 2
