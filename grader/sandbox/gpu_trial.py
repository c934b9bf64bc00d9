"""What a room with a GPU sees of the GPUs, asked of the driver and of TensorFlow by a program in such a room.

The driver is asked without the variable that names the GPU, which a notebook could take away, too: what is
seen then is what the walls let through. TensorFlow is asked because it says nothing where a library of
CUDA's is missing, and computes on the processors.
"""

from __future__ import annotations

import json

from grader.errors import GpuError
from grader.model import Limits, Record
from grader.sandbox.bubblewrap import RoomSpec
from grader.sandbox.gpus import Gpu
from grader.sandbox.room_program import printed_in_a_room

_LOOK = """
import ctypes, json, os, uuid
named = os.environ.pop("CUDA_VISIBLE_DEVICES", "")
seen = {"devices": sorted(name for name in os.listdir("/dev") if "nvidia" in name)}
try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError as error:
    print(json.dumps(seen | {"missing": str(error)}))
    raise SystemExit
status, count, names = cuda.cuInit(0), ctypes.c_int(), []
if status == 0:
    cuda.cuDeviceGetCount(ctypes.byref(count))
for number in range(count.value):
    device, name = ctypes.c_int(), (ctypes.c_ubyte * 16)()
    cuda.cuDeviceGet(ctypes.byref(device), number)
    cuda.cuDeviceGetUuid(name, device)
    names.append(f"GPU-{uuid.UUID(bytes=bytes(name))}")
seen |= {"status": status, "gpus": names}
if status == 0:
    os.environ["CUDA_VISIBLE_DEVICES"] = named
    try:
        import tensorflow as tf
        x = tf.ones([64, 64])
        seen["computed_on"] = (x @ x).device
    except Exception as error:
        seen["computed_on"] = f"{type(error).__name__}: {error}"[:200]
print(json.dumps(seen))
"""


class View(Record):
    """What a room sees: device files, CUDA's answer to its start (0: fine), and the GPUs by their own names.

    `missing` is why CUDA's library could not be loaded, None if it was; `computed_on` is the device on which
    TensorFlow multiplied two matrices, or why it could not.
    """

    devices: tuple[str, ...]
    missing: str | None = None
    status: int | None = None
    gpus: tuple[str, ...] = ()
    computed_on: str | None = None


def look_from_a_room(gpu: Gpu) -> View:
    """What a room with `gpu` sees. Raises as `printed_in_a_room` does, and `ValueError` for other answers."""
    return View.model_validate(json.loads(printed_in_a_room(_LOOK, RoomSpec(limits=Limits(), gpu=gpu))))


def what_is_wrong(gpu: Gpu, view: View) -> str | None:
    """What keeps rooms from running on `gpu`, one sentence with the mend; None when nothing does."""
    otherwise = "grade with `--gpus none`"
    if view.devices != tuple(sorted(device.name for device in gpu.devices)):
        return (
            f"a room with GPU {gpu.index} sees other device files ({', '.join(view.devices)}): {otherwise}."
        )
    if view.missing is not None:
        return (
            f"CUDA's library is not in a room ({view.missing}): install the driver's libraries below /usr, "
            f"or {otherwise}."
        )
    if view.status != 0:
        return (
            f"CUDA does not start in a room (error {view.status}): run `nvidia-smi`; if that works, the "
            f"driver wants something that a room lacks: {otherwise}."
        )
    if view.gpus != (gpu.uuid,):
        there = ", ".join(view.gpus) or "no GPU"
        return f"a room with GPU {gpu.index} ({gpu.uuid}) sees {there}: {otherwise}."
    if not (view.computed_on or "").endswith("device:GPU:0"):
        return (
            f"TensorFlow does not compute on GPU {gpu.index} in a room ({view.computed_on}): run "
            f"`pip install 'tensorflow[and-cuda]'` with the version that is installed, or {otherwise}."
        )
    return None


def check_gpu(gpu: Gpu) -> None:
    """Raise `GpuError`, with the mend, unless a room with `gpu` sees it and no other."""
    try:
        wrong = what_is_wrong(gpu, look_from_a_room(gpu))
    except (RuntimeError, TimeoutError, ValueError) as error:
        raise GpuError(
            f"No room with GPU {gpu.index} can be tried out ({error}): run `grade doctor`."
        ) from error
    if wrong is not None:
        raise GpuError(f"{wrong[0].upper()}{wrong[1:]}")
