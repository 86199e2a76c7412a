# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Label any number of photos in one pass, on one machine or a cluster."""

from .label_photos import label_photos, label_settings, read_trained_config
from .operator import Labelled, LabelPhotos, LabelSettings, UnknownTagError

__all__ = ['LabelPhotos', 'LabelSettings', 'Labelled', 'UnknownTagError',
           'label_photos', 'label_settings', 'read_trained_config']
