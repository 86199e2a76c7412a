# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a program calls; each part is imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mmwsss.import_hooks import quiet_imports

if TYPE_CHECKING:
    from mmwsss.datasets.annotations import export_masks, import_masks

    from .cam import CAM, CAMResult
    from .inferencer import WSSSInferencer
    from .labelling import label_photos
    from .onnx_export import export_onnx

__all__ = ['CAM', 'CAMResult', 'WSSSInferencer', 'export_masks', 'export_onnx',
           'import_masks', 'label_photos']

_MODULES = dict(
    CAM='mmwsss.apis.cam',
    CAMResult='mmwsss.apis.cam',
    WSSSInferencer='mmwsss.apis.inferencer',
    export_masks='mmwsss.datasets.annotations',
    export_onnx='mmwsss.apis.onnx_export',
    import_masks='mmwsss.datasets.annotations',
    label_photos='mmwsss.apis.labelling')

quiet_imports()


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
