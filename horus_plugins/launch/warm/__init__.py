"""Starting Python programs from a process that has imported HORUS already, instead of from nothing."""
