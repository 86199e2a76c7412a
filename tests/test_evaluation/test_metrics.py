# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import torch
from metric_cases import (
    CLASSES,
    THRESHOLDS,
    build,
    make_sample,
    run_process,
    score,
)
from mmengine.config import Config
from mmseg.evaluation import IoUMetric
from torch import multiprocessing

from mmwsss.evaluation.metrics import confusion_scores
from mmwsss.evaluation.metrics.confusion_metric import (
    metric_settings,
    seed_metric_settings,
)
from mmwsss.utils import project_path

NUM_IMAGES = 5


def label_maps(threshold, indices=range(NUM_IMAGES)):
    """Truth and prediction of all counted pixels."""
    truth, pred = [], []
    for index in indices:
        sample = make_sample(index)
        gt = sample['gt_sem_seg']['data'][0].numpy()
        mask = sample['full_seed'].to_mask(threshold).numpy()
        truth.append(gt[gt != 255])
        pred.append(mask[gt != 255])
    return np.concatenate(truth), np.concatenate(pred)


def naive_scores(truth, pred):
    """One class after the other, from label maps."""
    iou, precision, recall = [], [], []
    for label in range(len(CLASSES)):
        both = ((truth == label) & (pred == label)).sum()
        iou.append(both / ((truth == label) | (pred == label)).sum())
        precision.append(both / (pred == label).sum())
        recall.append(both / (truth == label).sum())
    p, r = np.mean(precision), np.mean(recall)
    found = (truth > 0) & (pred > 0)
    return {key: 100 * value for key, value in dict(
        mIoU=np.mean(iou), precision=p, recall=r, F1=2 * p * r / (p + r),
        FPR=(pred[truth == 0] > 0).mean(),
        FNR=(pred[truth > 0] == 0).mean(),
        object_IoU=found.sum() / ((truth > 0) | (pred > 0)).sum(),
        class_accuracy=(pred == truth)[found].mean()).items()}


def test_seed_metric_against_naive():
    every = [naive_scores(*label_maps(t)) for t in THRESHOLDS]
    best = int(np.argmax([one['mIoU'] for one in every]))
    scores = score('seed', range(NUM_IMAGES), NUM_IMAGES)
    for key, value in every[best].items():
        assert scores[f'seed/{key}'] == pytest.approx(value)
    assert scores['seed/threshold'] == THRESHOLDS[best]


def test_seed_metric_at_a_given_threshold(tmp_path):
    path = tmp_path / 'details.json'
    scores = score('seed', range(NUM_IMAGES), NUM_IMAGES, bg_thr=.3,
                   out_file=str(path), protocol=dict(split='val'))
    expected = naive_scores(*label_maps(.3))
    assert scores['seed/mIoU'] == pytest.approx(expected['mIoU'])
    assert scores['seed/threshold'] == .3
    written = json.loads(path.read_text())
    details = written['details']
    assert details['thresholds'] == [.1, .25, .3, .5]
    assert details['mIoU'] == pytest.approx(
        [naive_scores(*label_maps(t))['mIoU'] for t in (.1, .25, .3, .5)])
    assert written['seed/mIoU'] == scores['seed/mIoU']
    assert '0.3 (given)' in written['protocol']
    assert 'split val (5 masks of 5 images)' in written['protocol']
    assert 'supervision not stated' in written['protocol']


def test_a_sweep_goes_on_beyond_its_edge(tmp_path):
    path = tmp_path / 'details.json'
    scores = score('seed', range(NUM_IMAGES), NUM_IMAGES, thresholds=(.0, .03),
                   out_file=str(path))
    grid = [round(.03 * step, 9) for step in range(34)]
    every = [naive_scores(*label_maps(t))['mIoU'] for t in grid]
    best = int(np.argmax(every))
    assert best > 1
    assert scores['seed/threshold'] == pytest.approx(grid[best])
    assert scores['seed/mIoU'] == pytest.approx(every[best])
    assert json.loads(path.read_text())['details']['thresholds'] == grid
    # A best value inside the sweep ends it.
    scores = score('seed', range(NUM_IMAGES), NUM_IMAGES, out_file=str(path),
                   thresholds=(.0, grid[best], .9))
    assert scores['seed/threshold'] == pytest.approx(grid[best])
    assert json.loads(path.read_text())['details']['thresholds'][-1] == .9
    # Nor does a sweep go on that is told not to.
    scores = score('seed', range(NUM_IMAGES), NUM_IMAGES, thresholds=(.0, .03),
                   extend=False)
    best = int(np.argmax(every[:2]))
    assert scores['seed/threshold'] == grid[best]
    assert scores['seed/mIoU'] == pytest.approx(every[best])


def test_stride_4_seeds_are_upsampled():
    from mmwsss.structures import Seed
    sample = make_sample(0)
    del sample['full_seed']
    sample['seed'] = Seed(torch.rand(1, 3, 3), [1], (9, 12))
    metric = build('seed')
    metric.process({}, [sample])
    strided = metric.evaluate(1)
    sample['full_seed'] = Seed(sample['seed'].upsample(), [1], (9, 12))
    metric.process({}, [sample])
    assert metric.evaluate(1) == strided


def test_no_image_counts_twice():
    expected = score('seed', range(NUM_IMAGES), NUM_IMAGES)
    assert score('seed', [0, 0, 1, 2, 1, 3, 4, 4], NUM_IMAGES) == expected


def test_metric_starts_afresh():
    metric = build('mask')
    for _ in range(2):
        for index in range(NUM_IMAGES):
            metric.process({}, [make_sample(index)])
        scores = metric.evaluate(NUM_IMAGES)
    assert scores == score('mask', range(NUM_IMAGES), NUM_IMAGES)


def test_tag_map():
    samples = [make_sample(index) for index in range(NUM_IMAGES)]
    expected = []
    for label in range(3):
        tagged = np.array([one['tags'][label + 1] for one in samples])
        order = np.argsort(
            [-float(one['pred_label_scores'][label]) for one in samples])
        hits = tagged[order].cumsum()
        precision = hits / np.arange(1, NUM_IMAGES + 1)
        if hits[-1]:
            expected.append(precision[tagged[order] == 1].mean())
    scores = score('seed', range(NUM_IMAGES), NUM_IMAGES)
    assert scores['seed/tag_mAP'] == pytest.approx(100 * np.mean(expected))


def test_masks_missing():
    sample = make_sample(0)
    del sample['gt_sem_seg']
    with pytest.raises(ValueError, match='photos/0.jpg has no mask'):
        build('seed').process({}, [sample])
    metric = build('seed', on_missing_mask='skip')
    metric.process({}, [sample])
    assert list(metric.evaluate(1)) == ['seed/tag_mAP']
    metric.process({}, [sample, make_sample(1)])
    assert metric.evaluate(2)['seed/mIoU'] == (
        score('seed', [1], 1)['seed/mIoU'])


def test_errors_name_the_image():
    sample = make_sample(3)
    sample['gt_sem_seg']['data'] = torch.zeros(1, 4, 4).long()
    with pytest.raises(ValueError, match='photos/3.jpg.*shape'):
        build('seed').process({}, [sample])
    with pytest.raises(ValueError, match='photos/3.jpg.*shape'):
        build('mask').process({}, [sample])
    sample = make_sample(3)
    del sample['full_seed']
    with pytest.raises(ValueError, match='photos/3.jpg.*full_seed'):
        build('seed').process({}, [sample])
    with pytest.raises(ValueError, match='unknown protocol'):
        build('seed', protocol=dict(spilt='val'))
    with pytest.raises(ValueError, match='on_missing_mask'):
        build('seed', on_missing_mask='ignore')


def test_mask_metric_agrees_with_mmseg():
    ours, theirs = build('mask'), IoUMetric()
    theirs.dataset_meta = dict(classes=CLASSES)
    for index in range(NUM_IMAGES):
        sample = make_sample(index)
        sample['pred_sem_seg']['data'][0, 0, 0] = 1
        ours.process({}, [sample])
        theirs.process({}, [sample])
    scores = ours.evaluate(NUM_IMAGES)
    expected = theirs.evaluate(NUM_IMAGES)
    assert round(scores['mask/mIoU'], 2) == pytest.approx(expected['mIoU'])
    assert round(scores['mask/accuracy'], 2) == pytest.approx(expected['aAcc'])


def test_undecided_predictions():
    def mean_iou(pred_ignore, new):
        metric = build('mask', pred_ignore=pred_ignore)
        for index in range(NUM_IMAGES):
            sample = make_sample(index)
            if new is not None:
                name = 'pred_sem_seg' if new == 0 else 'gt_sem_seg'
                sample[name]['data'][0, 0, 0] = new
            metric.process({}, [sample])
        return metric.evaluate(NUM_IMAGES)['mask/mIoU']

    assert mean_iou('background', None) == mean_iou('background', 0)
    assert mean_iou('ignore', None) == mean_iou('background', 255)
    assert mean_iou('ignore', None) != mean_iou('background', None)


def test_two_processes(tmp_path):
    multiprocessing.start_processes(
        run_process, (2, str(tmp_path)), nprocs=2, start_method='fork')
    results = [json.loads((tmp_path / f'{rank}.json').read_text())
               for rank in range(2)]
    assert results[0] == results[1]
    for num_images in (1, 5, 6):
        expected = [score(metric, range(num_images), num_images)
                    for metric in ('seed', 'mask')]
        for round_up in (True, False):
            # NaN is equal to NaN here.
            np.testing.assert_equal(
                results[0][f'{num_images} {round_up}'], expected)
    assert 'counted by more than one process' in results[0]['overlap']


def test_confusion_scores_of_absent_classes():
    # Class 1 is never predicted, 2 only predicted, 3 neither.
    scores = confusion_scores(
        np.array([[6, 0, 2, 0], [2, 0, 0, 0], [0] * 4, [0] * 4]))
    np.testing.assert_allclose(scores['IoU'], [60, 0, 0, np.nan])
    np.testing.assert_allclose(scores['precision'], [75, 0, 0, np.nan])
    np.testing.assert_allclose(scores['recall'], [75, 0, np.nan, np.nan])
    assert scores['mIoU'] == pytest.approx(20)
    assert scores['mPrecision'] == pytest.approx(25)
    assert scores['mRecall'] == pytest.approx(37.5)
    assert scores['F1'] == pytest.approx(2 * 25 * 37.5 / 62.5)
    assert scores['FPR'] == pytest.approx(25)
    assert scores['FNR'] == pytest.approx(100)
    assert scores['object_IoU'] == 0 and np.isnan(scores['class_accuracy'])


def test_counts_are_64_bit():
    """COCO's background outgrows 32 bits."""
    confusion = torch.tensor([[2**33, 1], [0, 2**33]])
    assert confusion_scores(confusion)['accuracy'] < 100


def test_metric_settings():
    cfg = Config(dict(val_evaluator=[
        dict(type='IoUMetric'), dict(type='SeedMetric', bg_thr=.2)]))
    assert metric_settings(cfg, 'SeedMetric')['bg_thr'] == .2
    assert metric_settings(cfg, 'MaskMetric') == dict(type='MaskMetric')


@pytest.mark.parametrize('config, views', [
    ('cam/cam_r50_voc.py', '0.5, 1, 1.5, 2 with flips'),
    ('sance/ablations/sance_r101_voc_wo-tta.py', '1'),
])
def test_protocol_names_the_views_of_seeds(config, views):
    cfg = Config.fromfile(project_path('configs', *config.split('/')))
    assert seed_metric_settings(cfg)['protocol']['scales'] == views
    cfg.seed_dataloader.dataset.pipeline = cfg.test_pipeline
    protocol = metric_settings(cfg, 'SeedMetric')['protocol']
    assert seed_metric_settings(cfg)['protocol'] == protocol
