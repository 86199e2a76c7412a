# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Seeds, and pseudo labels by a dense CRF: a straight loop, ours.

The straight loop takes an image in every scale and flip through the network one by
one, grows each map to the image, and asks pydensecrf. Ours is what
tools/generate_seeds.py does with an image. Weights are random, time does not depend
on them.
"""

import copy
import os.path as osp
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import Compose
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from PIL import Image
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmwsss.datasets.image_io import read_image
from mmwsss.engine import augmented_loader, check_amp, fast_inference
from mmwsss.ops.dense_crf import forget_images
from mmwsss.utils import project_path, read_config

from .timing import alternate, image_size, ratio_row
from .training import without_weights

CONFIGS = ('cam_mobilenetv1_animals.py', 'cam_r50_voc.py')
# Larger images take minutes each in the straight loop.
LARGEST = 320
PRESENT = 2
THRESHOLD = 0.3


def compare(args) -> Iterator[dict]:
    """One image with two classes: its seed, and its pseudo label."""
    configs = [args.config] if args.config else [
        project_path('configs', 'cam', name) for name in CONFIGS]
    for path in configs:
        cfg = read_config(path)
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        name = osp.splitext(osp.basename(path))[0]
        for size in args.sizes:
            if size <= LARGEST:
                with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
                    file = write_image(folder, size)
                    yield from compare_one(args, cfg, name, size, file, stack)
    if find_spec('pydensecrf') is None:
        raise ImportError('pseudo labels need pydensecrf, to be compared with')


def compare_one(args, cfg, name: str, size: int, file: str,
                stack: ExitStack) -> Iterator[dict]:
    """Both comparisons of one network and one image."""
    plain = build(cfg, args.device)
    pipeline = Compose(augmented_loader(cfg)['dataset']['pipeline'])
    models = {'mmwsss, plain': plain, 'mmwsss': copy.deepcopy(plain)}
    folded = stack.enter_context(fast_inference(models['mmwsss'].module.backbone))
    try:
        check_amp('bf16', args.device)
    except ValueError:
        pass
    else:
        models['mmwsss, bf16'] = copy.deepcopy(plain)
        stack.enter_context(fast_inference(
            models['mmwsss, bf16'].module.backbone, amp='bf16'))
    scales = find_scales(cfg)
    reference = 'straight loop'
    networks = {reference: partial(straight_seed, plain.module, file, scales)}
    networks.update({key: partial(our_seed, model, pipeline, file)
                     for key, model in models.items()})
    case = f'{name}, {len(scales)} scales'
    seconds, seeds = alternate(networks, args.runs, args.clock)
    for key in models:
        yield ratio_row(
            'seeds', f'seed, {case}', seconds, reference, key, size=size,
            folded=folded if key != 'mmwsss, plain' else 0,
            difference=difference(seeds[reference], seeds[key]))
    # The figures of the seeds do not need it.
    if find_spec('pydensecrf') is None:
        return
    rule = MODELS.build(dict(
        type='ThresholdLabel', bg_thr=THRESHOLD,
        refiner=dict(type='DenseCRF', preset='irn_label')))
    labels = {reference: partial(straight_label, networks[reference], file)}
    labels.update({key: partial(our_label, networks[key], rule, file)
                   for key in models})
    seconds, results = alternate(labels, args.runs, args.clock)
    for key in models:
        yield ratio_row(
            'seeds', f'seed and CRF, {case}', seconds, reference, key, size=size,
            agreement=float((results[reference] == results[key]).mean()))


def build(cfg, device: str) -> torch.nn.Module:
    """The model with random weights and statistics, within its test-time model."""
    torch.manual_seed(0)
    model = MODELS.build(without_weights(cfg))
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    tta_model = dict(cfg.get('tta_model') or dict(type='CAMTTAModel'))
    model = MODELS.build(dict(tta_model, module=model)).to(device)
    model.eval()
    return model


def find_scales(cfg) -> list[float]:
    """The scales of the pipeline of seeds."""
    steps = augmented_loader(cfg)['dataset']['pipeline']
    views = next(step for step in steps if step['type'] == 'TestTimeAug')
    return [view['scale'] for group in views['transforms'] for view in group
            if view['type'] == 'PILRescale']


def write_image(folder: str, size: int) -> str:
    """A smooth random image."""
    small = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    path = osp.join(folder, 'photo.jpg')
    Image.fromarray(small).resize(image_size(size)[::-1]).save(path)
    return path


def tags(classes: int) -> np.ndarray:
    """Which classes the image shows, background first."""
    return (np.arange(classes) <= PRESENT).astype(np.uint8)


@torch.no_grad()
def straight_seed(model, file: str, scales: list[float]) -> Tensor:
    """Scores (2, H, W), view by view."""
    original = Image.open(file).convert('RGB')
    width, height = original.size
    padded = ceil(height / 16) * 16, ceil(width / 16) * 16
    preprocessor = model.data_preprocessor
    total = 0
    for scale in scales:
        size = round(width * scale), round(height * scale)
        image = np.asarray(original.resize(size, Image.Resampling.BICUBIC), np.float32)
        image = torch.from_numpy(image).permute(2, 0, 1).to(preprocessor.mean)
        image = ((image - preprocessor.mean) / preprocessor.std)[None]
        for flip in (False, True):
            view = image.flip(-1) if flip else image
            maps = model.class_maps(view).maps.relu()
            maps = maps.flip(-1) if flip else maps
            total = total + F.interpolate(
                maps, padded, mode='bilinear', align_corners=False)
    scores = total[0, :PRESENT, :height, :width]
    return scores / (scores.amax((1, 2), keepdim=True) + 1e-5)


@torch.no_grad()
def our_seed(model, pipeline: Callable, file: str):
    """The full-size seed of the image, as the test loop makes it."""
    width, height = Image.open(file).size
    data = pipeline(dict(
        img_path=file, ori_shape=(height, width), seg_fields=[],
        tags=tags(model.module.num_classes)))
    return model.test_step(pseudo_collate([data]))[0].full_seed


def difference(scores: Tensor, seed) -> float:
    """The largest difference of scores in [0, 1]."""
    return float((scores - seed.scores).abs().max())


def straight_label(make_seed: Callable, file: str) -> np.ndarray:
    """The pseudo label of the straight loop."""
    from pydensecrf.densecrf import DenseCRF2D
    from pydensecrf.utils import unary_from_labels
    scores = make_seed().cpu().numpy()
    image = np.array(Image.open(file).convert('RGB'))
    labels = np.concatenate(
        [np.full_like(scores[:1], THRESHOLD), scores]).argmax(0)
    crf = DenseCRF2D(image.shape[1], image.shape[0], PRESENT + 1)
    crf.setUnaryEnergy(
        unary_from_labels(labels, PRESENT + 1, 0.7, zero_unsure=False))
    crf.addPairwiseGaussian(sxy=3, compat=3)
    crf.addPairwiseBilateral(sxy=50, srgb=5, rgbim=image, compat=10)
    return np.argmax(crf.inference(10), 0).reshape(labels.shape)


@torch.no_grad()
def our_label(make_seed: Callable, rule: Callable, file: str) -> np.ndarray:
    """The pseudo label of our seed; nothing of the image is kept from before."""
    forget_images()
    image = torch.from_numpy(read_image(file)).permute(2, 0, 1)
    return rule(make_seed(), image).cpu().numpy()
