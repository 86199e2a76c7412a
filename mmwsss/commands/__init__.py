# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The command ``mmwsss`` and its verbs.

A verb is a module of its name in this folder with two functions:
``add_arguments(parser)``, and one of the verb's own name, which takes these arguments
and is ``mmwsss.<verb>`` in Python; where something comes next, ``NEXT`` says what, of
the function's answer. It is imported when it is asked for, so that
``mmwsss --help`` takes no seconds.
"""

VERBS = {
    'run': 'from a folder of tagged photos to a model, its masks and a report',
    'predict': 'masks of any photos by the model of a run',
    'check': 'look at a folder of photos before anything is trained',
    'cam': 'class maps of any trained classifier, without training',
    'export': "masks of a run for COCO, CVAT, Label Studio and others, or its model",
    'preview': 'pseudo labels of some photos at another threshold, without training',
}
"""Verb -> what ``mmwsss --help`` says of it."""
