"""Endurance: many processes for a long time, and accounts of every message that do not believe HORUS's own."""
