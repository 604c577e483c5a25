"""Starting processes, watching them, showing their output, and stopping them."""
