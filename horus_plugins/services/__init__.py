"""Robots as systemd services: unit files for targets and launch files, and how those that were made stand."""
