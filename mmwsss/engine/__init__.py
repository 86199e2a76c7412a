# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import hooks, optimizers, runner  # noqa: F401
