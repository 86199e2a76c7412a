# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from mmwsss.ops import max_norm, min_max_norm


@pytest.mark.parametrize('given', [{}, dict(eps=1e-8)])
def test_against_loops(given):
    eps = given.get('eps', 1e-5)
    torch.manual_seed(0)
    # The maxima of small maps count against eps, too.
    maps = torch.rand(2, 3, 4, 5, dtype=torch.float64) * 1e-4 + 1e-3
    by_max, stretched = torch.empty_like(maps), torch.empty_like(maps)
    for n in range(2):
        for c in range(3):
            values = maps[n, c].flatten().tolist()
            low, high = min(values), max(values)
            stretched[n, c] = torch.tensor(
                [max(v - low - eps, 0) / (high - low + eps) for v in values],
                dtype=torch.float64).view(4, 5)
            by_max[n, c] = torch.tensor(
                [v / (high + eps) for v in values], dtype=torch.float64).view(4, 5)
    for result, expected in ((max_norm(maps, **given), by_max),
                             (min_max_norm(maps, **given), stretched)):
        torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)
        assert result.min() >= 0 and result.max() < 1


def test_constant_maps_stay_finite():
    assert not min_max_norm(torch.zeros(1, 1, 2, 2)).any()
    assert not max_norm(torch.zeros(1, 1, 2, 2)).any()
