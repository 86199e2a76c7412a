# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import optimizers
from .hooks import apply_checkpoint_stage
from .inference import check_amp, fast_inference
from .runner import (
    check_output_folder,
    find_resumable_checkpoint,
    load_checkpoint_file,
    setup_entry_point,
)

__all__ = [
    'apply_checkpoint_stage', 'check_amp', 'check_output_folder',
    'fast_inference', 'find_resumable_checkpoint', 'load_checkpoint_file',
    'optimizers', 'setup_entry_point'
]
