"""What the benches of training share: tars of pairs, a small model for both sides, and open_clip_train's parts."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.bench.photographs import photograph
from witbuild.io.tars import TarWriter

COMMON = (  # noqa: SIM905 a list of forty strings is no easier to read
    "a photo of the in and with on by red blue white house dog cat old street new view from mountain lake city people "
    "for at beautiful summer night art vintage home design free black how to best day world"
).split()


def captions(count: int, seed: int = 0) -> list[str]:
    """Return captions of a log-normal number of words: median 9, 90% between 3 and 25; half of them common words."""
    random = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnoprstuvwy"))
    rare = ["".join(random.choice(letters, random.integers(2, 9))) for _ in range(4_000)]

    def word() -> str:
        return (
            COMMON[random.integers(len(COMMON))] if random.random() < 0.5 else rare[int(4_000 * random.random() ** 3)]
        )

    lengths = np.clip(random.lognormal(np.log(9), 0.6, count), 2, 70).astype(int)
    return [" ".join(word() for _ in range(length)).capitalize() for length in lengths]


def stored(count: int, side: int = 256) -> list[bytes]:
    """Return made-up photographs as a data set stores them: shorter side 256, quality 90."""
    out = []
    for number in range(count):
        with Image.open(io.BytesIO(photograph(number))) as image:
            scale = side / min(image.size)
            small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=90)
        out.append(stream.getvalue())
    return out


def write_tars(folder: Path, count: int, tars: int = 4, pictures: int = 48) -> list[str]:
    """Write tars of so many pairs in all, with open_clip's sizes.json; return their paths."""
    images, texts = stored(pictures), captions(count)
    random = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    each = count // tars
    names = [f"{number:05d}.tar" for number in range(tars)]
    for number, name in enumerate(names):
        with (folder / name).open("wb") as stream, TarWriter(stream) as tar:
            for place in range(number * each, (number + 1) * each):
                tar.add(f"{place:08d}.jpg", images[random.integers(pictures)])
                tar.add(f"{place:08d}.json", b'{"width": 341, "height": 256}')
                tar.add(f"{place:08d}.txt", texts[place].encode())
    (folder / "sizes.json").write_text(json.dumps(dict.fromkeys(names, each)))
    return [str(folder / name) for name in names]


def config(width: int, layers: int, size: int = 224, patch: int = 32) -> dict[str, Any]:
    """Return a small ViT and text transformer in open_clip's form."""
    text = {"context_length": 77, "vocab_size": 49408, "width": width, "heads": max(1, width // 32), "layers": layers}
    vision = {"image_size": size, "patch_size": patch, "width": width, "head_width": 32, "layers": layers}
    return {"embed_dim": width, "vision_cfg": vision, "text_cfg": text}


def their_arguments(tars: list[str], samples: int, batch: int, **more: str) -> Any:
    """Return open_clip_train's arguments, as its command line gives them."""
    from open_clip_train.params import parse_args

    folder = str(Path(tars[0]).parent)
    names = f"{folder}/{{00000..{len(tars) - 1:05d}}}.tar"
    given = {"train-data": names, "train-num-samples": str(samples), "batch-size": str(batch), "workers": "0"} | more
    given = {"dataset-type": "webdataset", "precision": "fp32", "device": "cpu"} | given
    args = parse_args([text for name, value in given.items() for text in (f"--{name}", value)])
    args.distributed, args.world_size, args.rank, args.local_rank, args.distill = False, 1, 0, 0, False
    args.horovod, args.wandb, args.tensorboard, args.skip_scheduler = False, False, False, False
    return args


def their_data(args: Any, size: int) -> Any:
    """Return open_clip_train's data set of tars."""
    from open_clip import get_tokenizer, image_transform
    from open_clip_train.data import get_wds_dataset

    warnings.filterwarnings("ignore", module="webdataset")
    return get_wds_dataset(
        args, image_transform(size, is_train=True), is_train=True, tokenizer=get_tokenizer("ViT-B-32")
    )
