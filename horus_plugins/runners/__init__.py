"""Ways to run a target: what `horus run` and launch files can start."""
