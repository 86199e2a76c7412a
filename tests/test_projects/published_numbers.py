# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Inputs that are the same everywhere, and what is kept of published outputs."""

import math

import pytest
import torch


def wave(*shape, step):
    """Numbers in [-1, 1] by whole arithmetic."""
    i, seed = torch.arange(math.prod(shape)), round(step * 1e4)
    whole = (i * i * 7919 + i * seed * 104729 + seed * 31337) % 1000003
    return whole.view(shape).double() / 500001.5 - 1


def digest(values):
    """The norm of the values, and their product with others."""
    values = torch.as_tensor(values).detach().double().flatten()
    return [values.norm().item(), (values * wave(len(values), step=1.7)).sum().item()]


def close(values, expected, rel=1e-9):
    """Check a digest. The product may all but vanish; it is as exact as the norm."""
    assert digest(values) == pytest.approx(expected, rel=rel, abs=rel * expected[0])
