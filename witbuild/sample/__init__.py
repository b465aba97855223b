"""Pure maths of choosing: coins, balance, order."""
