# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .caffe_resnet import CaffeResNet
from .vgg16_large_fov import VGG16LargeFOV

__all__ = ['CaffeResNet', 'VGG16LargeFOV']
