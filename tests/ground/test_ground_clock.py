"""The machine's clocks: read as the kernel keeps them, believed as systemd believes them."""

import ctypes
import errno
import struct
import time
from pathlib import Path

import pytest

from gatehouse import clock
from gatehouse.clock import MAX_ERROR_US, SystemClock, open_clock


class FakeLibc:
    """Answers adjtimex as a kernel would, by the layout of adjtimex(2) for this word size."""

    def __init__(self, maxerror: int, answer: int = 0) -> None:
        self.maxerror = maxerror
        self.answer = answer

    def adjtimex(self, where: object) -> int:
        """Fill in the error at its place: after one int (padded to a long) and two longs."""
        timex = where._obj  # type: ignore[attr-defined]  # what byref points at
        word = ctypes.sizeof(ctypes.c_long)
        ctypes.memset(ctypes.addressof(timex), 0x7F, ctypes.sizeof(timex))
        packed = struct.pack("q" if word == 8 else "i", self.maxerror)
        ctypes.memmove(ctypes.addressof(timex) + 3 * word, packed, word)
        return self.answer


@pytest.fixture
def system() -> SystemClock:
    """Open the machine's own clock."""
    return SystemClock("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@pytest.mark.parametrize(
    ("maxerror", "answer", "synced"),
    [
        (0, 0, True),
        (MAX_ERROR_US - 1, 0, True),
        (MAX_ERROR_US - 1, 5, True),  # TIME_ERROR: by systemd's rule the error alone decides
        (MAX_ERROR_US, 0, False),
        (MAX_ERROR_US + 500, 5, False),
        (0, -1, False),  # forbidden to ask
    ],
)
def test_synced_goes_by_the_largest_error(
    system: SystemClock, maxerror: int, answer: int, synced: bool
) -> None:
    """Without it times from a clock that nobody set would be sent as true, or true ones doubted."""
    system._libc = FakeLibc(maxerror, answer)  # type: ignore[assignment]
    assert system.synced() is synced


def test_synced_reads_what_the_kernel_says(system: SystemClock) -> None:
    """Without it a field read at the wrong place would show any clock as set, or as never set."""
    word = ctypes.sizeof(ctypes.c_long)
    room = ctypes.create_string_buffer(1024)
    if ctypes.CDLL(None, use_errno=True).adjtimex(room) < 0:
        pytest.skip(f"adjtimex is forbidden here: {errno.errorcode[ctypes.get_errno()]}")
    (maxerror,) = struct.unpack_from("q" if word == 8 else "i", room.raw, 3 * word)
    assert system.synced() is (maxerror < MAX_ERROR_US)


def test_the_kernel_has_room_for_its_answer() -> None:
    """Without it adjtimex would write over other memory: 208 bytes of it, 128 on 32-bit arm."""
    word = ctypes.sizeof(ctypes.c_long)
    fields = [getattr(clock._Timex, name).offset for name in ("modes", "offset", "freq")]
    assert fields == [0, word, 2 * word]
    assert clock._Timex.maxerror.offset == 3 * word
    assert ctypes.sizeof(clock._Timex) >= (208 if word == 8 else 128)


def test_asking_for_the_error_never_sets_the_clock() -> None:
    """Without it a stray bit in ``modes`` would move the clock of a machine run as root."""
    assert clock._Timex().modes == 0


def test_a_reading_takes_all_clocks_of_one_moment(system: SystemClock) -> None:
    """Without it an event's time would be computed from clocks of another meaning."""
    before = (time.time_ns(), time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))
    now = system.reading()
    after = (time.time_ns(), time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))
    assert before[1] <= now.monotonic_ns <= after[1]
    assert before[2] <= now.boottime_ns <= after[2]
    assert now.unix_ns


def test_the_boot_id_is_the_kernels_unless_given(system: SystemClock) -> None:
    """Without it a crash could not be told from a power cut; under systemd it is handed in (%b)."""
    kernels = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert SystemClock().bootid == kernels
    assert SystemClock("").bootid == kernels
    assert system.bootid == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def test_clocks_are_opened_by_name() -> None:
    """Without it the simulated clock could not come in, or a misspelt one would be the real one."""
    assert type(open_clock(None, "x")) is SystemClock
    assert type(open_clock("", "x")) is SystemClock
    assert type(open_clock("gatehouse_sim")).__name__ == "SimulatedClock"
    with pytest.raises(LookupError, match="GATEHOUSE_CLOCK"):
        open_clock("sundial")
