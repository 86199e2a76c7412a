# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import optimizers
from .hooks import apply_checkpoint_stage
from .inference import check_amp, fast_inference
from .runner import (
    augmented_loader,
    build_runner,
    count_epochs,
    find_resumable_checkpoint,
    image_loader,
    load_checkpoint_file,
    make_test_run,
    naming_weights,
    setup_entry_point,
)

__all__ = [
    'apply_checkpoint_stage', 'augmented_loader', 'build_runner', 'check_amp',
    'count_epochs', 'fast_inference', 'find_resumable_checkpoint', 'image_loader',
    'load_checkpoint_file', 'make_test_run', 'naming_weights', 'optimizers',
    'setup_entry_point'
]
