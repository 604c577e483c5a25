"""Shared memory: namespaces, who takes part in them, regions, pools, and cleaning."""
