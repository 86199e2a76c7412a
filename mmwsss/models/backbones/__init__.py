# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .caffe_resnet import CaffeResNet
from .stem_resnet import StemResNet
from .vgg16_fc7 import VGG16FC7
from .vgg16_large_fov import VGG16LargeFOV
from .wide_resnet38 import WideResNet38

__all__ = [
    'CaffeResNet', 'StemResNet', 'VGG16FC7', 'VGG16LargeFOV', 'WideResNet38'
]
