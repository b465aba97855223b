"""A small web on loopback, and the whole pipeline run on it."""
