"""How fast and how small HORUS is, measured beside the floors and the peers: ``make bench``."""
