# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Command lines that start a tool in several processes."""

import os
import shlex
import sys

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


def launch(tool: str,
           arguments: list[str],
           launcher: str = 'none',
           processes: int = 1,
           job_name: str = 'mmwsss') -> list[str]:
    """The command that runs a tool by one of mmengine's launchers.

    Args:
        tool (str): The tool's script.
        arguments (list[str]): Its arguments.
        launcher (str): ``'none'`` (one process), ``'pytorch'`` (torchrun on this
            machine), ``'slurm'`` or ``'mpi'``. Slurm takes ``PARTITION``,
            ``GPUS_PER_NODE``, ``CPUS_PER_TASK`` and ``SRUN_ARGS`` from the
            environment, as mmseg's ``slurm_train.sh`` does.
        processes (int): How many processes.
        job_name (str): The name of the Slurm job.

    Returns:
        list[str]: Program and arguments.

    Raises:
        ValueError: If the launcher is unknown, or ``'none'`` is to run several
            processes.
    """
    if launcher not in LAUNCHERS:
        raise ValueError(f'launcher must be one of {LAUNCHERS}, got {launcher!r}')
    script = [tool, *arguments]
    if launcher == 'none':
        if processes != 1:
            raise ValueError(f'{processes} processes need a launcher, for example '
                             '--launcher pytorch')
        return [sys.executable, *script]
    script += ['--launcher', launcher]
    if launcher == 'pytorch':
        return [
            sys.executable, '-m', 'torch.distributed.run', '--standalone',
            f'--nproc_per_node={processes}', *script
        ]
    if launcher == 'mpi':
        return ['mpirun', '-n', str(processes), sys.executable, *script]
    per_node = min(processes, int(os.environ.get('GPUS_PER_NODE', 8)))
    partition = os.environ.get('PARTITION')
    return [
        'srun', *(['-p', partition] if partition else []),
        f'--job-name={job_name}', f'--gres=gpu:{per_node}', f'--ntasks={processes}',
        f'--ntasks-per-node={per_node}',
        f'--cpus-per-task={os.environ.get("CPUS_PER_TASK", 5)}',
        '--kill-on-bad-exit=1', *shlex.split(os.environ.get('SRUN_ARGS', '')),
        sys.executable, '-u', *script
    ]
