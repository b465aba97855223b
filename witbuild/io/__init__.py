"""Bytes at rest: store, commit, run directory, manifests, tables, tars. Knows nothing of stages."""
