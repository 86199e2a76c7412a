# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
