# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile


def peak_memory(function: Callable) -> int:
    """The most bytes of tensors that a call holds at a time, on the CPU."""
    with profile(
            activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        function()
    held = peak = 0
    for event in trace.profiler.kineto_results.events():
        if event.name() == '[memory]':
            held += event.nbytes()
            peak = max(peak, held)
    return peak
