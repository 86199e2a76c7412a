# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Run a recipe from image tags to a trained model.

    python tools/pipeline.py configs/esol/esol_r50_voc_pipeline.py

The same command goes on after a kill, and does again only what a change of
config, data or earlier outputs makes necessary.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
import shlex
import sys

from mmwsss.recipes import (
    EXPORTERS,
    LAUNCHERS,
    CheckFailed,
    Interrupted,
    Recipe,
    RecipeRunner,
    StepFailed,
)
from mmwsss.utils.arguments import DictAction, ToolParser
from mmwsss.utils.entry_point import STOPPED_BY_CHECK, run_tool


class KeepWords(DictAction):
    """Keeps the words as they were typed, too."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        super().__call__(parser, namespace, values, option_string)
        namespace.option_words += ['--cfg-options', *values]


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('recipe', help='recipe, for example '
                        'configs/esol/esol_r50_voc_pipeline.py')
    parser.add_argument('--work-dir', help='where all is written; by default '
                        'work_dirs/<name of the recipe>')
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument('--from', dest='first', metavar='STEP',
                        help='begin with this step, take earlier ones as they are')
    chosen.add_argument('--only', nargs='+', metavar='STEP',
                        help='run these steps, take all others as they are')
    parser.add_argument('--force', action='store_true',
                        help='run the chosen steps even if nothing changed')
    parser.add_argument('--ignore-checks', action='store_true',
                        help='go on where a check fails, instead of ending with '
                        'status 3')
    action = parser.add_mutually_exclusive_group()
    action.add_argument('--list', action='store_true',
                        help='list the steps and their state, and do nothing')
    action.add_argument('--dry-run', action='store_true',
                        help='say what would be done and why, and do nothing')
    action.add_argument('--export', choices=EXPORTERS,
                        help='print the plain commands of the steps')
    action.add_argument('--prepare', metavar='STEP',
                        help="write a step's settings, for its plain command")
    action.add_argument('--begin', metavar='STEP',
                        help='for a workflow engine: say whether a step is to run, '
                        'resume or skip, and write its settings')
    action.add_argument('--end', metavar='STEP',
                        help='for a workflow engine: write down that the command of '
                        'a step is done')
    action.add_argument('--value', metavar='TEXT',
                        help='say what a reference such as '
                        "'{score_seeds:seed/threshold}' stands for now")
    parser.add_argument('--launcher', choices=LAUNCHERS,
                        help='for several GPUs; pytorch if --gpus is above 1')
    parser.add_argument('--gpus', type=int, default=1,
                        help='processes of training, seeds and test')
    parser.add_argument('--no-preload', dest='preload', action='store_false',
                        help='start each step as a process of its own, instead of '
                        'forking one that has imported torch and mmseg')
    parser.add_argument('--cfg-options', nargs='+', action=KeepWords,
                        metavar='KEY=VALUE', help='change the recipe, for example '
                        'data_root=/data/VOC2012 or '
                        'steps.train_localizer.cfg_options.train_dataloader.batch_size=8')
    parser.set_defaults(option_words=[])
    args = parser.parse_args()
    if args.gpus < 1:
        parser.error(f'--gpus must be at least 1, got {args.gpus}')
    if args.launcher is None:
        args.launcher = 'none' if args.gpus == 1 else 'pytorch'
    return args


def chosen_steps(recipe: Recipe, args: argparse.Namespace) -> list[str] | None:
    if args.first:
        first = recipe[args.first]
        return [step.name for step in recipe.steps[recipe.steps.index(first):]]
    return args.only and [recipe[name].name for name in args.only]


def show_plan(runner: RecipeRunner, names: list[str] | None, force: bool) -> None:
    for step, plan in runner.preview(names, force):
        print(f'{step.name} ({step.type}): {plan.action}, {plan.reason}')
        if plan.action in ('run', 'resume'):
            try:
                command = runner.job(step).command(plan.action == 'resume')
            except ValueError as error:
                print(f'    its command needs {error}')
            else:
                print(f'    {shlex.join(command)}')


def show_list(runner: RecipeRunner) -> None:
    for step in runner.recipe.steps:
        record = runner.record(step)
        config = runner.recipe.config_path(step) or ''
        print(f'{step.name:24} {step.type:12} {record.get("status", "not run"):12} '
              f'{config}')


def main(args: argparse.Namespace) -> int:
    try:
        recipe = Recipe(args.recipe, args.work_dir, args.cfg_options)
        names = chosen_steps(recipe, args)
        runner = RecipeRunner(recipe, args.launcher, args.gpus, args.preload,
                              args.ignore_checks)
        if args.export:
            tool = [sys.executable, osp.abspath(__file__), osp.abspath(args.recipe)]
            print(EXPORTERS[args.export](runner, runner.chosen(names), tool,
                                         args.option_words), end='')
        elif args.value is not None:
            print(runner.value(args.value))
        elif args.prepare:
            runner.prepare(recipe[args.prepare])
        elif args.begin:
            decision = runner.begin(recipe[args.begin])
            print(decision.reason, file=sys.stderr)
            print(decision.action)
        elif args.end:
            runner.end(recipe[args.end])
        else:
            if runner.older_state:
                print(f'{runner.work_dir} holds a run of an older mmwsss: its steps '
                      'run again, and what they left moves to .previous there.')
            if args.list:
                show_list(runner)
            elif args.dry_run:
                show_plan(runner, names, args.force)
            else:
                runner.run(names, args.force)
    except Interrupted as stopped:
        print(f'Stopped by {stopped}; the same command goes on from here.',
              file=sys.stderr)
        return 128 + stopped.signum
    except CheckFailed as error:
        print(error, file=sys.stderr)
        return STOPPED_BY_CHECK
    except StepFailed as error:
        print(f'Error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    run_tool(parse_args, main)
