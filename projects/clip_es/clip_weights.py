# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The weights of CLIP: where they come from, and what words become by them."""

import logging
import os.path as osp
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmwsss.utils import naming
from mmwsss.utils.checkpoint import check_weights, load_weights

from .clip_parts import import_open_clip, read_arch
from .prompts import TEMPLATES
from .torchscript_weights import is_torchscript, read_torchscript

RANDOM = 'random'
"""As weights: random ones, by which a test or a demo shows that all works."""


def load_clip(arch: str | dict,
              weights: str | dict[str, Tensor] = 'openai') -> nn.Module:
    """A CLIP with its weights, in evaluation mode and single precision.

    Args:
        arch (str | dict): See :func:`read_arch`.
        weights (str | dict[str, Tensor]): A file (OpenAI's TorchScript archive,
            safetensors, or a checkpoint of open_clip), a name of open_clip, which
            downloads it into its cache, ``'random'``, or the weights themselves.
            Defaults to ``'openai'``.

    Raises:
        ImportError: Without open_clip.
        ValueError: Saying what to bring, if there are no such weights, or they are
            of another model.
    """
    open_clip = import_open_clip()
    settings = read_arch(arch)
    if weights == RANDOM:
        torch.manual_seed(0)
    model = open_clip.CLIP(**{
        key: settings[key] for key in ('embed_dim', 'vision_cfg', 'text_cfg')
    }, quick_gelu=bool(settings.get('quick_gelu')))
    if weights != RANDOM:
        source = 'CLIP'
        if isinstance(weights, str):
            source = weights if osp.isfile(weights) else _download(arch, weights)
            weights = _read_weights(source)
        state = {
            # Where open_clip keeps the text tower apart.
            key.removeprefix('text.'): value.float() for key, value in weights.items()
        }
        with naming(source):
            check_weights(state, model.state_dict())
        model.load_state_dict(state)
    return model.float().eval()


@torch.no_grad()
def encode_words(model: nn.Module,
                 words: Sequence[str],
                 templates: Sequence[str] = TEMPLATES) -> Tensor:
    """Text features of words.

    Args:
        model (nn.Module): A CLIP of open_clip.
        words (Sequence[str]): What replaces ``{}`` in the templates; in any script.
        templates (Sequence[str]): Sentences, of whose features the mean is taken.
            Defaults to that of CLIP-ES.

    Returns:
        Tensor: Of length 1, of shape (P, E).

    Raises:
        ValueError: Naming the words, if they are none or too many for CLIP, or a
            template has no ``{}``.
    """
    tokenizer = import_open_clip().SimpleTokenizer(context_length=model.context_length)
    for template in templates:
        if template.count('{}') != 1:
            raise ValueError(f'the template {template!r} must hold {{}} once')
    device = model.text_projection.device
    features = torch.zeros(
        len(words), model.text_projection.shape[1], device=device)
    for row, word in zip(features, words, strict=True):
        if not word.strip():
            raise ValueError('a class or background word is empty')
        texts = [template.replace('{}', word) for template in templates]
        longest = max(len(tokenizer.encode(text)) for text in texts)
        if longest + 2 > model.context_length:
            raise ValueError(
                f'the words {word[:40]!r}... are {longest} tokens, CLIP reads '
                f'{model.context_length - 2}: give fewer')
        tokens = tokenizer(texts).to(device)
        mean = model.encode_text(tokens, normalize=True).mean(dim=0)
        row.copy_(mean / mean.norm())
    return features


def split_tower(model: nn.Module) -> dict[str, Tensor]:
    """The weights of a CLIP as backbone and head here name them, without words."""
    tower = model.visual
    last = len(tower.transformer.resblocks) - 1
    weights = {}
    for key, value in tower.state_dict().items():
        name = key.removeprefix('transformer.')
        if key in ('proj', 'ln_post.weight', 'ln_post.bias'):
            weights[f'decode_head.grad_cam.{key}'] = value
        elif name.startswith(f'resblocks.{last}.'):
            rest = name.removeprefix(f'resblocks.{last}.')
            weights[f'decode_head.grad_cam.block.{rest}'] = value
        else:
            weights[f'backbone.{name}'] = value
    weights['decode_head.grad_cam.logit_scale'] = model.logit_scale.detach().reshape(())
    return weights


def _download(arch: str | dict, weights: str) -> str:
    """The file of named weights, in the cache of open_clip."""
    open_clip = import_open_clip()
    advice = ('give a file that you have, OpenAI\'s ViT-B-16.pt for instance, by '
              '--weights FILE')
    name = arch if isinstance(arch, str) else None
    config = open_clip.get_pretrained_cfg(name, weights) if name else None
    if not config:
        raise ValueError(f'{weights} is neither a file nor weights that open_clip '
                         f'knows of {name or "such a CLIP"}: {advice}')
    # Of its retries: what it comes to is said below.
    log = logging.getLogger('huggingface_hub')
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        return open_clip.download_pretrained(config)
    # Offline, a library of downloads raises whatever it likes.
    except Exception as error:
        raise ValueError(
            f'the weights {weights} of {name} are not in the cache of open_clip and '
            f'cannot be downloaded ({type(error).__name__}): {advice}') from error
    finally:
        log.setLevel(level)


def _read_weights(path: str) -> dict[str, Tensor]:
    """The weights in a file, of which nothing is run."""
    if path.endswith('.safetensors'):
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f'{path} is no whole safetensors file: {error}') from error
    if is_torchscript(path):
        # Beside the weights: three numbers, and the mask of texts.
        return {key: value for key, value in read_torchscript(path).items()
                if key.rpartition('.')[2] not in (
                    'input_resolution', 'context_length', 'vocab_size', 'attn_mask')}
    return load_weights(path)
