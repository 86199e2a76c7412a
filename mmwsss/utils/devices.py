# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Where to compute."""

import torch


def check_device(device: torch.device | str) -> torch.device:
    """Refuse a device that is not there, before anything is read for it.

    Args:
        device (torch.device | str): Such as ``'cpu'`` or ``'cuda:1'``.

    Returns:
        torch.device: The device.

    Raises:
        ValueError: If there is none of this name, or it cannot compute.
    """
    try:
        torch.zeros(1, device=device).item()
    # torch was built without it, finds no driver, no such GPU, no memory ...
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f'cannot compute on the device {str(device)!r}: '
                         f'{reason}') from error
    return torch.device(device)
