# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np

from mmwsss.utils.spread import spread_evenly


def test_places_are_those_of_numpy():
    for total in range(1, 120):
        for most in range(1, 130):
            places = np.linspace(0, total - 1, min(most, total))
            assert spread_evenly(range(total), most) == [
                round(place) for place in places], (total, most)


def test_nothing_of_nothing():
    assert spread_evenly([], 3) == spread_evenly('ab', 0) == []
