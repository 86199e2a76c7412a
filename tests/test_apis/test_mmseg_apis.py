# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""mmseg's own functions run our configs."""

import re
from pathlib import Path

import numpy as np
import pytest
from mmcv.transforms import Compose
from mmseg.apis import MMSegInferencer, inference_model, init_model
from PIL import Image

import mmwsss  # noqa: F401
from mmwsss.utils import project_path


@pytest.fixture
def image(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 52, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'photo.png')
    return str(tmp_path / 'photo.png'), np.ascontiguousarray(pixels[..., ::-1])


@pytest.mark.parametrize('name', [
    'cam/cam_demo', 'deeplab/deeplabv2_demo', 'sance/sance_demo',
    'single_stage/single_stage_demo', 'fsae/fsae_esol_demo'])
def test_a_file_and_its_pixels_give_the_same_mask(image, name):
    path, pixels = image
    config = project_path('configs', f'{name}.py')
    model = init_model(config, device='cpu')
    of_file = inference_model(model, path).pred_sem_seg.data
    of_array, = inference_model(model, [pixels])
    assert of_file.shape == (1, 40, 52)
    assert (of_file == of_array.pred_sem_seg.data).all()

    classes = model.num_classes if hasattr(model, 'num_classes') else 7
    inferencer = MMSegInferencer(
        config, device='cpu', classes=['x'] * classes, palette=[[0, 0, 0]] * classes)
    inferencer.model.load_state_dict(model.state_dict())
    masks = inferencer([path, pixels], show=False)['predictions']
    for mask in masks:
        np.testing.assert_array_equal(mask, of_file[0].numpy())


def test_networks_of_boundaries_say_what_they_are_not(image):
    model = init_model(project_path('configs', 'irn', 'irn_demo.py'), device='cpu')
    with pytest.raises(ValueError, match='ContourHead predicts no classes'):
        inference_model(model, image[0])


def test_configs_of_mmseg_stay_as_they_are(image):
    """What is told to MMSegInferencer concerns our loader only."""
    from mmengine.config import Config
    inferencer = object.__new__(MMSegInferencer)
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=[
        dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
        dict(type='PackSegInputs')]))))
    pipeline = MMSegInferencer._init_pipeline(inferencer, cfg)
    assert [type(transform).__name__ for transform in pipeline.transforms] == [
        'InferencerLoader', 'PackSegInputs']
    cfg.test_dataloader.dataset.pipeline = [dict(type='PackSegInputs')]
    with pytest.raises(ValueError, match='LoadImageFromFile is not found'):
        MMSegInferencer._init_pipeline(inferencer, cfg)


def test_the_readme_mixes_a_head_into_a_config_of_mmseg(image, tmp_path):
    path = Path(project_path('configs')).parent / 'README.md'
    if not path.exists():
        pytest.skip('an install has no README')
    snippet, = re.findall(r"```python\n(_base_ = 'mmseg::.*?)```",
                          path.read_text(encoding='utf-8'), re.DOTALL)
    (tmp_path / 'mixed.py').write_text(snippet)
    model = init_model(str(tmp_path / 'mixed.py'), device='cpu',
                       cfg_options={'model.backbone.norm_cfg.type': 'BN'})
    assert type(model.decode_head).__name__ == 'CAMHead'
    result = inference_model(model, image[0])
    assert result.pred_sem_seg.data.shape == (1, 40, 52)

    mask = np.zeros((40, 52), np.uint8)
    mask[5:20, 5:20], mask[0, 0] = 3, 255
    Image.fromarray(mask).save(tmp_path / 'mask.png')
    for dataset in model.cfg.train_dataloader.dataset.datasets:
        packed = Compose(dataset.pipeline)(dict(
            img_path=image[0], seg_map_path=str(tmp_path / 'mask.png'),
            reduce_zero_label=False, seg_fields=[]))
        assert np.flatnonzero(packed['data_samples'].tags).tolist() == [0, 3]
