from __future__ import annotations

import logging
import threading
import time

from grader.errors import SandboxError
from grader.execution.slots import Slot, Slots, cpu_slots
from grader.sandbox.gpus import Gpu


def a_gpu(index: int) -> Gpu:
    return Gpu(index=index, uuid=f"GPU-{index}", model="Stand-in", memory_bytes=1, devices=())


def test_a_slot_is_one_rooms_at_a_time_and_given_again():
    slots = cpu_slots(2)
    with slots.taken() as first, slots.taken() as second:
        assert {first.number, second.number} == {0, 1}
        late: list[Slot] = []

        def wait() -> None:
            with slots.taken() as slot:
                late.append(slot)

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.05)
        assert late == []
    waiting.join(5)
    assert late == [second]


def test_a_share_that_is_given_up_is_not_handed_out_again_and_said_once(caplog):
    one, other = Slot(0, a_gpu(0)), Slot(1, a_gpu(1))
    slots = Slots([one, other])
    with caplog.at_level(logging.WARNING), slots.taken() as slot:
        assert slot == one
        slots.give_up(slot, "It is full.")
        slots.give_up(slot, "It is full.")
    assert [record.message for record in caplog.records] == ["It is full."]
    for _ in range(3):
        with slots.taken() as slot:
            assert slot == other


def test_all_shares_of_a_lost_gpu_go_and_the_last_one_says_how_to_go_on():
    gpu = a_gpu(0)
    slots = Slots([Slot(number, gpu) for number in range(3)])
    told: list[str] = []

    def wait() -> None:
        try:
            with slots.taken():
                told.append("a slot")
        except SandboxError as error:
            told.append(str(error))

    with slots.taken() as _, slots.taken() as _, slots.taken() as _:
        waiting = threading.Thread(target=wait)
        waiting.start()
        slots.give_up_gpu(gpu, "GPU 0 was lost.")
        waiting.join(5)
    [sentence] = told
    assert sentence.startswith("GPU 0 was lost. No GPU is left")
    assert "--gpus none" in sentence
    assert len(slots) == 0
