"""Pure numpy: shingles, MinHash, LSH, clusters."""
