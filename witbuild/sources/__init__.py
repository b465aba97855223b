"""Where pairs come from, one file a source."""
