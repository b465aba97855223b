"""Manifests and samples -> one HTML page."""
