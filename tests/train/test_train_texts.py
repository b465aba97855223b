"""Trimmed texts: features and gradients of the padded ones; the tokeniser: open_clip's ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

from tests.train import small  # noqa: E402
from witbuild.train import texts  # noqa: E402
from witbuild.train.attention import CausalAttention, look_back  # noqa: E402
from witbuild.train.captions import Captions, tokenise  # noqa: E402
from witbuild.train.model import build  # noqa: E402

TEXT = small.CONFIG["text_cfg"]
CUSTOM = {"embed_dim": 16, "vision_cfg": {"image_size": 32, "plain_conv": {"width": 4}}, "text_cfg": TEXT}
CASES = {
    "CLIP": small.CONFIG,
    "CLIP, end token by name": small.CONFIG | {"text_cfg": TEXT | {"pool_type": "eos", "eos_id": small.END}},
    "TextTransformer": CUSTOM,
    "bag of words": CUSTOM | {"text_cfg": {"context_length": 20, "bag_of_words": {"width": 8}}},
    "looks both ways": small.CONFIG | {"text_cfg": TEXT | {"no_causal_mask": True}},
    "reads the last place": small.CONFIG | {"text_cfg": TEXT | {"pool_type": "last"}},
}


@pytest.mark.parametrize("quick", [False, True], ids=["as built", "causal kernels"])
@pytest.mark.parametrize("config", CASES.values(), ids=CASES.keys())
def test_features_and_gradients_of_padded_texts(config: dict[str, Any], *, quick: bool) -> None:
    batch = small.batch(64)
    model = build(config, 0)
    padded = torch.nn.functional.pad(batch.tokens, (0, 20 - batch.tokens.shape[1]))
    expected = model.encode_text(padded)
    (expected**2).sum().backward()
    truth = small.gradients(model)
    model.zero_grad()
    if quick:
        look_back(model)
    found = texts.encode_texts(model, batch)
    (found**2).sum().backward()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    for name, value in small.gradients(model).items():
        torch.testing.assert_close(value, truth[name], atol=1e-4, rtol=1e-4, msg=name)


def test_no_padding_is_computed() -> None:
    """The transformer sees groups that are as long as their longest text, and no more places than that."""
    batch, model = small.batch(64), build(small.CONFIG, 0)
    seen: list[tuple[int, ...]] = []
    model.transformer.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[:2])))
    texts.encode_texts(model, batch)
    assert [rows for rows, _ in seen] == [16] * 4
    ordered = batch.lengths.sort().values.split(16)
    assert [length for _, length in seen] == [int(group[-1]) for group in ordered]
    assert sum(rows * length for rows, length in seen) < 1.2 * int(batch.lengths.sum())


def test_only_plain_attention_is_replaced() -> None:
    model = build(small.CONFIG, 0)
    look_back(model)
    kinds = [type(block.attn) for block in model.transformer.resblocks]
    assert kinds == [CausalAttention] * 2
    assert not any(isinstance(module, CausalAttention) for module in model.visual.modules())
    assert model.state_dict().keys() == build(small.CONFIG, 0).state_dict().keys()


@given(st.lists(st.integers(1, 77), min_size=1, max_size=60), st.integers(1, 9), st.sampled_from([1, 8, 16]))
def test_groups_hold_every_text_once(lengths: list[int], count: int, multiple: int) -> None:
    of = torch.tensor(lengths)
    cut = texts.groups(of, count, multiple, 77)
    rows = torch.cat([rows for rows, _ in cut])
    assert sorted(rows.tolist()) == list(range(len(lengths)))
    assert len(cut) <= count
    for members, length in cut:
        longest = int(of[members].max())
        assert longest <= length <= min(77, longest + multiple - 1)


@pytest.fixture(scope="module")
def tokenizer() -> Callable[[list[str], int], Any]:
    return open_clip.get_tokenizer("ViT-B-32")


WORDS = st.sampled_from(
    ["A", "dog's", "don't", "I'LL", "2024", "x2", "--", "café", "ﬁne", "&amp;", "<b>", "end_of_text", "'", "!!'s"]
)


@given(text=st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=40).map(" ".join), st.from_regex(r"[ -~]{0,40}")))
def test_ids_are_open_clips(text: str, tokenizer: Callable[[list[str], int], Any]) -> None:
    found = tokenise([text], 20)
    expected = tokenizer([text], 20)[0]
    assert found.batch([0], 20)[0].tolist() == expected.tolist()


@given(st.lists(st.lists(st.integers(1, 49407), min_size=2, max_size=9), min_size=1, max_size=9), st.randoms())
def test_batches_of_captions(rows: list[list[int]], random: Any) -> None:
    ids, ends = np.array([i for row in rows for i in row], np.uint16), np.cumsum([len(row) for row in rows])
    captions, wanted = Captions(ids, ends), [random.randrange(len(rows)) for _ in range(5)]
    longest = max(len(rows[number]) for number in wanted)
    expected = [rows[number] + [0] * (longest - len(rows[number])) for number in wanted]
    assert captions.batch(wanted).tolist() == expected
    assert captions.lengths(np.array(wanted)).tolist() == [len(rows[number]) for number in wanted]
    assert captions.batch(wanted, 12)[:, :longest].tolist() == expected
