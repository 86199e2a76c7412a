# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Each kind of bad input: one clear sentence that names the file."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from bad_files import (
    coco,
    cut,
    endless_tiff,
    image,
    labels_npy,
    npy,
    npz,
    pixels,
    saved,
)
from mmcv.transforms import Compose
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_matrix
from tool_runner import load_tool
from tool_runner import run_tool as run_script

from mmwsss.apis import import_masks
from mmwsss.datasets.image_io import read_image, read_saliency
from mmwsss.datasets.transforms import LoadMask
from mmwsss.recipes import Recipe
from mmwsss.shards import open_shard
from mmwsss.structures import Seed, load_label_table, read_label_names
from mmwsss.utils import (
    load_config,
    project_path,
    read_class_names,
    read_config,
    read_id_list,
    read_json,
)
from mmwsss.utils.checkpoint import load_checkpoint_file, load_weights
from mmwsss.utils.entry_point import one_line, run_tool

CLASSES = ['background', 'cat', 'dog']
NPY = load_tool('dataset_converters/npy_labels')
VOC = load_tool('dataset_converters/voc_labels')
SBD = load_tool('dataset_converters/sbd')
COCO = load_tool('dataset_converters/coco')
PSA = load_tool('model_converters/psa2mmwsss')


def table(path):
    return load_label_table(path, CLASSES)


def mask(path):
    """Read a mask of an image of 6x4 pixels and 3 classes, as in training."""
    LoadMask()(dict(seg_map_path=path, img_path='p.jpg', ori_shape=(4, 6),
                    num_classes=3, seg_fields=[], reduce_zero_label=False))


def labels(path):
    return NPY.labels_to_names(NPY.load_cls_labels(path), CLASSES, path)


def rows(path):
    return list(open_shard(path).rows())


def annotation(path):
    return VOC.names_in_xml(path, CLASSES)


def instances(path, recipe='B'):
    run_script('dataset_converters/coco', path, '--out', Path(path).parent / 'out',
               '--split', 'x', '--recipe', recipe)


def drawn(path):
    """Take masks that were drawn elsewhere."""
    import_masks(path, str(Path(path).parent / 'out'), CLASSES[:2], 'coco')


def segmented(shape) -> str:
    return coco(annotations=[dict(
        id=1, image_id=1, category_id=3, area=4, segmentation=shape)])


def mat(**truth) -> bytes:
    content = dict(
        Segmentation=np.ones((4, 6), np.uint8),
        Boundaries=np.array([[csc_matrix((4, 6))]], dtype=object))
    content.update(truth)
    fields = np.zeros((1, 1), dtype=[(name, object) for name in content])
    for name, value in content.items():
        fields[name][0, 0] = value
    file = io.BytesIO()
    savemat(file, dict(GTcls=fields))
    return file.getvalue()


GREY = np.zeros((4, 6), np.uint8)
MASK = image(GREY)
CHECKPOINT = saved(dict(state_dict=dict(a=np.zeros(1)), meta={}))
DEEP = '[' * 100_000 + ']' * 100_000
UTF16 = 'a,cat\n'.encode('utf-16')

# Run lengths of an image of 6x4 pixels.
RUNS = [
    (dict(size=[10**9, 10**9], counts='x'), 'a mask has the size .10000'),
    (dict(size=[4, 6], counts=[-5, 29]), 'runs of 24 pixels, expected 24'),
    (dict(size=[4, 6], counts=[10**30]), 'runs of more than 24 pixels'),
    (dict(size=[4, 6], counts=[99]), 'runs of 99 pixels, expected 24')]

# What reads it, its name, its content, what is said of it.
READERS = [
    # tables
    (table, 'none.csv', None, 'none.csv does not exist'),
    (table, 't.csv', '', 'is empty'),
    (table, 't.csv', 'image,tags\n', 'is empty'),
    (table, 't.txt', 'a,cat\n', 'expected a .json or .csv'),
    (table, 't.csv', UTF16, 'is UTF-16: save it as UTF-8'),
    (table, 't.csv', b'a,cat\nb,caf\xe9\n', 'line 2: byte 0xe9 .*Latin-1'),
    (table, 't.csv', b'a,c\0at\n', 'line 1: a NUL byte'),
    (table, 't.csv', 'a,cat\na,dog\n', "line 2: duplicate id 'a', as in line 1"),
    (table, 't.csv', 'a.jpg,cat\na.png,dog\n', "line 2: duplicate id 'a'"),
    (table, 't.csv', 'a,cat\n,dog\n', 'line 2: the row has no image id'),
    (table, 't.csv', 'a,cow\n', "image 'a': unknown class 'cow', .*cat, dog"),
    (table, 't.csv', 'a,Cat\n', "image 'a': unknown class 'Cat'"),
    (table, 't.csv', 'a,"cat\n', 'line 1: unexpected end of data'),
    (table, 't.csv', 'a;cat\nb;dog\n', "separated by ';', expected ','"),
    (table, 't.csv', 'a\tcat\n', "separated by '.t', expected ','"),
    (table, 't.csv', '../a,cat\n', r"id '\.\./a' has an empty part"),
    (table, 't.csv', 'cat/A,cat\nCat/a,dog\n', 'are one where case'),
    (table, 't.csv', 'a.png.jpg,cat\n', "'a.png.jpg' has two image suffixes"),
    (table, 't.csv', 'a,' + 'x' * 200_000, 'line 1: field larger than'),
    (table, 't.json', '{"a": ["cat"', 't.json: Expecting'),
    (table, 't.json', '["a"]', 'expected an object'),
    (table, 't.json', '{"a": "cat"}', "image 'a': expected a list"),
    (table, 't.json', '{"a": [1]}', "image 'a': expected a list"),
    (table, 't.json', '{"a": ["cow"]}', "image 'a': unknown class 'cow'"),
    (table, 't.json', '{"a": ["cat"], "a": ["dog"]}', "duplicate id 'a'"),
    (table, 't.json', '{"a": ["cat"], "a.jpg": ["dog"]}', "duplicate id 'a'"),
    (table, 't.json', '{}', 'is empty'),
    (table, 't.json', '{"/etc/x": ["cat"]}', 'image id'),
    (table, 't.json', '{"": ["cat"]}', "image id '' is empty"),
    (table, 't.json', '{"a": ' + DEEP + '}', 't.json: .*recursion'),
    # lists of images
    (read_id_list, 'none.txt', None, 'none.txt does not exist'),
    (read_id_list, 'l.txt', '\n# none\n', 'is empty'),
    (read_id_list, 'l.txt', 'a\nb\na\n', "duplicate id 'a'"),
    (read_id_list, 'l.txt', 'a\nA\n', 'are one where case'),
    (read_id_list, 'l.txt', '../../esc\n', 'expected a plain relative path'),
    (read_id_list, 'l.txt', UTF16, 'is UTF-16'),
    # lists of classes
    (read_class_names, 'none.txt', None, 'class list .*none.txt'),
    (read_class_names, 'c.txt', '# nothing\n\n', 'class list .* is empty'),
    (read_class_names, 'c.txt', 'cat\nBackground\n', "'Background' is class 2"),
    (read_class_names, 'c.txt', 'background\nbackground', "'background' is class 1"),
    (read_class_names, 'c.txt', 'cat\nCat\n', "'cat' and 'Cat' are the same"),
    (read_class_names, 'c.txt', 'cat\ndog\ncat', "'cat' and 'cat' are the same"),
    (read_class_names, 'c.txt', 'caf\u00e9\ncafe\u0301', 'are the same'),
    (read_class_names, 'c.txt', 'cat\n'.encode('utf-16'), 'is UTF-16: save it as'),
    (read_class_names, 'c.txt', 'cat\n'.encode('utf-32'), 'is UTF-32: save it as'),
    (read_class_names, 'c.txt', 'cat\n'.encode('utf-16-le'), 'line 1: a NUL byte'),
    (read_class_names, 'c.txt', '\n'.join(map(str, range(255))), 'of 8 bits'),
    (read_class_names, 'c.txt', b'caf\xe9\n', 'line 1: byte 0xe9'),
    # masks
    (mask, 'none.png', None, 'none.png'),
    (mask, 'm.png', b'', 'is empty .0 bytes'),
    (mask, 'm.png', cut(MASK), 'cannot read image'),
    (mask, 'm.png', image(GREY[:, :5]), 'is 5x4 .*expected 6x4 as its image p.jpg'),
    (mask, 'm.png', image(pixels()), r'one channel .*got 3 channels'),
    (mask, 'm.png', image(GREY, mode='RGBA'), 'got 4 channels'),
    (mask, 'm.png', image(GREY + 7), 'holds the id 7, .*num_classes=3'),
    (mask, 'm.png', image(GREY.astype(np.uint16) + 300), 'from 0 to 255, got 300'),
    (mask, 'm.png', image(GREY.astype('f4'), 'TIFF'), 'floating point'),
    (mask, 'm.png', image(GREY, 'JPEG'), 'is a JPEG, which changes class ids'),
    (mask, 'm.png', image(GREY, 'TIFF', save_all=True, append_images=[
        Image.new('L', (6, 4))]), 'holds 2 pictures'),
    (mask, 'm.png', endless_tiff(), 'cannot read image'),
    (mask, 'm.png', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'is none of BMP'),
    # shards; more in test_shards
    (rows, 'none.tar', None, 'none.tar does not exist'),
    (rows, 's.tar', b'', 's.tar is no whole plain tar'),
    (rows, 's.tar', b'a.jpg'.ljust(700, b'\0'), 's.tar is no whole plain tar'),
    # images
    (read_image, 'none.jpg', None, 'none.jpg'),
    (read_image, 'p.jpg', b'', 'is empty .0 bytes'),
    (read_image, 'p.jpg', cut(image(pixels(64, 64), 'JPEG')), 'truncated'),
    (read_image, 'p.jpg', '<svg/>', 'is none of BMP, GIF, JPEG'),
    (read_image, 'p.jpg', '<html>404</html>', 'is none of BMP'),
    (read_image, 'p.tif', image(GREY.astype('f4'), 'TIFF'), 'floating point'),
    (read_image, 'p.jpg', b'\0\0\0\x18ftypheic', 'is none of BMP'),
    (read_saliency, 's.png', image(GREY.astype(np.uint16)), 'of 8 bits'),
    # checkpoints
    (load_checkpoint_file, 'none.pth', None, 'none.pth does not exist'),
    (load_checkpoint_file, 'w.pth', b'', 'is not whole or no checkpoint'),
    (load_checkpoint_file, 'w.pth', cut(CHECKPOINT), 'is not whole'),
    (load_checkpoint_file, 'w.pth', '<!DOCTYPE html>', 'is a web page: download'),
    (load_checkpoint_file, 'w.pth', '\n<html>', 'is a web page'),
    (load_checkpoint_file, 'w.pth', 'version https://git-lfs.github.com/spec/v1\n',
     'is a pointer of Git LFS'),
    (load_checkpoint_file, 'w.pth', saved([1, 2]), 'holds a list, expected a dict'),
    (load_checkpoint_file, 'w.pth', saved(dict(state_dict=[1])),
     'state_dict is a list'),
    (load_checkpoint_file, 'w.pth', saved(dict(meta='x')), 'meta is a str'),
    (load_checkpoint_file, 'w.pth', MASK, 'is (refused|not whole)'),
    (load_checkpoint_file, 'w.pth', saved({1: 2}), 'holds something called 1'),
    (load_checkpoint_file, 'w.pth', saved(dict(state_dict={(): 2})), 'called ..,'),
    (load_weights, 'w.pth', saved(dict(epoch=3)), "'epoch' is a int, expected"),
    (PSA.read_mxnet, 'w.params', b'\x12\x01' + bytes(14) + b'\xff' * 8, 'truncated'),
    (PSA.read_mxnet, 'w.params', b'PK', 'is truncated or no MXNet'),
    # seeds
    (Seed.load, 'none.npz', None, 'no seed file .*none.npz'),
    (Seed.load, 's.npz', b'', 'is not a seed file'),
    (Seed.load, 's.npz', cut(npz()), 'is not a seed file'),
    (Seed.load, 's.npz', npy(np.zeros(3)), 'is not a seed file'),
    (Seed.load, 's.npz', npz(scores=None), 'no item named .scores.npy'),
    (Seed.load, 's.npz', npz(size=[9, 9]), r'size \(9, 9\) must be of size'),
    (Seed.load, 's.npz', npz(labels=[3, 4]), 'labels must be 1 integers'),
    (Seed.load, 's.npz', npz(labels=[300]), 'class ids in 1..254'),
    (Seed.load, 's.npz', npz(labels=[1.5]), 'labels holds float64'),
    (Seed.load, 's.npz', npz(scores=np.full((1, 1, 2), np.nan)), r'lie in \[0, 1\]'),
    (Seed.load, 's.npz', npz(scores=np.array([None])), 'scores holds object'),
    # converters
    (labels, 'none.npy', None, 'none.npy'),
    (labels, 'l.npy', b'', 'cannot read'),
    (labels, 'l.npy', cut(labels_npy({'a': np.ones(2)})), 'cannot read'),
    (labels, 'l.npy', npy(np.ones(2)), 'expected a pickled dict'),
    (labels, 'l.npy', labels_npy([1]), 'expected a dict of labels, got list'),
    (labels, 'l.npy', labels_npy({'a': np.ones(20)}), "'a': expected 2 .*got 20"),
    (labels, 'l.npy', labels_npy({'a': np.array([np.nan, 1])}), 'not finite'),
    (labels, 'l.npy', labels_npy({'a': np.array(['x', 'y'])}), "'a': expected num"),
    (labels, 'l.npy', labels_npy({(1, 2): np.ones(2)}), 'is no image id'),
    (annotation, 'none.xml', None, 'none.xml'),
    (annotation, 'a.xml', '', 'is not valid XML'),
    (annotation, 'a.xml', '<a><name>cat</a>', 'is not valid XML: mismatched tag'),
    (SBD.read_annotation, 'a.mat', b'', 'is not an annotation of SBD'),
    (SBD.read_annotation, 'a.mat', cut(mat()), 'is not an annotation of SBD'),
    (SBD.read_annotation, 'a.mat', mat(Segmentation=np.full((4, 6), 99)),
     'class ids up to 20'),
    (SBD.read_annotation, 'a.mat', mat(Segmentation=np.zeros((0, 6), np.uint8)),
     'class ids up to 20'),
    (SBD.read_annotation, 'a.mat', mat(Segmentation=GREY.astype('f8')), 'float64'),
    (instances, 'none.json', None, 'none.json'),
    (instances, 'i.json', '[1]', 'expected COCO instances with images'),
    (instances, 'i.json', coco(images=3), 'images must be a list'),
    (instances, 'i.json', coco(images=[]), 'lists no image|unknown image_id'),
    (instances, 'i.json', coco(images=[dict(id=1)]), r"images\[0\] .*'file_name'"),
    (instances, 'i.json', coco(annotations=[7]), r"annotations\[0\] .*'image_id'"),
    (instances, 'i.json', coco(categories=[dict(id=3, name='a'), dict(id=4, name='A')]),
     "'a' and 'A' are the same class"),
    # annotations of other programs
    *((drawn, 'i.json', segmented(shape), said) for shape, said in RUNS),
    (drawn, 'i.json', segmented([[0, 0, 1, 1]]), 'at least three points'),
    (drawn, 'i.json', segmented(3), 'is no instances file of COCO'),
    (drawn, 'i.json', '{"categories": []}', 'is no instances file of COCO'),
    # JSON and configs
    (read_json, 'none.json', None, 'none.json does not exist'),
    (read_json, 'j.json', '{', 'is not valid JSON'),
    (read_json, 'j.json', UTF16, 'is UTF-16'),
    (load_config, 'none.py', None, 'there is no config .*none.py'),
    (load_config, 'c.yaml', 'a: 1', 'are Python files'),
    (load_config, 'c.json', '{}', 'are Python files'),
    (load_config, 'c.py', 'a = 1\nb = (\n', "line 2, SyntaxError: .* was never"),
    (load_config, 'c.py', 'a = 1\nb = a + x\n', "line 2, NameError: name 'x'"),
    (load_config, 'c.py', "_base_ = './none.py'", "none.py.; `_base_` is relative"),
    # Python 3.11.2 and 3.11.7 differ in the kind.
    (load_config, 'c.py', b'a = 1\0', '(Syntax|Value)Error: .*null byte'),
    (load_config, 'c.py', b'a = "\xff"', "can't decode byte 0xff"),
    (load_config, 'c.py', "custom_imports = dict(imports=['nosuch_module'], "
     'allow_failed_imports=False)', 'Failed to import nosuch_module'),
    (Recipe, 'r.py', 'steps = 3', 'has no list "steps"'),
    (Recipe, 'r.py', "steps = [dict(type='tran')]", "one of .*got 'tran'"),
]


@pytest.mark.parametrize(
    'read, name, content, said', READERS,
    ids=[f'{getattr(row[0], "__name__", "Seed")}-{i}-{row[1]}'
         for i, row in enumerate(READERS)])
def test_reader(read, name, content, said, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises((ValueError, FileNotFoundError), match=said) as raised:
        read(str(path))
    sentence = one_line(raised.value)
    assert name in sentence
    assert len(sentence) < 600
    assert 'object at 0x' not in sentence
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('shape, said', RUNS)
def test_a_refused_conversion_binds_nobody(shape, said, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'coco', COCO)  # for its worker processes
    path = tmp_path / 'i.json'
    path.write_text(segmented(shape))
    with pytest.raises(ValueError, match=f'i.json: .*a.jpg.*{said}'):
        instances(path, 'A')
    path.write_text(coco())
    instances(path)
    with pytest.raises(ValueError, match='made with .*choose another --out'):
        instances(path, 'A')


def test_there_are_many_kinds():
    assert len(READERS) + len(TOOLS) >= 80


def test_good_files_are_read(tmp_path, monkeypatch):
    """The makers of bad files make good ones, too."""
    monkeypatch.setitem(sys.modules, 'coco', COCO)  # for its worker processes
    for read, name, content in (
            (mask, 'm.png', MASK), (load_checkpoint_file, 'w.pth', CHECKPOINT),
            (Seed.load, 's.npz', npz()), (SBD.read_annotation, 'a.mat', mat()),
            (labels, 'l.npy', labels_npy({'a': np.ones(2)})),
            (instances, 'i.json', coco().encode()),
            (read_image, 'p.png', image(pixels()))):
        (tmp_path / name).write_bytes(content)
        read(str(tmp_path / name))


MODEL = """
default_scope = 'mmseg'
model = dict(type='NoSuchModel')
train_dataloader = dict(dataset=dict(type='WeakDemoDataset', data_root='none'))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=.1))
"""
HEADS = MODEL + '''
model.update(decode_head=[dict(type='CAMHead', num_classes=7),
                          dict(type='CAMHead', num_classes=256)])
'''
TEACHER = MODEL + '''
model.update(teacher=dict(auxiliary_head=dict(type='CAMHead', num_classes=0)))
'''
NO_MODEL = "a = 1\n"
RECIPE = "steps = [dict(type='train', config='model.py')]\n"
DEMO = f"_base_ = {project_path('configs', 'cam', 'cam_demo.py')!r}\n"
FILES = {
    'model.py': MODEL, 'heads.py': HEADS, 'teacher.py': TEACHER, 'demo.py': DEMO,
    'empty.py': NO_MODEL, 'recipe.py': RECIPE,
    'file': 'x', 'tags.csv': 'a,cat\n', 'classes.txt': 'cat\ndog\n',
    'bad.pth': '<html>', 'old.json': '{"kept": []}', 'l.npy': 'x'}

# A tool, its arguments, what it says.
TOOLS = [
    ('train', 'none.py', 'there is no config none.py'),
    ('train', 'empty.py', 'empty.py has no model, train_dataloader'),
    ('train', 'recipe.py', 'it is a recipe: run it by tools/pipeline.py'),
    ('train', 'model.py --cfg-options nosuch=1', 'option nosuch: the top has no'),
    # values that cannot be
    ('train', 'model.py --cfg-options model=3', 'option model: it is a dict, got 3'),
    *(('train', f'{config} --cfg-options {option}',
       f'option {option.partition("=")[0]} must be') for config, option in (
           ('model.py', 'model=[]'),
           ('model.py', 'model.decode_head.num_classes=300'),
           ('model.py', 'model.data_preprocessor.size=x'),
           ('model.py', 'load_from=5'), ('model.py', 'log_level=LOUD'),
           ('model.py', 'optim_wrapper.optimizer.lr=nan'),
           ('model.py', 'train_dataloader.dataset=None'),
           ('model.py', 'train_dataloader.dataset.pipeline=[]'),
           ('model.py', 'train_dataloader.batch_size=0'),
           ('model.py', 'train_cfg.max_iters=0'), ('demo.py', 'randomness.seed=1.5'),
           ('demo.py', 'default_hooks.checkpoint.interval=0'))),
    ('train', 'heads.py', 'model.decode_head.1.num_classes must be'),
    ('train', 'teacher.py', 'model.teacher.auxiliary_head.num_classes must be'),
    ('train', 'model.py --cfg-options custom_hooks.0.x=1', 'custom_hooks must be'),
    *(('train', f'demo.py --work-dir w --cfg-options {option}',
       f'cannot be built with the options {option}: ') for option in (
           'model.type=5', 'visualizer=[]', 'model.backbone.depth=19')),
    ('train', 'model.py --amp', '--amp needs a GPU'),
    ('train', 'model.py --work-dir file', 'cannot write into file'),
    ('train', 'model.py --work-dir w', 'NoSuchModel is not in the mmseg::model'),
    ('test', 'empty.py bad.pth', 'empty.py has no model, test_dataloader'),
    ('generate_seeds', 'model.py none.pth --out o', 'there is no checkpoint none.pth'),
    ('generate_seeds', 'model.py bad.pth', 'give --out, --labels-out or --score'),
    ('generate_seeds', 'empty.py bad.pth --out o', 'neither seed_dataloader nor'),
    ('refine_seeds', 'model.py --seeds none --out o --refiner none',
     'there is no folder none'),
    ('refine_seeds', 'model.py --seeds . --out o --refiner none --bg-thr nan',
     'nan is no score from 0 to 1'),
    ('refine_seeds', 'model.py --seeds . --out o --refiner none --bg-thr 3',
     '3 is no score from 0 to 1'),
    ('refine_seeds', 'model.py --seeds . --out o --refiner none --alpha nan',
     'nan is no positive number'),
    ('evaluate_seeds', 'model.py --seeds .', 'model.py has no val_dataloader'),
    ('walk_seeds', 'model.py bad.pth --seeds . --out o', 'model.py has no walk'),
    ('dataset_converters/check_dataset', 'none', 'none/JPEGImages does not exist'),
    ('dataset_converters/check_dataset', '. --classes none.txt', 'none.txt does not'),
    ('dataset_converters/npy_labels', 'l.npy --classes classes.txt --out old.json',
     'cannot read l.npy'),
    ('dataset_converters/npy_labels', 'none.npy --classes voc --out old.json',
     'none.npy'),
    ('dataset_converters/mask_labels', 'none --classes voc --out old.json', 'none'),
    ('dataset_converters/voc_labels', 'none', 'none/Annotations'),
    ('dataset_converters/sbd', 'none --out o', 'none/train.txt does not exist'),
    ('dataset_converters/coco', 'none.json --out o --split x', 'none.json does not'),
    ('dataset_converters/coco', 'old.json --out o --split ../x', "--split: image id"),
    ('dataset_converters/check_dataset', '. --photos . --masks none --classes '
     'classes.txt --labels tags.csv', 'image folder ./. holds no image'),
    ('train', 'demo.py --launcher slurm', '--launcher slurm: srun starts the process'),
    ('dataset_converters/subset', 'none --out o --classes cat', 'image_labels.json'),
    ('dataset_converters/export_masks',
     'none --photos . --classes voc --format coco --out o', 'none does not exist'),
    ('dataset_converters/export_masks',
     '. --photos none --classes voc --format coco --out o', 'none does not exist'),
    ('dataset_converters/import_masks',
     'none.json --classes voc --format coco --out o', 'none.json does not'),
    ('dataset_converters/pack_shards', 'empty.py --out o',
     'empty.py has no train_dataloader'),
    ('dataset_converters/make_demo_data', '--out file --num-train 1 --num-val 1',
     'file'),
    ('model_converters/irn2mmwsss', 'bad.pth out.pth', 'bad.pth is a web page'),
    ('model_converters/psa2mmwsss', 'none.pth out.pth', 'none.pth does not exist'),
    ('model_converters/single_stage2mmwsss', 'bad.pth out.pth', 'is a web page'),
    ('model_converters/deeplab_pytorch2mmwsss', 'bad.pth out.pth', 'is a web page'),
    ('model_converters/mmwsss2onnx', 'model.py none.pth out.pth', 'none.pth does not'),
    ('analysis_tools/cam', 'none.jpg', 'there is no image, folder or pattern none.jpg'),
    ('analysis_tools/cam', 'file --model resnet5O', "the nearest are resnet50"),
    ('analysis_tools/cam', 'file --model test_resnet --weights bad.pth',
     'bad.pth is a web page'),
    ('analysis_tools/cam', 'file --device nosuch',
     "cannot compute on the device 'nosuch': Expected one of cpu"),
    ('analysis_tools/cam', 'file --model clip --classes dog --device cuda:9',
     "cannot compute on the device 'cuda:9': "),
    ('label_photos', 'model.py bad.pth --input . --output o --refiner none '
     '--max-errors -1', '--workers and --max-errors 0'),
    ('analysis_tools/browse_dataset', 'empty.py', 'empty.py has no train_dataloader'),
    ('analysis_tools/make_report', 'model.py none.json --out o', 'none.json does not'),
    ('analysis_tools/plot_offsets', 'curves none', 'none'),
]


@pytest.mark.parametrize('tool, arguments, said', TOOLS)
def test_tool(tool, arguments, said, tmp_path, monkeypatch, capsys):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', [tool, *arguments.split()])
    tool = load_tool(tool)
    with pytest.raises(SystemExit) as ended:
        run_tool(tool.parse_args, tool.main)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert ended.value.code == 2
    assert 'error: ' in error
    assert said in error
    for name, content in FILES.items():
        assert (tmp_path / name).read_text() == content
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize('height, width', [(1, 1), (1, 40), (40, 1), (3, 2)])
def test_images_of_one_pixel(height, width):
    """They are images like any other, also flipped and shrunk."""
    views = Compose([
        dict(type='TestTimeAug', transforms=[
            [dict(type='PILRescale', scale=scale) for scale in (0.5, 1., 2.)],
            [dict(type='RandomFlip', prob=prob) for prob in (0., 1.)],
            [dict(type='LoadMask', optional=True)],
            [dict(type='PackWeakInputs')]])])
    bgr = pixels(width, height)
    packed = views(dict(
        img=bgr, img_shape=(height, width), ori_shape=(height, width),
        img_path='p.png', seg_fields=[], reduce_zero_label=False))
    plain, flipped = packed['inputs'][2:4]
    assert len(packed['inputs']) == 6
    assert torch.equal(plain, torch.from_numpy(bgr).permute(2, 0, 1))
    assert torch.equal(flipped, plain.flip(2))


def test_options_of_a_good_config():
    path = project_path('configs', 'cam', 'cam_demo.py')
    with pytest.raises(ValueError, match=r"cam_demo.py"):
        read_config(path, {'model.decode_head.num_clases': 3})


def test_names_of_a_table_alone(tmp_path):
    """Without classes, a table's own names count."""
    path = tmp_path / 't.json'
    path.write_text(json.dumps({'a': ['cat', 'cat'], 'b': []}))
    assert read_label_names(str(path)) == {'a': ['cat', 'cat'], 'b': []}
