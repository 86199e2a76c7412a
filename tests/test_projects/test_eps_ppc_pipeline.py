# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Recipes of EPS and PPC on generated scenes, tiny; one of them to its report."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image
from test_method_pipelines import (
    LABEL_STEPS,
    MODEL_STEPS,
    run_recipe,
)

ROOT = Path(__file__).parents[2]
SALIENCY_STEPS = ('saliency', *LABEL_STEPS)


@pytest.mark.parametrize('recipe, steps, changes', [
    ('eps', SALIENCY_STEPS, {}),
    ('fsae_ppc_eps', SALIENCY_STEPS + MODEL_STEPS,
     dict(train_localizer={'model.start_iter': 1})),
])
def test_from_tags_and_images(
        tmp_path, voc_root, monkeypatch, recipe, steps, changes):
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    run_recipe(tmp_path, voc_root, monkeypatch,
               f'../projects/eps_ppc/configs/{recipe}_demo_pipeline', steps, changes)
    work = tmp_path / 'work'
    saliency = sorted((work / 'saliency').glob('*.png'))
    images = sorted((voc_root / 'JPEGImages').iterdir())
    assert [path.stem for path in saliency] == [path.stem for path in images]
    assert np.array(Image.open(saliency[0])).shape == (64, 64)
    trained, = (work / 'train_localizer').glob('*.py')
    prefix = Config.fromfile(trained).train_dataloader.dataset.data_prefix
    assert prefix.saliency_path == str(work / 'saliency')
