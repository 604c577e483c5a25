"""The minimal core: shared memory, messages, topics, nodes and the scheduler. It imports no plugin and no command."""
