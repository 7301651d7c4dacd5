"""A Python that has imported torch, pandas and the like; tests fork their processes from it.

Most of the time of a tiny study is imports, about 2 s in each job. `python()` starts a server, once
in each test process, and returns the path of a program to use in place of `python`. It lets
the server fork a process with the program's arguments, environment, working directory and streams;
it passes signals on to that process and ends as that process ends. Nothing of campare is imported
before the fork, and what is not a script or `-m module` runs in Python itself.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from functools import cache
from pathlib import Path

IMPORTED = [
    *("snakemake.cli", "torch", "torchvision", "albumentations", "pandas", "pyarrow.parquet"),
    *("h5py", "safetensors.torch", "scipy.stats", "sklearn", "numba", "seaborn", "PIL.Image"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg"),
]
# Read when Python or a library starts: the same in all jobs, whose default is one thread.
FIXED = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error:The given NumPy array is not writable"}

CLIENT = """#!{python} -IS
import json, os, signal, socket, sys
arguments = sys.argv[1:]
if not (arguments and (arguments[0] == "-m" or os.path.isfile(arguments[0]))):
    os.execv("{python}", ["{python}", *arguments])
with socket.socket(socket.AF_UNIX) as server:
    server.connect("{address}")
    socket.send_fds(server, [b"x"], [0, 1, 2])
    about = json.dumps([arguments, os.getcwd(), dict(os.environ), os.umask(0)]).encode()
    server.sendall(len(about).to_bytes(8, "big") + about)
    answers = server.makefile()
    process = int(answers.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: os.kill(process, number))
    status = os.waitstatus_to_exitcode(int(answers.readline()))
if status < 0:
    signal.signal(-status, signal.SIG_DFL) if -status != signal.SIGKILL else None
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


@cache
def python() -> str:
    """The path of the program; its server ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="forked-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address, client = folder / "socket", folder / "forked_python"
    client.write_text(CLIENT.format(python=sys.executable, address=address))
    client.chmod(0o755)
    unset = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    server = subprocess.Popen(
        [sys.executable, __file__, address],
        env=environment | FIXED,
        stdin=subprocess.PIPE,  # closed when this process ends
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout and server.stdout.readline() == "ready\n"
    return str(client)


def serve(address: str) -> tuple[list[str], str]:
    """Fork a process for each client; in that process, return its arguments and folder."""
    for name in IMPORTED:
        importlib.import_module(name)
    assert not any(name.split(".")[0] in ("campare", "job") for name in sys.modules)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        print("ready", flush=True)
        watched = select.poll()
        watched.register(listening, select.POLLIN)
        watched.register(0, select.POLLHUP)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that wait below need no parent
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
        while True:
            if any(file == 0 for file, _ in watched.poll()):
                os._exit(0)
            client, _ = listening.accept()
            if os.fork() == 0:
                break
            client.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    with client, client.makefile("rwb") as messages:
        about = messages.read(int.from_bytes(messages.read(8), "big"))
        process = os.fork()
        if process:
            messages.write(b"%d\n" % process)
            messages.flush()
            _, status = os.waitpid(process, 0)
            messages.write(b"%d\n" % status)
            messages.flush()
            os._exit(0)
    arguments, folder, environment, umask = json.loads(about)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    return arguments, folder


def run(arguments: list[str], folder: str) -> None:
    """Run `-m module` or a script, as Python does."""
    module = arguments[0] == "-m"
    sys.argv = arguments[module:]
    first = folder if module else str(Path(sys.argv[0]).resolve().parent)
    given = filter(None, os.environ.get("PYTHONPATH", "").split(":"))
    sys.path[:1] = [first, *(str(Path(path).absolute()) for path in given)]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    status = 0
    try:
        if module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    # As at the end of Python, but for the release of all that was imported: 1 s.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    _, socket_path = sys.argv
    sys.executable = str(Path(socket_path).with_name("forked_python"))
    run(*serve(socket_path))
