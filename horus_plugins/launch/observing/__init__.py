"""Telling plugins of the group `horus.lifecycle` of the processes that a launcher starts."""
