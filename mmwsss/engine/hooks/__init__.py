# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .atomic_checkpoint_hook import AtomicCheckpointHook
from .checkpoint_match_hook import CheckpointMatchHook
from .ema_pseudo_label_hook import EMAPseudoLabelHook
from .exact_resume_hook import ExactResumeHook
from .fast_inference_hook import FastInferenceHook
from .mean_shift_hook import MeanShiftHook
from .nan_loss_hook import NaNLossHook
from .offset_monitor_hook import OffsetMonitorHook
from .shared_statistics_hook import SharedStatisticsHook
from .stage_switch_hook import StageSwitchHook, apply_checkpoint_stage

__all__ = [
    'AtomicCheckpointHook', 'CheckpointMatchHook', 'EMAPseudoLabelHook',
    'ExactResumeHook', 'FastInferenceHook', 'MeanShiftHook', 'NaNLossHook',
    'OffsetMonitorHook', 'SharedStatisticsHook', 'StageSwitchHook',
    'apply_checkpoint_stage'
]
