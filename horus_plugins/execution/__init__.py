"""The execution classes that come in the box."""
