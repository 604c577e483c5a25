"""Everything else that comes in the box, through the same public hooks that strangers use."""
