# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import metrics, writers  # noqa: F401
