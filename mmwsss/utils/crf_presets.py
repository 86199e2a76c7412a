# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
CRF_PRESETS = dict(
    # IRN, AdvCAM and SIPE labels; PPC's seed PNGs.
    irn_label=dict(
        unary='labels', gt_prob=0.7, gaussian=(3, 3), bilateral=(50, 5, 10),
        num_iter=10),
    # PSA, SEAM, EPS and MCTformer for affinity labels; single-stage.
    psa=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(80, 13, 10),
        num_iter=10),
    # PPC on EPS, with background (1 - max) ** 8.
    eps_ppc=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(80, 13, 10), num_iter=5),
    # SEAM's segmentation test.
    seam_test=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(32, 13, 10), num_iter=1),
    # deeplab-pytorch; the text of EPS.
    deeplab=dict(
        unary='softmax', gaussian=(1, 3), bilateral=(67, 3, 4), num_iter=10),
    # MCTformer's segmentation.
    mctformer=dict(
        unary='softmax', gaussian=(4, 3), bilateral=(83, 5, 3), num_iter=10),
    afa=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(64, 5, 4), num_iter=10),
)
"""Parameters that published code uses, arguments of ``ops.dense_crf``."""
