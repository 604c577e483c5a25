"""Message types: typed, dict and pool-backed; their layout, codec and registry."""
