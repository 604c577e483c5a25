"""The standard messages, one module a table. They come in through the entry-point group `horus.messages`."""
