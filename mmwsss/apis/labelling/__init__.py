# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Label any number of images in one pass, on one machine or a cluster."""

from .label_photos import label_photos, label_settings, read_trained_config
from .operator import LabelImages, Labelled, LabelSettings, UnknownTagError

__all__ = ['LabelImages', 'LabelSettings', 'Labelled', 'UnknownTagError',
           'label_photos', 'label_settings', 'read_trained_config']
