# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .export import export_sh
from .export_snakemake import export_snakemake
from .launch import LAUNCHERS
from .process import Interrupted, format_seconds
from .recipe import Recipe
from .recipe_runner import CheckFailed, RecipeRunner, StepFailed
from .scalars import Scalars, read_scalars
from .step_types import STEP_TYPES, StepCall, StepType

EXPORTERS = dict(sh=export_sh, snakemake=export_snakemake)
"""Name of a format -> what writes it."""

__all__ = [
    'EXPORTERS', 'LAUNCHERS', 'STEP_TYPES', 'CheckFailed', 'Interrupted',
    'RecipeRunner', 'Recipe', 'Scalars', 'StepCall', 'StepFailed', 'StepType',
    'format_seconds', 'read_scalars'
]
