"""Starting something of one's own: `horus new` fills in the templates in `files/`, which lie beside this code.

Each file there ends in `.in`; `@name@` and its like, in its text and in its path, are what names.py has for them.
`files/package` is what all packages share.
"""
