# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from toy_recipe import RECIPE, TOY_STEPS


@pytest.fixture
def recipe_path(tmp_path):
    path = tmp_path / 'toy_pipeline.py'
    path.write_text(RECIPE.format(tool=TOY_STEPS))
    return str(path)
