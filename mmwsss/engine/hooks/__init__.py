# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .offset_monitor_hook import OffsetMonitorHook

__all__ = ['OffsetMonitorHook']
