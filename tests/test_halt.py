"""A stop is heard whatever the main thread is doing when its signal comes."""

from __future__ import annotations

import os
import signal

import pytest
from processes import FORKS

from adapter.halt import Halt, told


def until_halted(rounds: int) -> None:
    """Be told to stop by a signal at moments that are never the same, again and again."""
    for number in range(rounds):
        halt = Halt()
        signal.signal(signal.SIGALRM, halt.ask)
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + number * 1e-8)
        while not halt.wait(0):
            continue


def test_a_signal_that_comes_in_the_midst_of_waiting_is_heard() -> None:
    waiting = FORKS.Process(target=until_halted, args=(5_000,), daemon=True)
    waiting.start()
    waiting.join(300)
    waiting.kill()
    assert waiting.exitcode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_signals_ask_for_it_as_long_as_the_block_lasts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with told() as halt:
        assert (bool(halt), halt.wait(0.01)) == (False, False)
        os.kill(os.getpid(), number)
        assert (halt.wait(60), bool(halt), halt.wait(60)) == (True, True, True)
    assert signal.getsignal(number) == before
