"""The process around the service: nothing that hangs, and no hung stderr, can hold up its end."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse_sim.agent import die_with_parent

LIMIT_S = 60.0


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """Lend the writing end of a pipe that is full and that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writing, True)
    yield writing
    os.close(reading)
    os.close(writing)


def program(text: str, stderr: int = subprocess.PIPE) -> tuple[int, str, str]:
    """Run a program to its end; return exit code, stdout and stderr."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        env=environ,  # stderr is buffered, as under systemd: then it has a lock to hang on
        stdout=subprocess.PIPE,
        stderr=stderr,
        timeout=LIMIT_S,
        text=True,
        check=False,
        preexec_fn=die_with_parent,
    )
    return done.returncode, done.stdout, done.stderr or ""


def test_a_log_line_reaches_stderr_before_the_end() -> None:
    """Without it the last words of a service, which tell why it ended, would be lost."""
    code, out, err = program(
        """
        import logging
        from gatehouse import process
        flush = process.start_logging()
        logging.getLogger("gatehouse.x").warning("the disk is %s", "full")
        logging.getLogger("gatehouse.x").debug("not this")
        try:
            raise OSError("I/O error")
        except OSError:
            logging.getLogger("gatehouse.x").exception("last words")
        flush()
        process.leave(3)
        """
    )
    assert (code, out) == (3, "")
    lines = err.splitlines()
    assert lines[0] == "WARNING gatehouse.x: the disk is full"
    assert lines[1] == "ERROR gatehouse.x: last words"
    assert lines[-1] == "OSError: I/O error"


def test_a_hung_stderr_holds_up_neither_the_loop_nor_the_end(full_pipe: int) -> None:
    """Without it a hung journal would hang the alarm, or keep systemd from restarting it."""
    code, out, _ = program(
        """
        import logging, os
        from gatehouse import process
        flush = process.start_logging()
        log = logging.getLogger("gatehouse.x")
        for number in range(30_000):
            log.warning("line %d", number)
        log.warning("a line that does not %d fit", "at all")
        os.write(1, b"still here")
        flush()
        process.leave(4)
        """,
        stderr=full_pipe,
    )
    assert (code, out) == (4, "still here")


def test_lost_lines_are_counted_and_said() -> None:
    """Without it a log with a hole would read like one without."""
    code, _, err = program(
        """
        import logging, logging.handlers, sys, threading
        from gatehouse import process
        gate = threading.Event()
        write = logging.StreamHandler.emit
        logging.StreamHandler.emit = lambda self, record: (gate.wait(), write(self, record))
        process._LOG_LINES = 5
        flush = process.start_logging()
        for number in range(100):
            logging.getLogger("x").warning("line %d", number)
        gate.set()
        process._FLUSH_S = 30
        while logging.getLogger().handlers[0].queue.full():
            pass
        flush()
        process.leave(0)
        """
    )
    assert code == 0
    kept = [line for line in err.splitlines() if line.startswith("WARNING x: line")]
    (lost,) = [line for line in err.splitlines() if "lines were lost" in line]
    assert int(lost.split()[2]) + len(kept) == 100


def test_a_line_that_does_not_fit_its_values_is_logged_as_written() -> None:
    """Without it logging would complain in the loop, to a stderr that may hang."""
    code, _, err = program(
        """
        import logging
        from gatehouse import process
        flush = process.start_logging()
        logging.getLogger("x").warning("%d buttons", "no")
        flush()
        process.leave(0)
        """
    )
    assert code == 0
    assert err.startswith("WARNING x: '%d buttons' % ('no',)")
    assert "Traceback" not in err


def test_the_end_waits_for_no_thread() -> None:
    """Without it SIGTERM would wait for a dead disk until systemd kills, 90 s later."""
    code, out, _ = program(
        """
        import asyncio, threading
        from gatehouse import process
        from gatehouse.threads import off_loop
        forever = threading.Event()
        async def main():
            asyncio.get_running_loop().run_in_executor(None, forever.wait)
            try:
                await off_loop(forever.wait, name="hangs", timeout_s=0.05)
            except TimeoutError:
                print("left behind", flush=True)
            return 5
        threading.Thread(target=forever.wait).start()
        process.leave(process.run(main()))
        """
    )
    assert (code, out) == (5, "left behind\n")


def test_pages_are_locked_only_where_that_cannot_fail_later() -> None:
    """Without it a small limit (64 kB by default) would make allocations fail in an alarm."""
    code, out, _ = program(
        """
        import resource
        from gatehouse import process
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, hard))
        process.stay_in_memory()
        status = open("/proc/self/status").read()
        print(status.split("VmLck:")[1].split()[0])
        bytearray(10_000_000)
        """
    )
    assert (code, out) == (0, "0\n")


def test_what_hung_is_written_down_when_systemd_aborts_it(tmp_path: Path) -> None:
    """Without it nobody could tell a watchdog from a crash, nor where the process hung."""
    box = tmp_path / "alarm.abort"
    text = f"""
        import os, pathlib, signal, sys
        from gatehouse import process
        box, told = process.black_box(pathlib.Path({str(box)!r}))
        print(repr(told), flush=True)

        def it_hung_in_here():
            os.kill(os.getpid(), signal.SIGABRT)

        if len(sys.argv) < 2 and not told:
            it_hung_in_here()
        """
    code, out, _ = program(text)
    assert (code, out.strip()) == (-6, "''")
    code, out, _ = program(text)
    assert code == 0
    assert "it_hung_in_here" in out
    code, out, _ = program(text.replace("not told", "False"))
    assert (code, out.strip()) == (0, "''"), "told once"
