"""Thin stages: parameters, plan, calls into the pure packages."""
