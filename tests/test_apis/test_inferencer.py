# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy
import json
import os

import numpy as np
import pytest
import torch
from bad_files import Trap
from inferencer_models import (
    CLASSES,
    cam_model,
    make_image,
    save_checkpoint,
    segmentation_model,
)
from mmseg.registry import MODELS
from PIL import Image

from mmwsss.apis import WSSSInferencer
from mmwsss.apis.results import class_file_name


@pytest.fixture
def cam(tmp_path):
    return WSSSInferencer(*cam_model(tmp_path), device='cpu')


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name, colors in (('a', ('red', )), ('b', ('red', 'green')), ('c', ())):
        Image.fromarray(make_image(*colors)).save(folder / f'{name}.png')
    (folder / 'notes.txt').write_text('not an image')
    return folder


def square(i=0, size=(48, 64)):
    mask = np.zeros(size, bool)
    mask[16:32, 8 + 32 * i:24 + 32 * i] = True
    return mask


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_finds_the_class_and_its_place(cam, images):
    result = cam(str(images / 'a.png'))
    assert result['name'] == 'a'
    assert set(result['scores']) == set(CLASSES[1:])
    assert result['scores']['red'] > 0.5 > result['scores']['green']
    assert result['seed'].labels.tolist() == [1]
    assert result['seed'].size == (48, 64)
    assert set(result['cams']) == {'red'}
    mask = result['mask']
    assert mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 1}
    assert iou(mask == 1, square()) > 0.6
    overlay, image = result['overlay'].astype(int), make_image('red').astype(int)
    np.testing.assert_array_equal(overlay[40:, 50:], image[40:, 50:])
    heat = result['cams']['red'].astype(int)
    assert (heat[20:28, 12:20, 0] > heat[20:28, 12:20, 2]).all()


@pytest.mark.parametrize('tta', [False, True])
def test_tags_filter_the_classes(tmp_path, images, tta):
    inferencer = WSSSInferencer(*cam_model(tmp_path), device='cpu', tta=tta)
    both = inferencer(images / 'b.png')
    assert both['seed'].labels.tolist() == [1, 2]
    assert iou(both['mask'] == 1, square(0)) > 0.5
    assert iou(both['mask'] == 2, square(1)) > 0.5
    green = inferencer(images / 'b.png', tags=['green'])
    assert green['seed'].labels.tolist() == [2]
    assert set(np.unique(green['mask'])) == {0, 2}
    # A tag below the threshold of the model counts, too.
    assert inferencer(
        images / 'b.png', tags=['blue'])['seed'].labels.tolist() == [3]
    assert inferencer(images / 'b.png', tags=[])['mask'].max() == 0


def test_tta_and_single_scale_differ_but_agree(tmp_path, images):
    cfg, weights = cam_model(tmp_path)
    results = [
        WSSSInferencer(cfg, weights, device='cpu', tta=tta)(images / 'a.png')
        for tta in (False, True)
    ]
    single, multi = (result['seed'].scores for result in results)
    assert not torch.equal(single, multi)
    assert iou(results[0]['mask'] > 0, results[1]['mask'] > 0) > 0.6


def test_array_and_file_agree(cam, images):
    from_file = cam(images / 'b.png')
    from_array = cam(make_image('red', 'green'))
    np.testing.assert_array_equal(from_file['mask'], from_array['mask'])
    assert from_file['scores'] == from_array['scores']


def test_folder_with_outputs(cam, images, tmp_path):
    out = tmp_path / 'out'
    results = cam(str(images), out_dir=str(out), show_progress=False)
    assert [result['name'] for result in results] == ['a', 'b', 'c']
    assert results[2]['mask'].max() == 0 and results[2]['cams'] == {}
    written = sorted(
        str(path.relative_to(out)) for path in out.rglob('*') if path.is_file())
    assert written == [
        'cams/a/red.jpg', 'cams/b/green.jpg', 'cams/b/red.jpg', 'masks/a.png',
        'masks/b.png', 'masks/c.png', 'overlays/a.jpg', 'overlays/b.jpg',
        'overlays/c.jpg', 'photos.json', 'scores.json'
    ]
    with Image.open(out / 'masks' / 'b.png') as mask:
        assert mask.mode == 'P' and mask.getpalette()[3:6] == [255, 0, 0]
        np.testing.assert_array_equal(np.asarray(mask), results[1]['mask'])
    scores = json.loads((out / 'scores.json').read_text())
    assert scores == {result['name']: result['scores'] for result in results}


def test_folder_pattern_and_list_give_lists(cam, images):
    assert len(cam(str(images / '[ab].png'), show_progress=False)) == 2
    mixed = cam([images / 'a.png', make_image('blue')], show_progress=False)
    assert [result['name'] for result in mixed] == ['a', 'photo_1']
    assert len(cam([images / 'a.png'])) == 1


def test_large_images_are_reduced_for_the_model(tmp_path):
    cfg, weights = cam_model(tmp_path)
    image = make_image('red', 'green').repeat(3, 0).repeat(3, 1)
    sizes = []
    for max_long in (64, None):
        inferencer = WSSSInferencer(cfg, weights, device='cpu', max_long=max_long)
        inferencer.model.backbone.register_forward_pre_hook(
            lambda _, inputs: sizes.append(inputs[0].shape[2:]))
        result = inferencer(image)
        assert result['mask'].shape == image.shape[:2]
        assert result['seed'].size == image.shape[:2]
        expected = square().repeat(3, 0).repeat(3, 1)
        assert iou(result['mask'] == 1, expected) > 0.6
    assert sizes == [(48, 64), (144, 192)]


def test_thresholds(tmp_path):
    cfg, weights = cam_model(tmp_path)
    eager = WSSSInferencer(
        cfg, weights, device='cpu', score_thr=0., bg_thr=0.9)
    result = eager(make_image('red'))
    assert result['seed'].labels.tolist() == [1, 2, 3]
    default = WSSSInferencer(cfg, weights, device='cpu')(make_image('red'))
    assert (result['mask'] == 1).sum() < (default['mask'] == 1).sum()


def test_segmentation_model(tmp_path, images):
    inferencer = WSSSInferencer(*segmentation_model(tmp_path), device='cpu')
    out = tmp_path / 'out'
    result = inferencer(images / 'b.png', out_dir=str(out))
    assert result['scores'] is result['seed'] is result['cams'] is None
    assert iou(result['mask'] == 1, square(0)) > 0.7
    assert iou(result['mask'] == 2, square(1)) > 0.7
    assert sorted(os.listdir(out)) == ['masks', 'overlays', 'photos.json']
    tagged = inferencer(images / 'b.png', tags=['green'])
    assert set(np.unique(tagged['mask'])) == {0, 2}
    tta = WSSSInferencer(*segmentation_model(tmp_path), device='cpu', tta=True)
    assert iou(tta(images / 'b.png')['mask'] == 1, square(0)) > 0.6
    with pytest.raises(ValueError, match='tta=False'):
        tta(images / 'b.png', tags=['green'])


def test_checkpoint_of_a_stage_enters_it(tmp_path):
    cfg, weights = cam_model(tmp_path, head='ESOLHead', stage='shrink')
    inferencer = WSSSInferencer(cfg, weights, device='cpu')
    assert inferencer.model.stage == 'shrink'
    assert inferencer(make_image('red'))['mask'].shape == (48, 64)
    assert inferencer.model.decode_head.conv_2.last_offset is not None


def test_images_that_are_none(cam, images, tmp_path):
    with pytest.raises(FileNotFoundError, match='nothing.jpg'):
        cam(str(tmp_path / 'nothing.jpg'))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='empty.*holds no image'):
        cam(str(tmp_path / 'empty'))
    with pytest.raises(ValueError, match='list of images is empty'):
        cam([])
    with pytest.raises(ValueError, match='RGB uint8'):
        cam(np.zeros((8, 8), np.uint8))
    with pytest.raises(TypeError, match='int'):
        cam(3)
    Image.fromarray(make_image()).save(images / 'a.bmp')
    with pytest.raises(ValueError, match="duplicate id 'a'"):
        cam(str(images))


def test_no_image_takes_the_place_of_another(cam, images, tmp_path):
    """Photos of one name in two folders, in one run and in two."""
    for folder, colour in (('cat', 'red'), ('dog', 'green')):
        (images / folder).mkdir()
        Image.fromarray(make_image(colour)).save(images / folder / '000.png')
    out = tmp_path / 'out'
    results = cam(str(images), out_dir=str(out), show_progress=False)
    assert [result['name'] for result in results] == [
        'a', 'b', 'c', 'cat/000', 'dog/000']
    for folder, colour in (('cat', 'red'), ('dog', 'green')):
        assert os.listdir(out / 'cams' / folder / '000') == [f'{colour}.jpg']
    pattern = cam(str(images / '*' / '000.png'), show_progress=False)
    assert [result['name'] for result in pattern] == ['cat/000', 'dog/000']

    out = tmp_path / 'two'
    cam(str(images / 'cat'), out_dir=str(out), show_progress=False)
    before = (out / 'masks' / '000.png').read_bytes()
    with pytest.raises(ValueError, match=r"cat/000.png as '000', which .*dog/000.png"):
        cam(str(images / 'dog'), out_dir=str(out), show_progress=False)
    assert (out / 'masks' / '000.png').read_bytes() == before
    # The same image again, and others: nothing of the first run is lost.
    cam(str(images / 'cat'), out_dir=str(out), show_progress=False)
    cam(images / 'a.png', out_dir=str(out))
    assert set(json.loads((out / 'scores.json').read_text())) == {'000', 'a'}
    (out / 'photos.json').unlink()
    with pytest.raises(ValueError, match='does not say of which photo'):
        cam(images / 'a.png', out_dir=str(out))
    (out / 'photos.json').write_text('[')
    with pytest.raises(ValueError, match='photos.json'):
        cam(images / 'a.png', out_dir=str(out))


def test_files_that_are_not_used_are_named(cam, images, monkeypatch):
    said = []
    monkeypatch.setattr('mmwsss.datasets.folder.print_log',
                        lambda text, **kwargs: said.append(text))
    (images / 'd.heic').write_text('x')
    (images / 'e.svg').write_text('x')
    Image.fromarray(make_image('red')).save(images / '.hidden.png')
    results = cam(str(images), show_progress=False)
    assert [result['name'] for result in results] == ['a', 'b', 'c']
    assert '1 .heic' in said[0] and '1 .svg' in said[0]


def test_names_of_class_files():
    names = ['b_c', 'b c', 'b/c', 'b%2Fc', 'b.c', '../b', 'B C', '猫']
    files = [class_file_name(name) for name in names]
    assert len(set(files)) == len(names)
    assert all('/' not in name and name not in ('.', '..') for name in files)


def test_a_broken_image_keeps_what_is_written(cam, images, tmp_path):
    data = (images / 'b.png').read_bytes()
    (images / 'b.png').write_bytes(data[:len(data) // 2])
    out = tmp_path / 'out'
    with pytest.raises(ValueError, match='b.png'):
        cam(str(images), out_dir=str(out), show_progress=False)
    written = sorted(path.name for path in out.rglob('*') if path.is_file())
    assert written == ['a.jpg', 'a.png', 'photos.json', 'red.jpg', 'scores.json']
    assert set(json.loads((out / 'scores.json').read_text())) == {'a'}
    (images / 'b.png').write_text('no image at all')
    with pytest.raises(ValueError, match='b.png'):
        cam(images / 'b.png')


def test_unknown_tag(cam):
    with pytest.raises(ValueError, match='unknown tag cow.*red, green, blue'):
        cam(make_image('red'), tags=['red', 'cow'])
    with pytest.raises(ValueError, match='unknown tag background'):
        cam(make_image('red'), tags=['background'])
    with pytest.raises(TypeError, match='list of class names'):
        cam(make_image('red'), tags='red')


def test_checkpoints_that_do_not_fit(tmp_path):
    cfg, weights = cam_model(tmp_path)
    with pytest.raises(FileNotFoundError, match='missing.pth'):
        WSSSInferencer(cfg, str(tmp_path / 'missing.pth'), device='cpu')
    other, other_weights = segmentation_model(tmp_path)
    with pytest.raises(ValueError, match='segmentation.pth is not a checkpoint'):
        WSSSInferencer(cfg, other_weights, device='cpu')
    more = copy.deepcopy(cfg)
    more.model.decode_head.num_classes = 5
    wider = save_checkpoint(more, tmp_path / 'wider.pth')
    with pytest.raises(ValueError, match='wider.pth is not a checkpoint'):
        WSSSInferencer(cfg, wider, device='cpu')
    with pytest.raises(ValueError, match='num_classes=5.*4 class names'):
        WSSSInferencer(more, wider, device='cpu')


def test_malicious_checkpoint(tmp_path):
    cfg, _ = cam_model(tmp_path)
    state = MODELS.build(cfg.model).state_dict()
    path = str(tmp_path / 'malice.pth')
    torch.save(dict(state_dict=state, meta=Trap(tmp_path / 'ran')), path)
    with pytest.raises(ValueError, match='malice.pth'):
        WSSSInferencer(cfg, path, device='cpu')
    assert not (tmp_path / 'ran').exists()


def test_class_names_without_meta(tmp_path):
    cfg, _ = cam_model(tmp_path)
    bare = save_checkpoint(cfg, tmp_path / 'bare.pth', dataset_meta=None)
    with pytest.raises(ValueError, match='name no classes'):
        WSSSInferencer(cfg, bare, device='cpu')
    inferencer = WSSSInferencer(cfg, bare, device='cpu', classes=CLASSES)
    assert inferencer.classes == CLASSES and len(inferencer.palette) == 4
    cfg.test_dataloader = None
    with pytest.raises(ValueError, match='name no classes'):
        WSSSInferencer(cfg, bare, device='cpu')


def test_configs(tmp_path):
    cfg, weights = cam_model(tmp_path)
    before = cfg.to_dict()
    WSSSInferencer(
        cfg, weights, device='cpu',
        cfg_options={'model.decode_head.bg_thr': 0.3})
    assert cfg.to_dict() == before, 'the config of the caller stays as it is'
    with pytest.raises(FileNotFoundError, match='no config no_such_config'):
        WSSSInferencer('no_such_config', weights)
    cfg.pop('tta_model')
    with pytest.raises(ValueError, match='tta_model'):
        WSSSInferencer(cfg, weights, device='cpu', tta=True)
