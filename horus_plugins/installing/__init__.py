"""Installing packages for the interpreter that runs HORUS, and telling what changed: `horus install`."""
