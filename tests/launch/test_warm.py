"""A program that is started from the warm process finds what it would find in an interpreter of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HELPER = Path(__file__).with_name("warm_and_cold.py")
LIMIT_S = 60

FACTS = '''
"""What a script is."""
import gc, json, os, pickle, random, signal, sys, threading
import beside

class Mine:
    pass

def stat(field):
    return int(open("/proc/self/stat").read().rpartition(")")[2].split()[field])

gc.collect()
held = []
for number in os.listdir("/proc/self/fd"):
    try:
        held.append(os.readlink(f"/proc/self/fd/{number}").partition(":")[0])
    except OSError:
        pass  # that of the listing itself
held = sorted(what for what in held if ".so." not in what)  # libffi holds its own file, where ctypes is imported
facts = {
    "names": sorted(globals()), "doc": __doc__, "file": __file__, "name": __name__, "spec": __spec__,
    "package": __package__, "loader": [type(__loader__).__name__, __loader__.name, __loader__.path],
    "main": sys.modules["__main__"].__dict__ is globals(), "builtins": __builtins__.__name__,
    "pickled": type(pickle.loads(pickle.dumps(Mine()))) is Mine, "beside": beside.__file__,
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "executable": sys.executable,
    "flags": repr(sys.flags), "hook": sys.excepthook is sys.__excepthook__, "recursion": sys.getrecursionlimit(),
    "cwd": os.getcwd(), "environ": dict(os.environ), "libc": os.popen("env | sort | grep -v ^_=").read(),
    "fds": held, "stdin": sys.stdin.read(),
    "streams": [[s.encoding, s.errors, s.line_buffering, s.write_through, s.name, s.isatty(), s.seekable()]
                for s in (sys.stdin, sys.stdout, sys.stderr)],
    "signals": [str(signal.getsignal(n)).partition(" at ")[0] for n in range(1, 65) if n not in (32, 33)],
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "threads": threading.active_count(),
    "leads": [os.getpid() == os.getpgid(0), os.getpid() == os.getsid(0), stat(4)],
    "status": [line for line in open("/proc/self/status")
               if line.startswith(("SigB", "SigI", "SigC", "Umask", "Threads", "Cap"))],
    "comm": open("/proc/self/comm").read(), "numpy": "numpy" in sys.modules, "asyncio": sys.flags.dev_mode,
    "command": open("/proc/self/cmdline", errors="replace").read().replace("\\0", " ").strip(),
}
print(json.dumps({**facts, "parent": os.getppid(), "random": [random.random(), os.getpid()]}))
'''
SCRIPTS = {
    "facts.py": FACTS,
    "beside.py": "",
    "raises.py": "def f():\n    raise ValueError('x') from KeyError('y')\n"
    "try:\n    1/0\nexcept ZeroDivisionError:\n    f()\n",
    "hooked.py": "import sys, traceback\n"
    "sys.excepthook = lambda *a: print('mine', ''.join(traceback.format_exception(*a)))\n[][1]\n",
    "syntax.py": "print('no'\n",
    "text.py": "import sys; sys.exit('a reason')",
    "three.py": "raise SystemExit(3)",
    "abrupt.py": "import os; print('lost?', end=''); os._exit(7)",
    "interrupted.py": "import atexit; atexit.register(print, 'at exit')\nraise KeyboardInterrupt",
    "order.py": "import atexit, threading, time\natexit.register(print, 'last')\n"
    "threading.Thread(target=lambda: (time.sleep(0.02), print('thread'))).start()\n"
    "kept = open('kept.txt', 'w'); kept.write('not flushed by hand')\nprint('first', end='')\n",
    # In steps: CPython 3.14 does not look for a signal between such a call of print and a sleep.
    "waits.py": "import time\nprint('up', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)\n",
    "holds.py": "import sitecustomize\nprint(sitecustomize.holds.readline())\n",
    "callbacks.py": "import ctypes\nkind = ctypes.CFUNCTYPE(ctypes.c_int)\n"
    "print(sum(call() for call in [kind(lambda: 1) for _ in range(1000)]))\n",
    "spawns.py": "import multiprocessing as mp, sys\ndef work(n): return [n, __name__, sys.argv[0]]\n"
    "if __name__ == '__main__':\n    with mp.get_context('spawn').Pool(1) as pool: print(pool.map(work, [1]))\n",
}
CASES = [
    [["facts.py", "a b", "", "--x=\udc80"], {"SOME": "thing", "OTHER": "ü"}, 0],
    [["./sub/../link/facts.py"], {}, 0],
    [["raises.py"], {}, 0],
    [["hooked.py"], {}, 0],
    [["syntax.py"], {}, 0],
    [["missing.py"], {}, 0],
    [["text.py"], {}, 0],
    [["three.py"], {}, 0],
    [["abrupt.py"], {}, 0],
    [["interrupted.py"], {}, 0],
    [["order.py"], {}, 0],
    [["waits.py"], {}, signal.SIGTERM],
    [["waits.py"], {}, signal.SIGINT],
    [["spawns.py"], {}, 0],
    [["holds.py"], {}, 0],
    [["callbacks.py"], {}, 0],
]


@pytest.fixture
def folder(tmp_path):
    """A folder with the scripts."""
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    return tmp_path


def helper(folder, *arguments, said=""):
    """What the helper answers."""
    done = subprocess.run(
        [sys.executable, HELPER, *arguments],
        input=said,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)


# spec: C1 F18
def test_a_script_behaves_the_same_warm_and_cold(folder, monkeypatch):
    """Arguments, folder, environment, `__main__`, streams, signals, tracebacks, exit codes: nothing differs.

    What an interpreter has opened at its start, be it a module or a library, is open in the program too.
    """
    start = folder / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text("holds = open(__file__)\n")
    monkeypatch.setenv("PYTHONPATH", str(start))
    ends = helper(folder, "compare", said=json.dumps(CASES))
    for case, (warm, cold) in zip(CASES, ends, strict=True):
        if case[0][0] in ("syntax.py", "missing.py"):
            assert warm is None, "the ordinary start tells what is wrong"
            assert cold["code"] == (1 if case[0][0] == "syntax.py" else 2)
            continue
        assert warm["code"] == cold["code"], (case, warm, cold)
        said = [end["err"].splitlines() for end in (warm, cold)]
        if case[2]:  # which of its lines the signal met is chance
            said = [[*lines[:1], *lines[-1:], len(lines)] for lines in said]
        assert said[0] == said[1], case
        if case[0][0].endswith("facts.py"):
            assert not warm["err"]
            facts = [json.loads(end["out"]) for end in (warm, cold)]
            assert facts[0].pop("random") != facts[1].pop("random")
            assert facts[0]["parent"] == facts[1]["parent"], "the launcher's own child"
            different = {
                name: (facts[0][name], facts[1][name])
                for name in facts[1]
                if facts[0][name] != facts[1][name]
            }
            assert not different, case
        else:
            assert warm["out"] == cold["out"], case
            assert warm["kept"] == cold["kept"], case
    codes = [cold["code"] for _, cold in ends]
    assert {"kept.txt": "not flushed by hand"} in [cold["kept"] for _, cold in ends]
    assert codes[6:] == [1, 3, 7, -signal.SIGINT, 0, -signal.SIGTERM, -signal.SIGINT, 0, 0, 0]


def test_a_warm_process_that_is_killed_or_stands_still_harms_nothing(folder):
    """Whatever the moment: the program runs to its end, once, or the caller knows that it was not started."""
    (folder / "once.py").write_text("open('once.txt', 'a').write('x')\n")
    codes = helper(folder, "harm", "once.py")
    assert codes[0] is None
    assert codes[-1] is None
    assert set(codes) <= {0, None}
    ran = folder / "once.txt"
    assert len(ran.read_text() if ran.exists() else "") == codes.count(0)


def test_what_cannot_start_warm_is_told_apart(monkeypatch, tmp_path):
    """Options, other programs, other environments of the interpreter: each of these starts from nothing."""
    from horus_plugins.launch.warm import starter

    (tmp_path / "camera.py").write_text("if True:\n    from horus import Node\n")
    (tmp_path / "plain.py").write_text("import horusly  # import horus\n")
    where = str(tmp_path)
    assert starter.is_node([sys.executable, "camera.py", "-v"], where)
    for command in (["-O", "camera.py"], ["plain.py"], ["missing.py"], []):
        assert not starter.is_node([sys.executable, *command], where)
    assert not starter.is_node(["/usr/bin/python0", "camera.py"], where)
    assert starter.usable({"PYTHONPATH": "/a:/b"})
    assert not starter.usable({"PYTHONPATH": "/a:b"})
    assert not starter.usable({starter.VARIABLE: "0"})
    monkeypatch.setattr(starter, "_MAIN", Path(os.devnull))
    warm = starter.Starter({"PATH": os.environ["PATH"]})
    try:
        assert warm.fits({"RATE": "1"})
        assert not warm.fits({"PYTHONHASHSEED": "1"})
        warm._process.wait()
        warm.heard()
        assert (warm.ready, warm.gone) == (False, True)
        assert warm.start([sys.executable, "camera.py"], {}, "/") is None
    finally:
        warm.close()
