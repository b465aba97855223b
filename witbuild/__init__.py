"""witbuild rebuilds WIT, the data set that CLIP was trained on, in the open, and trains a CLIP on it."""

__version__ = "0.1.0"
