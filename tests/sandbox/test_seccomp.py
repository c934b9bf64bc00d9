"""The filter, call by call, in a room."""

from __future__ import annotations

import errno
import json
import platform
import re
import struct
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.model import RunStatus
from grader.sandbox import seccomp

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
COLUMN = {"x86_64": 0, "aarch64": 1}
MACHINE = platform.machine()

ALL_CALLS = {
    **seccomp._NOT_PERMITTED,
    **seccomp._NOT_THERE,
    "clone": seccomp._CLONE,
    "personality": seccomp._PERSONALITY,
    "socket": seccomp._SOCKET_CALLS[0],
    "socketpair": seccomp._SOCKET_CALLS[1],
    "ioctl": seccomp._IOCTL,
}
MUST_BE_REFUSED = """
add_key keyctl request_key io_uring_setup io_uring_enter io_uring_register ptrace process_vm_readv
process_vm_writev unshare setns mount umount2 pivot_root move_mount open_tree fsopen fsconfig fsmount fspick
mount_setattr bpf perf_event_open userfaultfd kexec_load kexec_file_load init_module finit_module
delete_module swapon swapoff reboot settimeofday clock_settime acct quotactl name_to_handle_at
open_by_handle_at vhangup
""".split()  # noqa: SIM905
MUST_BE_MISSING = ["clone3", "io_setup", "memfd_create", "shmget", "msgget", "semget"]

NUMBERS = {name: numbers[COLUMN.get(MACHINE, 0)] for name, numbers in ALL_CALLS.items()}
CALLS = f"""
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
numbers = {NUMBERS!r}
def call(name, *arguments):
    ctypes.set_errno(0)
    answer = libc.syscall(numbers[name], *(ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments))
    return ctypes.get_errno() if answer == -1 else "done"
"""
# Calls that need no right: only the filter keeps a room from them.
ONLY_THE_FILTER = """
print(json.dumps({
    "unshare": call("unshare", 0x10000000),
    "keyctl": call("keyctl", 0, -3 & 2**64 - 1, 0),
    "ptrace": call("ptrace", 0, 0, 0, 0),
    "memfd_create": call("memfd_create", b"name", 0),
    "shmget": call("shmget", 0, 4096, 0o1600),
    "socketpair": call("socketpair", 40, 1, 0, ctypes.create_string_buffer(8)),
    "netlink": call("socket", 16, 3, 9),
    "personality": call("personality", 0x0040000),
    "personality, high half": call("personality", 0xabcd00000040000),
}))
"""


def test_the_numbers_are_those_of_the_kernels_headers():
    compared = 0
    for machine, header in HEADERS.items():
        if not header.exists():
            continue
        known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text("utf-8")))
        for name, numbers in ALL_CALLS.items():
            number = numbers[COLUMN[machine]]
            if name in known or number is None:
                assert known.get(name) == (None if number is None else str(number)), (machine, name)
                compared += 1
    if not compared:
        pytest.skip("the kernel's headers are not installed")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_program_is_one_that_the_kernel_takes(machine):
    program = seccomp.filter_program(machine)
    steps = list(struct.iter_unpack("=HBBI", program))
    assert len(steps) < 4096  # BPF_MAXINSNS
    for position, (code, if_true, if_false, _) in enumerate(steps):
        if code in (0x15, 0x35, 0x45):
            assert position + 1 + max(if_true, if_false) < len(steps)
    assert steps[-1][0] == 0x06


def test_an_unknown_machine_is_refused_in_one_sentence():
    with pytest.raises(SandboxError, match="no system-call filter for riscv64"):
        seccomp.filter_program("riscv64")


def test_every_refused_call_fails_with_the_error_that_programs_expect(in_room):
    names = [name for name in MUST_BE_REFUSED + MUST_BE_MISSING if NUMBERS[name] is not None]
    program = CALLS + f"print(json.dumps({{n: call(n, *[2**64 - 1] * 6) for n in {names!r}}}))"
    seen = json.loads(in_room(program))
    assert seen == {name: errno.EPERM if name in MUST_BE_REFUSED else errno.ENOSYS for name in names}


def test_what_needs_no_right_is_refused_by_the_filter_alone(in_room):
    with_filter = json.loads(in_room(CALLS + ONLY_THE_FILTER))
    assert "done" not in with_filter.values(), with_filter
    without = json.loads(in_room(CALLS + ONLY_THE_FILTER, is_filtered=False))
    assert {name for name in without if without[name] == "done"} >= {
        *("keyctl", "memfd_create", "shmget", "netlink", "personality", "ptrace"),
    }, without


def test_new_namespaces_are_refused_by_clone_whatever_else_its_flags_say(in_room):
    program = CALLS + (
        "SIGCHLD = 17\n"
        "flags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]\n"
        "print(json.dumps([call('clone', f | SIGCHLD, 0, 0, 0, 0) for f in [*flags, 0x10000000 | 1 << 40]]))"
    )
    assert json.loads(in_room(program)) == [errno.EPERM] * 8


def test_only_local_and_internet_sockets_can_be_made(in_room):
    program = (
        "import socket, json\n"
        "def make(family, kind=socket.SOCK_DGRAM):\n"
        "    try:\n        socket.socket(family, kind).close()\n"
        "    except OSError as error:\n        return error.errno\n"
        "print(json.dumps({f: make(f) for f in range(46)}))"
    )
    made = json.loads(in_room(program))
    assert {int(family) for family, error in made.items() if error is None} <= {1, 2, 10, 16}
    assert made["1"] is None
    assert made["17"] == made["38"] == made["40"] == errno.EAFNOSUPPORT


def test_netlink_tells_of_interfaces_and_nothing_else(in_room):
    program = CALLS + "print(json.dumps([call('socket', 16, 3, protocol) for protocol in range(1, 23)]))"
    assert json.loads(in_room(program)) == [errno.EAFNOSUPPORT] * 22


def test_nothing_can_be_typed_into_a_terminal(in_room):
    program = (
        "import fcntl, json, os, pty\nmaster, slave = pty.openpty()\n"
        "def tries(request):\n    try:\n        fcntl.ioctl(slave, request, b'x')\n"
        "    except OSError as error:\n        return error.errno\n"
        "print(json.dumps([tries(0x5412), tries(0x541C), os.get_terminal_size(slave).columns]))"
    )
    assert json.loads(in_room(program))[:2] == [errno.EPERM, errno.EPERM]


@pytest.mark.skipif(MACHINE != "x86_64", reason="only x86_64 has other tables of system calls")
def test_another_architectures_calls_kill_the_process(in_room):
    program = """
import ctypes, json, mmap, os
def ends(action):
    child = os.fork()
    if not child:
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def as_32_bit():
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 20 (getpid); int 0x80; ret
    ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
libc = ctypes.CDLL(None)
getpid, x32 = 39, 0x40000000
as_x32, as_usual = (lambda: libc.syscall(x32 | getpid)), (lambda: libc.syscall(getpid))
print(json.dumps([ends(as_32_bit), ends(as_x32), ends(as_usual)]))
"""
    assert json.loads(in_room(program)) == [-31, -31, 0]  # SIGSYS


def test_ordinary_programs_notice_nothing(in_room):
    program = """
import json, multiprocessing, os, socket, subprocess, sys, tempfile, threading, concurrent.futures as futures
done = []
thread = threading.Thread(target=lambda: done.append("thread")); thread.start(); thread.join()
for command in (["sh", "-c", "echo shell | cat"], [sys.executable, "-c", "print('python')"]):
    done.append(subprocess.run(command, capture_output=True, text=True).stdout.strip())
with futures.ProcessPoolExecutor(2) as pool:
    done.append(sum(pool.map(abs, [-1, -2])))
queue = multiprocessing.Queue(); queue.put(5); done.append(queue.get())
a, b = socket.socketpair(); a.send(b"x"); done.append(b.recv(1).decode())
done.append([name for _, name in socket.if_nameindex()])
lock = multiprocessing.Lock(); lock.acquire(); lock.release()
tempfile.TemporaryFile().write(b"x")
print(json.dumps(done))
"""
    assert json.loads(in_room(program)) == ["thread", "shell", "python", 3, 5, "x", ["lo"]]


def test_tensorflow_trains_under_the_filter(run_cells):
    run, executed = run_cells(
        """
import numpy as np
import tensorflow as tf
data = tf.data.Dataset.from_tensor_slices((np.ones((64, 4), "f4"), np.ones((64, 1), "f4")))
data = data.shuffle(64).batch(8).map(lambda x, y: (x * 2, y), num_parallel_calls=tf.data.AUTOTUNE)
data = data.cache("/tmp/cached").prefetch(tf.data.AUTOTUNE)
model = tf.keras.Sequential([tf.keras.layers.Dense(8, "relu"), tf.keras.layers.Dense(1)])
model.compile("adam", "mse", jit_compile=True)
history = model.fit(data, epochs=2, verbose=0)
model.save("/content/model.keras")
print(len(history.history["loss"]), model.evaluate(data, verbose=0) >= 0)
""",
        "!echo shell | cat",
    )
    assert run.status is RunStatus.COMPLETED, run.cells
    assert "2 True" in "".join(output.get("text", "") for output in executed.cells[0].outputs)
