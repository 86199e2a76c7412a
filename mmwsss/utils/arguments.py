# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Command lines of tools, and what they share; nothing heavy is imported.

A tool parses its command line before it imports torch and mmseg, so that a typing
error or ``--help`` does not take their seconds.
"""

import argparse
import ast
import os
import os.path as osp
from typing import TYPE_CHECKING, Any

from .crf_presets import CRF_PRESETS
from .io import read_json

if TYPE_CHECKING:
    from mmengine.config import Config

# IRN's threshold for plain seeds.
DEFAULT_BG_THR = 0.15
# PSA's lower power; PPC's on EPS.
DEFAULT_ALPHA = dict(eps_ppc=8)
REFINERS = ('none', 'irn_two_threshold', *CRF_PRESETS, 'pamr', 'config')
"""How seeds become labels, see :func:`add_label_options`."""


class DictAction(argparse.Action):
    """mmengine's ``DictAction``, imported when the option is given.

    Besides, a value may be written as in a config: ``dict(type='X', a=1)``, or lists
    and dicts of such.
    """

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        from mmengine.config import DictAction as Action
        action = Action(self.option_strings, self.dest, nargs=self.nargs)
        for value in values:
            key, equals, _ = value.partition('=')
            if not equals or not all(key.split('.')):
                raise argparse.ArgumentError(
                    self, f'expected key=value with a dotted key, got {value!r}')
        plain = [value for value in values if 'dict(' not in value]
        try:
            action(parser, namespace, plain, option_string)
            getattr(namespace, self.dest).update(
                _read_option(value) for value in values if value not in plain)
        except (AssertionError, ValueError, IndexError, RecursionError) as error:
            raise argparse.ArgumentError(self, f'{values}: {error}') from error


def _read_option(option: str) -> tuple[str, Any]:
    """Key and value of ``key=value`` where a value has ``dict(...)``."""
    key, _, text = option.partition('=')

    def value_of(node: ast.AST) -> Any:
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id != 'dict' or \
                    node.args or any(item.arg is None for item in node.keywords):
                raise ValueError(ast.unparse(node))
            return {item.arg: value_of(item.value) for item in node.keywords}
        if isinstance(node, (ast.List, ast.Tuple)):
            return [value_of(item) for item in node.elts]
        if isinstance(node, ast.Dict) and None not in node.keys:
            return {ast.literal_eval(key): value_of(value) for key, value in
                    zip(node.keys, node.values, strict=True) if key is not None}
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise ValueError(f'{ast.unparse(node)} is no value; write strings in '
                             'quotes') from None

    try:
        return key, value_of(ast.parse(text, mode='eval').body)
    except (SyntaxError, TypeError) as error:
        raise ValueError(f'{text!r} is no value') from error


class ToolParser(argparse.ArgumentParser):
    """A parser whose ``--help`` shows a tool's docstring as it is written.

    Args:
        description (str, optional): The tool's docstring.
        **kwargs: Arguments of :class:`argparse.ArgumentParser`.
    """

    def __init__(self, description: str | None = None, **kwargs) -> None:
        kwargs.setdefault('formatter_class', argparse.RawDescriptionHelpFormatter)
        super().__init__(description=description, **kwargs)

    def add_cfg_options(self) -> None:
        """Add ``--cfg-options``."""
        self.add_argument(
            '--cfg-options', nargs='+', action=DictAction,
            help='settings that override the config, as key=value')

    def add_renew(self) -> None:
        """Add ``--renew``, for tools that go on where a run ended."""
        self.add_argument(
            '--renew', action='store_true',
            help='if the folder holds files made from something else, rename it to '
            '<folder>.previous, in place of an earlier one, and begin anew (default: '
            'refuse to mix them)')

    def add_classes(self, **options) -> None:
        """Add ``--classes``, which ``class_names`` of the data sets reads."""
        self.add_argument(
            '--classes', **options,
            help="'voc', 'coco', 'demo' or a text file of names, one a line")

    def add_launcher(self) -> None:
        """Add ``--launcher``, for several processes."""
        self.add_argument(
            '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'],
            default='none', help='what started the processes')
        # torch.distributed.launch passes either, depending on its version.
        self.add_argument('--local_rank', '--local-rank', type=int, default=0)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and tell mmengine which process of a machine this is.

        A ``dst`` that is ``src`` is refused.
        """
        parsed = super().parse_args(args, namespace)
        if 'local_rank' in parsed:
            os.environ.setdefault('LOCAL_RANK', str(parsed.local_rank))
        source, target = (getattr(parsed, name, None) for name in ('src', 'dst'))
        if source and target and osp.realpath(source) == osp.realpath(target):
            self.error(f'{target} would replace what it is made from')
        return parsed


def choose_work_dir(args: argparse.Namespace, cfg: 'Config') -> str:
    """The folder of a run: the command line's, else the config's, else one named
    after the config's file."""
    if args.work_dir is not None:
        return args.work_dir
    name = osp.splitext(osp.basename(args.config))[0]
    return cfg.get('work_dir') or osp.join('work_dirs', name)


def add_label_options(parser: argparse.ArgumentParser,
                      required: bool = False) -> None:
    """Add ``--refiner`` and its parameters to a tool's options."""
    parser.add_argument(
        '--refiner',
        required=required,
        choices=REFINERS,
        help='how seeds become labels: "none" thresholds them; a CRF preset '
        'or "pamr" refines them first (with "irn_label": the thresholded labels); '
        '"irn_two_threshold" leaves doubtful pixels out; "config" takes the '
        "config's label_rule")
    parser.add_argument(
        '--bg-thr', '--threshold',
        type=bg_thr_value,
        help='constant background score, or a metrics file of '
        f'evaluate_seeds.py with the best one (default: {DEFAULT_BG_THR} '
        'for "none" and "irn_label")')
    parser.add_argument(
        '--alpha',
        type=_positive,
        help='background is (1 - max score) ** alpha (default: 4 for the '
        'other presets, 8 for eps_ppc)')
    parser.add_argument(
        '--conf-fg', type=float, default=0.30,
        help='high threshold of "irn_two_threshold" (default: 0.30)')
    parser.add_argument(
        '--conf-bg', type=float, default=0.05,
        help='low threshold of "irn_two_threshold" (default: 0.05)')


def bg_thr_value(text: str) -> float:
    """A number, or the threshold in a metrics file.

    Raises:
        argparse.ArgumentTypeError: If it is neither, or no score from 0 to 1.
    """
    try:
        value = float(text)
    except ValueError:
        pass
    else:
        if not 0 <= value <= 1:
            raise argparse.ArgumentTypeError(f'{text} is no score from 0 to 1')
        return value
    if not osp.isfile(text):
        raise argparse.ArgumentTypeError(
            f'{text} is neither a number nor a file')
    try:
        metrics = read_json(text)
        return float(metrics['seed/threshold'])
    except (ValueError, KeyError, TypeError) as error:
        raise argparse.ArgumentTypeError(
            f'{text} holds no number "seed/threshold" ({error!r})') from error


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is no positive number')
    return value


def label_rule_config(args: argparse.Namespace, cfg: 'Config') -> dict:
    """The config of the label rule that the options ask for.

    Args:
        args (argparse.Namespace): With what :func:`add_label_options` adds.
        cfg (Config): The config, for ``--refiner config``.

    Raises:
        ValueError: If the options contradict each other, or the config has no
            ``label_rule``.
    """
    if args.bg_thr is not None and args.alpha is not None:
        raise ValueError('give --bg-thr or --alpha, not both')
    if args.refiner == 'config':
        if 'label_rule' not in cfg:
            raise ValueError('--refiner config: the config has no label_rule')
        rule = dict(cfg.label_rule)
        if args.bg_thr is not None:
            rule['bg_thr'] = args.bg_thr
        return rule
    if args.refiner == 'irn_two_threshold':
        return dict(
            type='IRNLabel', conf_fg=args.conf_fg, conf_bg=args.conf_bg)
    bg_thr, alpha, refiner = args.bg_thr, args.alpha, None
    if args.refiner == 'pamr':
        refiner = dict(type='PAMR')
    elif args.refiner != 'none':
        refiner = dict(type='DenseCRF', preset=args.refiner)
    if bg_thr is None and alpha is None:
        if args.refiner in ('none', 'irn_label'):
            bg_thr = DEFAULT_BG_THR
        else:
            alpha = DEFAULT_ALPHA.get(args.refiner, 4)
    return dict(
        type='ThresholdLabel', refiner=refiner, bg_thr=bg_thr,
        alpha=alpha)
