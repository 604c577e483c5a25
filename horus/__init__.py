"""HORUS: the face."""
