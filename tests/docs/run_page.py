"""Run the Python blocks of one page from top to bottom, as one program: `run_page.py docs/topics.md`.

A block whose first line is the path of a file, `# folder/file.py`, is written there before any is run.
A block that runs a scheduler without end gets what its reader would give it: Ctrl+C, after a while.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from horus_core.scheduler import clock

sys.path.insert(0, str(Path(__file__).parent))

import doc_pages

PRESSED_AFTER_S = 0.5


def press_ctrl_c():
    """End every run of a scheduler that has kept the page from going on for a while."""
    since = None
    while True:
        time.sleep(0.02)
        loop = clock._by_thread.get(threading.main_thread().ident)
        running = loop is not None and loop.scheduler.started_ns
        if not running:
            since = None
        elif since is None:
            since = time.monotonic()
        elif time.monotonic() - since > PRESSED_AFTER_S:
            since = None
            os.kill(os.getpid(), signal.SIGINT)


def main():
    page = Path(sys.argv[1])
    threading.Thread(target=press_ctrl_c, daemon=True).start()
    names = sys.modules["__main__"].__dict__  # pickling and message classes look there
    files = [block for block in doc_pages.blocks(page, "python", "toml") if doc_pages.file_of(block)]
    for block in files:  # of the project that the page is about
        path = Path(doc_pages.file_of(block))
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    for block in doc_pages.blocks(page, "python"):
        if block in files:
            continue
        # Blank lines before it, so that tracebacks show the page's own lines.
        code = compile("\n" * (block.line - 1) + block.text, str(page), "exec", dont_inherit=True)
        exec(code, names)


if __name__ == "__main__":
    main()
