"""A program that is started warm ends as one that is started cold: nothing is lost that is done at an end."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

HELPER = Path(__file__).with_name("warm_and_cold.py")
LIMIT_S = 120

CLASS = "class Mine:\n    def __del__(self, say=print):\n        say('gone', self.name)\n"
ENDS = {
    "plain": "print('said', end='')\nimport sys; sys.stderr.write('complained')",
    "code": "import sys\nprint('said', end='')\nsys.exit(7)",
    "big_code": "import sys\nsys.exit(1 << 40)",
    "minus": "import sys\nsys.exit(-3)",
    "true": "import sys\nsys.exit(True)",
    "file": "kept = open('kept.txt', 'w'); kept.write('not flushed by hand')",
    "hidden_file": "import json\njson.kept = open('kept.txt', 'w'); json.kept.write('not flushed by hand')",
    "frame_file": "import sys\ndef f():\n    kept = open('kept.txt', 'wb'); kept.write(b'in a frame')\n"
    "    sys.exit(4)\nf()",
    "del": CLASS + "mine = Mine(); mine.name = 'a'\n",
    "slots_del": "class Mine(int):\n    __slots__ = ()\n"
    "    def __del__(self, say=print):\n        say('gone', int(self))\nmine = Mine(5)\n",
    "cycle_del": "import gc; gc.disable()\n"
    + CLASS
    + "mine = Mine(); mine.name = 'b'; mine.me = mine; del mine\n",
    "frozen_del": "import gc\n" + CLASS + "mine = Mine(); mine.name = 'c'; gc.freeze()\n",
    "generator": "def f(say=print):\n    try:\n        yield 1\n    finally:\n        say('finally')\n"
    "waits = f(); next(waits)\n",
    "reference": "import weakref\nclass Mine: pass\nmine = Mine()\n"
    "def f(ref, say=print):\n    say('told')\nref = weakref.ref(mine, f)\n",
    "finalize": "import weakref\nclass Mine: pass\nmine = Mine(); weakref.finalize(mine, print, 'finalized')\n",
    "atexit": "import atexit\n@atexit.register\ndef first(): print('second')\n"
    "@atexit.register\ndef f():\n    print('first'); 1/0\n",
    "late_atexit": "import atexit\n@atexit.register\ndef f():\n"
    "    global kept\n    kept = open('kept.txt', 'w'); kept.write('at exit')\n",
    "logging": "import logging, logging.handlers\nto = logging.FileHandler('kept.txt', delay=True)\n"
    "logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, target=to)); logging.error('held')\n",
    "thread": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(0.02), print('thread'))).start()\n",
    "daemon": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
    "pool": "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\n"
    "pool.submit(lambda: print('done'))\n",
    "c": "import ctypes\nctypes.CDLL(None).printf(b'held by C')\n",
    "database": "import sqlite3\nbase = sqlite3.connect('kept.db'); base.execute('pragma journal_mode=wal')\n"
    "base.execute('create table t (a)'); base.commit()\n",
    "fork": "import os\nchild = os.fork()\nif child: print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    "else:\n    print('child'); raise SystemExit(9)\n",
    "closed": "import sys\nsys.stdout.close()\n",
    "no_stream": "import sys\nprint('said'); sys.stdout = None\n",
    "full": "import os\nos.dup2(os.open('/dev/full', os.O_WRONLY), 1)\nprint('nowhere', end='')\n",
    "own_stream": "import sys\nclass Own:\n    def write(self, text): sys.__stderr__.write(text)\n"
    "    def flush(self): sys.__stderr__.write('flushed')\nsys.stdout = Own()\nprint('mine')\n",
    "traced": "import sys\nsys.setprofile(lambda *_: None)\n",
    "horus": "import horus\ntopic = horus.Topic('some', dict)\ntopic.send({'a': 1})\nprint('sent')\n",
    "numpy": "import numpy as np, horus\nprint(np.arange(3).sum())\n",
    "node": "import horus\nhorus.run(horus.Node(tick=lambda node: None, rate=100), duration=0.02)\n",
    "asyncio": "import asyncio\nasync def f(): await asyncio.sleep(0)\nasyncio.run(f())\nprint('ran')\n",
}
"""Programs that end by themselves, most with something that an interpreter has to do at its end."""
TAKEN_APART = "import ctypes; ctypes.pythonapi.Py_AtExit(ctypes.CDLL(None).abort)\n"
"""Only an interpreter that is taken apart calls it, and dies of it."""
QUICK = ("plain", "code", "finalize", "atexit", "daemon", "c", "horus", "numpy", "asyncio", "node")
NOT_QUICK = (
    "file",
    "hidden_file",
    "slots_del",
    "frozen_del",
    "generator",
    "reference",
    "database",
    "full",
    "traced",
)


def ends(folder, which, names, said, **environment):
    """How each of the programs ended, as the helper tells, which gets `which`; each begins with `said`."""
    for name in names:
        (folder / f"{name}_end.py").write_text(said + ENDS[name])
    done = subprocess.run(
        [sys.executable, HELPER, which],
        input=json.dumps([[[f"{name}_end.py"], {}, 0] for name in names]),
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(re.sub("0x[0-9a-f]+", "0x", done.stdout))


# spec: C1 F18
def test_nothing_that_a_program_leaves_to_its_end_is_lost(tmp_path):
    """Open files, `__del__`, threads, atexit, C libraries, databases, exit codes: as in an interpreter of its own."""
    found = ends(tmp_path, "compare", list(ENDS), "", PYTHONUNBUFFERED="")
    for name, (warm, cold) in zip(ENDS, found, strict=True):
        assert warm == cold, name


# spec: C1 F18
def test_an_interpreter_is_taken_apart_only_where_that_can_be_told(tmp_path):
    """Simple programs, a node among them, end without it; one with something left to do does not."""
    names = (*QUICK, *NOT_QUICK)
    found = ends(tmp_path, "warm", names, TAKEN_APART)
    apart = {name for name, (warm,) in zip(names, found, strict=True) if warm["code"] == -signal.SIGABRT}
    assert apart == set(NOT_QUICK)
