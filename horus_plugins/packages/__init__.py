"""Packaged nodes: finding what is installed, running it, and telling what it is.

`horus run`, launch files and `horus package` come through here: runner.package(word, settings) is a target to run.
"""
