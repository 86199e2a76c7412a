# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss run``: from a folder of tagged images to a model and a report."""

import argparse
import os
import os.path as osp
import shutil
from collections.abc import Sequence

from mmwsss.utils import (
    load_config,
    project_path,
    read_id_list,
    read_lines,
    write_lines,
)
from mmwsss.utils.projects import PROJECTS

from .check import add_layout_arguments
from .tools import call_tool, option_words

METHODS = dict(
    cam='cam/cam', esol='esol/esol', irn='irn/irn', sance='sance/sance',
    single_stage='single_stage/single_stage', fsae='fsae/fsae_esol',
    self_training='self_training/self_training')
"""Method -> the beginning of its recipe's name in ``configs/``."""

PRESETS = dict(cpu=('_mobilenetv1', 384), gpu=('', 640))
"""Device -> the recipes' small or large backbone, and the long side of images."""

NEXT = 'next: mmwsss predict {} PHOTOS'
"""What the command line says in the end, of the folder of the run."""

LISTS = dict(train_list='train.txt', seed_list='seeds.txt', val_list='val.txt',
             test_list='test.txt')
"""Variable of the recipes -> the list that the images are laid out with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``mmwsss run``."""
    parser.add_argument('data', help='folder of photos with tags')
    parser.add_argument('--out', help='where all is written; by default '
                        'work_dirs/<name of the folder>')
    parser.add_argument('--preset', choices=PRESETS, help='cpu: a small backbone, '
                        'small views; gpu: ResNet-50 (default: as the machine is)')
    names = ', '.join((*METHODS, *PROJECTS))
    parser.add_argument('--method', default='cam', help=f'{names}, or a recipe of your '
                        'own (default: cam)')
    parser.add_argument('--weights', metavar='FILE', help='initial weights, instead '
                        'of a download')
    parser.add_argument('--max-long', type=int, help='work on copies of at most this '
                        'long side (default: 384 on cpu, 640 on gpu)')
    add_layout_arguments(parser)
    parser.add_argument('--force', action='store_true', help='go on where a check '
                        'says that it is of no use')
    parser.add_argument('--full', action='store_true', help='train the model on the '
                        "training photos' masks, too, to compare: each needs one")
    parser.add_argument('--gpus', type=int, default=1, help='processes')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='changes to the recipe, as in tools/pipeline.py')


def run(data: str,
        out: str | None = None,
        preset: str | None = None,
        method: str = 'cam',
        weights: str | None = None,
        tags: str | None = None,
        masks: str | None = None,
        classes: str | None = None,
        max_long: int | None = None,
        force: bool = False,
        gpus: int = 1,
        cfg_options: Sequence[str] = (),
        full: bool = False) -> str:
    """Train a segmentation model on tagged images.

    The layout of the folder is found, see
    :func:`mmwsss.image_folder.find_layout`. Where there are masks, some choose
    threshold, stage and refiner and others score the final model; training reads none
    of these images. The same call goes on after a kill.

    Args:
        data (str): The folder of images. For the method ``'clip'``, and any recipe
            that has the variable ``prompts``, it may hold ``prompts.txt``, other
            words for the classes of ``classes.txt``.
        out (str, optional): Where all is written. Defaults to
            ``work_dirs/<name of the folder>``.
        preset (str, optional): ``'cpu'`` or ``'gpu'``. Defaults to what the machine
            has.
        method (str): One of ``METHODS`` or ``PROJECTS``, or a recipe's file. Where
            this has ``known_classes = True``, its localizer knows the classes before
            any tag, as CLIP does, and it matters little how many images show one.
            Defaults to 'cam'.
        weights (str, optional): A file of initial weights.
        tags (str, optional): The table of tags, where it is not found.
        masks (str, optional): The folder of masks, likewise.
        classes (str, optional): The list of classes, likewise.
        max_long (int, optional): The long side of the copies of larger images.
        force (bool): Whether to go on where a check fails. Defaults to False.
        gpus (int): Processes of each training. Defaults to 1.
        cfg_options (Sequence[str]): ``key=value`` changes to the recipe.
        full (bool): Whether to train the same model on the masks of the training
            images, too, for comparison. Defaults to False.

    Returns:
        str: The folder ``out``; its ``report.html`` tells the rest.

    Raises:
        FileNotFoundError: If there is no such folder or file, or ``full`` and not all
            images that it needs have masks.
        ToolFailed: If a tool fails, or a check stops the run (``status`` 3).
    """
    if not osp.isdir(data):
        raise FileNotFoundError(f'there is no folder {data}')
    if weights is not None and not osp.isfile(weights):
        raise FileNotFoundError(f'there is no file of weights {weights}')
    preset = preset or find_preset()
    recipe = find_recipe(method, preset)
    says = load_config(recipe, import_custom_modules=False)
    out = out or osp.join('work_dirs', osp.basename(osp.abspath(data)))
    copies = osp.join(out, 'data')
    call_tool('tools/dataset_converters/own_photos.py', data, *option_words(
        out=copies, max_long=max_long or PRESETS[preset][1],
        known_classes=bool(says.get('known_classes')), tags=tags, masks=masks,
        classes=classes, force=force))
    options = [f'data_root={osp.abspath(copies)}']
    if osp.isfile(osp.join(copies, 'val.txt')):
        lists = {variable: osp.abspath(osp.join(copies, name))
                 for variable, name in LISTS.items()}
        options += [f'{variable}={path}' for variable, path in lists.items()
                    if osp.isfile(path)]
    checks = osp.abspath(osp.join(copies, 'checks.json'))
    # A recipe of one's own may not ask for them.
    if osp.isfile(checks) and not method.endswith('.py'):
        options.append(f'photo_checks={checks}')
    if full:
        options.append(f'full_masks={full_masks(copies)}')
    if copy_prompts(data, copies) and 'prompts' in says:
        options.append('prompts=prompts.txt')
    if weights is not None:
        options.append(f'weights={osp.abspath(weights)}')
    call_tool('tools/pipeline.py', recipe, *option_words(
        work_dir=out, gpus=gpus if gpus > 1 else None, ignore_checks=force,
        cfg_options=[*options, *cfg_options]))
    return out


def full_masks(copies: str) -> str:
    """The folder of masks, if all training images and some of test have one."""
    folder = osp.abspath(osp.join(copies, 'masks'))
    lacking = [key for key in read_id_list(osp.join(copies, 'train.txt'))
               if not osp.isfile(osp.join(folder, f'{key}.png'))]
    if lacking:
        raise FileNotFoundError(f'--full: {len(lacking)} training photos have no mask, '
                                f'first {lacking[0]!r}')
    if not osp.isfile(osp.join(copies, 'test.txt')):
        raise FileNotFoundError('--full: there are too few masks to score on')
    return folder


def copy_prompts(data: str, copies: str) -> bool:
    """Lay ``prompts.txt`` out beside the copies of the images, if there is one.

    A recipe that does not take it as its ``prompts`` is left to say so.
    """
    source, copy = (osp.join(folder, 'prompts.txt') for folder in (data, copies))
    if not osp.isfile(source):
        # That of an earlier run.
        if osp.isfile(copy):
            os.remove(copy)
        return False
    write_lines(copy, read_lines(source, 'list of words'))
    return True


def find_recipe(method: str, preset: str) -> str:
    """The recipe of a method.

    Raises:
        ValueError: If there is no such method.
        FileNotFoundError: If there is no such recipe.
    """
    if method.endswith('.py'):
        if not osp.isfile(method):
            raise FileNotFoundError(f'there is no recipe {method}')
        return method
    kind = f'{PRESETS[preset][0]}_folder_pipeline.py'
    if method in PROJECTS:
        project = PROJECTS[method]
        path = project.path(f'--method {method}', 'configs', f'{project.recipe}{kind}')
    elif method in METHODS:
        path = project_path('configs', *f'{METHODS[method]}{kind}'.split('/'))
    else:
        raise ValueError(
            f'--method must be one of {", ".join((*METHODS, *PROJECTS))}, or a recipe '
            f'(.py), got {method!r}')
    near = osp.relpath(path)
    return path if near.startswith(os.pardir) else near


def find_preset() -> str:
    """``'gpu'`` where there is one of NVIDIA, else ``'cpu'``; torch is not asked."""
    return 'gpu' if osp.exists('/dev/nvidia0') or shutil.which('nvidia-smi') else 'cpu'
