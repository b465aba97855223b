"""A data set that can be handed on: who says what of it, under which licences, and that it is whole.

DATASET/data/, metadata/, index.json      what shard wrote
DATASET/about.json                        what its maker says of it: name, licence, ...
DATASET/README.md                         dataset card of the Hugging Face Hub
DATASET/croissant.json                    Croissant 1.0: every file with its sha256, every field with its source
DATASET/datacomp-uids.npy                 the samples as a DataComp subset file
DATASET/LICENSES.parquet                  which samples carry which licence evidence
DATASET/manifest.json                     every file with its sha256, and one Merkle root over them
"""

from witbuild.release.about import About
from witbuild.release.dataset import Dataset
from witbuild.release.publish import release
from witbuild.release.verify import verify

__all__ = ["About", "Dataset", "release", "verify"]
