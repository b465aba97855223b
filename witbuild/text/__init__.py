"""Pure text: normalise, tokens, n-grams, match, language; no I/O."""
