"""Reads tars, learns a CLIP, measures it; the only room with torch."""
