"""Ctrl-C sends jobs SIGTERM, a second one kills them, and the last line is one message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tiny import heed_ctrl_c

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
# Like Snakemake: a thread waits for the job's shell, the main thread for the threads.
RUN = """
import sys, threading
import stopping
from snakemake.logging import logger
from snakemake.shell import shell

def job():
    try:
        shell(sys.argv[1])
    except Exception as error:
        logger.error(str(error))

stopping.install()
shell.prefix(f"set -e; {stopping.PREFIX}")
thread = threading.Thread(target=job)
thread.start()
try:
    threading.Event().wait()
except SystemExit:
    thread.join()
    sys.exit(1)
"""
SAVES = """
import signal, time
def save(*_):
    time.sleep(0.2)
    print("saved", flush=True)
    raise SystemExit(143)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(60)
"""
HANGS = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("received", flush=True))
print("ready", flush=True)
for _ in range(600):
    time.sleep(0.1)
"""


DIES = """
import time
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    "then", ["", "; echo never"], ids=["instead of its shell", "below its shell"]
)
@pytest.mark.parametrize("job", [SAVES, DIES, HANGS], ids=["saves", "dies", "hangs"])
def test_ctrl_c_ends_jobs_with_one_message(job: str, then: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, f"{sys.executable} -c '{job}'{then}"],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)  # the same signal again, from a program in between
    if job == HANGS:  # a second Ctrl-C
        assert process.stdout.readline() == "received\n"
        time.sleep(1.1)
        os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert output.splitlines()[-1] == "stopped; run the same command to go on"
    assert not any(word in output for word in ("Error", "Traceback", "exit status", "never\n"))
    assert ("saved\n" in output) == (job == SAVES)
    assert process.returncode == 1
