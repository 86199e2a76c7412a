# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The compiled loops of the dense CRF: lattice, filter, mean field.

The values of several labels at one vertex or pixel are handled together, in one
register of the processor: :class:`Lanes`, of 1, 2, 4 or 8 float32. Arrays of
values have a row of so many for each vertex. A tuple of the same length,
``width``, tells the compiler the number: numba compiles a version for each, and
all inner loops are unrolled. ``corners`` does the same for the corners of a
simplex, 3 with the two features of a place and 6 with the five of place and
colour.

A lattice of N pixels and M vertices is a tuple of

- ``corners``, C zeros,
- ``offsets``, the vertices around each pixel, int32 of shape (N, C),
- ``weights``, the pixel's share of each, float32 of shape (N, C),
- ``neighbours``, the vertices on both sides of each vertex along each axis, int32
  of shape (C, M, 2); M where there is none.

All of it stands in one file because numba keeps compiled code between processes
by the content of the file a function stands in: a change elsewhere would go
unnoticed. (No class of ours is an argument, as the kept code would name it.)
"""

import warnings
from collections.abc import Callable

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

BLOCK = (0,) * 8
"""The width of the largest register in use."""

_F32 = ir.FloatType()
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
# Neither NaN nor infinity enters: inputs are checked, padding is finite.
_FAST = ('fast',)
# 2^x on [-1/2, 1/2] to the precision of float32, by descending powers.
_EXP2 = (1.5403530e-4, 1.3333558e-3, 9.6181291e-3, 5.5504109e-2, 2.4022651e-1,
         6.9314718e-1, 1.)
_LOG2_E = 1.4426950408889634


def jit(**options) -> Callable:
    """``numba.njit`` with our options; ``cache`` only where a folder for it is."""
    options = dict(
        nogil=True, fastmath=True, error_model='numpy', **options)

    def decorate(function):
        try:
            return numba.njit(**options)(function)
        except RuntimeError:
            # Neither this folder nor the user's cache can be written to.
            if options.get('cache'):
                warnings.warn(
                    'no folder for compiled code of the dense CRF can be written '
                    '(NUMBA_CACHE_DIR names one): each process compiles it again',
                    stacklevel=1)  # Once, from whichever function it is.
            return numba.njit(**{**options, 'cache': False})(function)

    return decorate


class Lanes(types.Type):
    """The type of ``count`` float32 in one register."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f'Lanes({count})')


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):

    def __init__(self, manager, lanes):
        super().__init__(manager, lanes, ir.VectorType(_F32, lanes.count))


def _constant(like: ir.Type, value: float) -> ir.Constant:
    """``value`` in every lane of a type like ``like``, or the one number."""
    if isinstance(like, ir.VectorType):
        return ir.Constant(like, [value] * like.count)
    return ir.Constant(like, value)


def _broadcast(builder: ir.IRBuilder, value: ir.Value, count: int) -> ir.Value:
    lanes = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    lanes = builder.insert_element(lanes, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(
        lanes, lanes, _constant(ir.VectorType(_I32, count), 0))


def _lane(builder: ir.IRBuilder, lanes: ir.Value, index: int) -> ir.Value:
    return builder.extract_element(lanes, ir.Constant(_I32, index))


def _row_pointer(context, builder, array_type, array, row, count):
    data = context.make_array(array_type)(context, builder, array).data
    place = builder.gep(
        data, [builder.mul(row, ir.Constant(_I64, count))])
    return builder.bitcast(place, ir.VectorType(_F32, count).as_pointer())


@intrinsic
def load(typing_context, array, row, width):
    """Read a row of a C-contiguous array of ``len(width)`` columns."""
    lanes = Lanes(len(width))

    def generate(context, builder, signature, args):
        return builder.load(
            _row_pointer(context, builder, array, args[0], args[1],
                         lanes.count), align=4)

    return lanes(array, types.uintp, width), generate


@intrinsic
def store(typing_context, array, row, lanes):
    """Write a row."""

    def generate(context, builder, signature, args):
        builder.store(
            args[2],
            _row_pointer(context, builder, array, args[0], args[1],
                         lanes.count), align=4)
        return context.get_dummy_value()

    return types.none(array, types.uintp, lanes), generate


@intrinsic
def fill(typing_context, value, width):
    """``value`` in every lane."""
    lanes = Lanes(len(width))

    def generate(context, builder, signature, args):
        return _broadcast(builder, args[0], lanes.count)

    return lanes(types.float32, width), generate


@intrinsic
def plus(typing_context, left, right):
    """``left + right``."""

    def generate(context, builder, signature, args):
        return builder.fadd(*args, flags=_FAST)

    return left(left, left), generate


@intrinsic
def plus_times(typing_context, total, factor, lanes):
    """``total + factor * lanes``, the factor a number."""

    def generate(context, builder, signature, args):
        factors = _broadcast(builder, args[1], lanes.count)
        return builder.fadd(
            args[0], builder.fmul(factors, args[2], flags=_FAST), flags=_FAST)

    return total(total, types.float32, lanes), generate


def _reduce(combine: Callable) -> Callable:
    """A number from all lanes, by halves."""

    @intrinsic
    def reduce(typing_context, lanes):

        def generate(context, builder, signature, args):
            parts = [_lane(builder, args[0], i) for i in range(lanes.count)]
            while len(parts) > 1:
                parts = [combine(builder, *pair)
                         for pair in zip(parts[::2], parts[1::2], strict=True)]
            return parts[0]

        return types.float32(lanes), generate

    return reduce


def _larger(builder: ir.IRBuilder, left: ir.Value, right: ir.Value) -> ir.Value:
    return builder.select(
        builder.fcmp_ordered('>', left, right, flags=_FAST), left, right)


total_of = _reduce(
    lambda builder, left, right: builder.fadd(left, right, flags=_FAST))
peak_of = _reduce(_larger)


@intrinsic
def exp(typing_context, values):
    """exp of numbers or lanes of at most 0; 1e-38 below -87."""

    def generate(context, builder, signature, args):
        kind = args[0].type
        whole = _I32 if kind is _F32 else ir.VectorType(_I32, kind.count)
        power = _larger(
            builder,
            builder.fmul(args[0], _constant(kind, np.float32(_LOG2_E)),
                         flags=_FAST), _constant(kind, -126.))
        # Numbers up to 0 are rounded by subtracting a half and truncating.
        exponent = builder.fptosi(
            builder.fsub(power, _constant(kind, .5)), whole)
        rest = builder.fsub(power, builder.sitofp(exponent, kind))
        result = _constant(kind, float(np.float32(_EXP2[0])))
        for factor in _EXP2[1:]:
            result = builder.fadd(
                builder.fmul(result, rest, flags=_FAST),
                _constant(kind, float(np.float32(factor))), flags=_FAST)
        scale = builder.shl(
            builder.add(exponent, _constant(whole, 127)), _constant(whole, 23))
        return builder.fmul(
            result, builder.bitcast(scale, kind), flags=_FAST)

    return values(values), generate


@intrinsic
def rounded(typing_context, lanes):
    """The nearest whole numbers."""

    def generate(context, builder, signature, args):
        kind = args[0].type
        function = builder.module.declare_intrinsic(
            f'llvm.rint.v{kind.count}f32', (), ir.FunctionType(kind, [kind]))
        return builder.call(function, args)

    return lanes(lanes), generate


@intrinsic
def less(typing_context, left, right):
    """1 where ``left < right``, else 0."""

    def generate(context, builder, signature, args):
        return builder.uitofp(
            builder.fcmp_ordered('<', *args), args[0].type)

    return left(left, left), generate


@intrinsic
def ranks(typing_context, lanes):
    """How many lanes are larger than each; of equals the first is the largest."""

    def generate(context, builder, signature, args):
        values, count = args[0], lanes.count
        total = _constant(values.type, 0.)
        flags = ir.VectorType(ir.IntType(1), count)
        for i in range(count):
            other = _broadcast(builder, _lane(builder, values, i), count)
            behind = builder.select(
                ir.Constant(flags, [lane > i for lane in range(count)]),
                builder.fcmp_ordered('<=', values, other),
                builder.fcmp_ordered('<', values, other))
            total = builder.fadd(
                total, builder.uitofp(behind, values.type))
        return total

    return lanes(lanes), generate


@jit(cache=True)
def place(image, rows, steps, origin, bits):
    """Find the vertices around each pixel.

    The coordinates of a vertex leave one remainder on division by C, that of
    its number among a simplex's corners. A key is the sum of their quotients
    times ``steps``, and tells apart vertices of one remainder.

    Args:
        image (ndarray): uint8 of shape (H, W, 3).
        rows (ndarray): What a unit of each feature (column, row and, if C is
            6, the colours) adds to the C coordinates, float32 of (C - 1, 8).
        steps (ndarray): int64 of shape (C,), the last 0.
        origin (int): Is added to the sum, so that keys are not negative.
        bits (int): Those of a pixel's number.

    Returns:
        tuple: Keys of each remainder, with the number of the pixel in the low
        bits, uint64 of shape (C, N); how many there are, without those that
        the pixel before has too, of shape (C,); offsets, -1 there and else
        unset; weights.
    """
    height, width = image.shape[:2]
    size = len(steps)
    offsets = np.empty((height * width, size), np.int32)
    weights = np.empty((height * width, size), np.float32)
    keys = np.empty((size, height * width), np.uint64)
    counts = np.zeros(size, np.int64)
    unit = fill(np.float32(1), BLOCK)
    scratch = np.zeros((3, 8), np.float32)
    # What is no coordinate ranks behind those.
    for i in range(size, 8):
        scratch[0, i] = -1e9
    padding = load(scratch, 0, BLOCK)
    share = np.empty(size, np.float32)
    drop = np.empty(size, np.int64)
    last_key = np.full(size, -1, np.int64)
    for y in range(height):
        for x in range(width):
            point = plus_times(
                fill(np.float32(0), BLOCK), np.float32(y), load(rows, 1, BLOCK))
            point = plus_times(point, np.float32(x), load(rows, 0, BLOCK))
            for c in range(size - 3):
                point = plus_times(
                    point, np.float32(image[y, x, c]), load(rows, 2 + c, BLOCK))
            # The nearest vertex of remainder 0, in units of `size`, and the
            # order of the differences from it: that is the simplex.
            base = rounded(plus_times(
                fill(np.float32(0), BLOCK), np.float32(1 / size), point))
            difference = plus_times(point, np.float32(-size), base)
            rank = plus_times(
                ranks(plus(difference, padding)), total_of(base), unit)
            shift = plus_times(
                less(rank, fill(np.float32(0), BLOCK)), np.float32(-1),
                less(fill(np.float32(size - 1), BLOCK), rank))
            base = plus(base, shift)
            store(scratch, 0, base)
            store(scratch, 1, plus_times(rank, np.float32(size), shift))
            store(scratch, 2, plus_times(
                difference, np.float32(-size), shift))
            key = np.int64(origin)
            for i in range(size):
                key += np.int64(scratch[0, i]) * steps[i]
                place = np.uint64(scratch[1, i])
                share[place] = scratch[2, i] * np.float32(1 / size)
                drop[place] = steps[i]
            pixel = y * width + x
            for r in range(size):
                if r == 0:
                    weight = np.float32(1) + share[size - 1] - share[0]
                else:
                    weight = share[size - 1 - r] - share[size - r]
                    key -= drop[size - r]
                weights[pixel, r] = weight
                if key == last_key[r]:
                    offsets[pixel, r] = -1
                else:
                    last_key[r] = key
                    keys[r, counts[r]] = (
                        np.uint64(key) << np.uint64(bits)) | np.uint64(pixel)
                    counts[r] += 1
    return keys, counts, offsets, weights


@jit(cache=True)
def connect(keys, counts, offsets, steps, bits):
    """Number the vertices, and find the neighbours of each.

    Keys that are sorted need no table: equal ones follow each other, and a walk
    along two lists at once finds all neighbours along an axis.

    Args:
        keys (ndarray): From :func:`place`, each row sorted.
        counts (ndarray): As there.
        offsets (ndarray): As there; filled in.
        steps (ndarray): As there.
        bits (int): As there.

    Returns:
        ndarray: Neighbours of a lattice.
    """
    size = len(steps)
    vertices = np.empty(counts.sum(), np.int64)
    starts = np.zeros(size + 1, np.int64)
    count = 0
    pixels = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    for r in range(size):
        last = np.int64(-1)
        for i in range(counts[r]):
            key = np.int64(keys[r, i] >> np.uint64(bits))
            if key != last:
                vertices[count] = last = key
                count += 1
            offsets[keys[r, i] & pixels, r] = count - 1
        starts[r + 1] = count
    for pixel in range(1, len(offsets)):
        for r in range(size):
            if offsets[pixel, r] < 0:
                offsets[pixel, r] = offsets[pixel - 1, r]
    neighbours = np.full((size, count, 2), count, np.int32)
    for axis in range(size):
        pairs = neighbours[axis]
        for r in range(size):
            # Up the axis by `size`, down all of them by 1: remainder r - 1.
            delta = steps[axis] if r > 0 else steps[axis] - steps.sum()
            other, end = starts[r - 1], starts[r]
            if r == 0:
                other, end = starts[size - 1], starts[size]
            for i in range(starts[r], starts[r + 1]):
                key = vertices[i] + delta
                while other < end and vertices[other] < key:
                    other += 1
                if other == end:
                    break
                if vertices[other] == key:
                    pairs[i, 0] = other
                    pairs[other, 1] = i
    return neighbours


@jit()
def _blur(values, spare, neighbours, width):
    """Blur along each axis in turn; returns the result and the other array.

    The last row of both is that of absent vertices, and stays 0.
    """
    for axis in range(len(neighbours)):
        pairs = neighbours[axis]
        for i in range(len(pairs)):
            sides = plus(load(values, pairs[i, 0], width),
                         load(values, pairs[i, 1], width))
            store(spare, i, plus_times(
                load(values, i, width), np.float32(.5), sides))
        values, spare = spare, values
    return values, spare


@jit(inline='always')
def _clear(values, width):
    for i in range(len(values)):
        store(values, i, fill(np.float32(0), width))


@jit(inline='always')
def _splat(values, offsets, weights, pixel, lanes, corners, width):
    """Add a pixel's ``lanes`` to the vertices around it."""
    for r in range(len(corners)):
        vertex = np.uint64(offsets[pixel, r])
        store(values, vertex, plus_times(
            load(values, vertex, width), weights[pixel, r], lanes))


@jit(inline='always')
def _slice(lanes, values, offsets, weights, pixel, corners, width):
    """Add what a pixel receives from the vertices around it to ``lanes``."""
    for r in range(len(corners)):
        lanes = plus_times(
            lanes, weights[pixel, r],
            load(values, np.uint64(offsets[pixel, r]), width))
    return lanes


@jit()
def _filter_ones(offsets, weights, neighbours, corners):
    """What a map of ones becomes, as a (N, 1) array."""
    width = (0,)
    values = np.zeros((neighbours.shape[1] + 1, 1), np.float32)
    spare = np.zeros(values.shape, np.float32)
    one = fill(np.float32(1), width)
    for i in range(len(offsets)):
        _splat(values, offsets, weights, i, one, corners, width)
    values, spare = _blur(values, spare, neighbours, width)
    result = np.empty((len(offsets), 1), np.float32)
    for i in range(len(offsets)):
        store(result, i, _slice(fill(np.float32(0), width), values, offsets,
                                weights, i, corners, width))
    return result


@jit(cache=True)
def normalise(lattice, scale, strength):
    """Fold a kernel's normalisation and strength into the lattice's weights.

    Args:
        lattice (tuple): Its weights change.
        scale (float): What the kernel's height is in that of the blur.
        strength (float): The kernel's weight in the CRF.

    Returns:
        ndarray: What all pixels together send to each, float32 of (N, 1).
    """
    corners, offsets, weights, neighbours = lattice
    norm = _filter_ones(offsets, weights, neighbours, corners)
    for i in range(len(weights)):
        factor = np.float32(
            np.sqrt(scale * strength / (scale * norm[i, 0] + 1e-20)))
        for r in range(len(corners)):
            weights[i, r] *= factor
    return _filter_ones(offsets, weights, neighbours, corners)


@jit(inline='always')
def _softmax(lanes, width):
    """Of ``lanes`` and one more label, whose logit is 0."""
    peak = max(np.float32(0), peak_of(lanes))
    lanes = exp(plus(lanes, fill(-peak, width)))
    total = exp(-peak) + total_of(lanes)
    return plus_times(
        fill(np.float32(0), width), np.float32(1) / total, lanes)


@jit(cache=True)
def mean_field(logits, near, alike, received, num_iter, width):
    """Mean field of up to 9 labels.

    The last label's probability is what the others leave, so that it needs no
    filter: of ``received`` it gets what they do not send.

    Args:
        logits (ndarray): Unary logits minus those of the last label, float32
            of shape (N, len(width)). Become the probabilities.
        near (tuple): Of places, normalised.
        alike (tuple): Of places and colours, normalised.
        received (ndarray): The sum of both kernels at each pixel, (N, 1).
        num_iter (int): Iterations, at least 1.
        width (tuple): Zeros, 1, 2, 4 or 8.
    """
    corners_n, offsets_n, weights_n, neighbours_n = near
    corners_a, offsets_a, weights_a, neighbours_a = alike
    values_n = np.zeros((neighbours_n.shape[1] + 1, len(width)), np.float32)
    values_a = np.zeros((neighbours_a.shape[1] + 1, len(width)), np.float32)
    spare_n = np.zeros(values_n.shape, np.float32)
    spare_a = np.zeros(values_a.shape, np.float32)
    for i in range(len(logits)):
        lanes = _softmax(load(logits, i, width), width)
        _splat(values_n, offsets_n, weights_n, i, lanes, corners_n, width)
        _splat(values_a, offsets_a, weights_a, i, lanes, corners_a, width)
    for step in range(num_iter):
        values_n, spare_n = _blur(values_n, spare_n, neighbours_n, width)
        values_a, spare_a = _blur(values_a, spare_a, neighbours_a, width)
        _clear(spare_n, width)
        _clear(spare_a, width)
        is_last = step == num_iter - 1
        # Each pixel is read, decided and written for the next step at once.
        for i in range(len(logits)):
            lanes = fill(np.float32(0), width)
            lanes = _slice(lanes, values_n, offsets_n, weights_n, i, corners_n,
                           width)
            lanes = _slice(lanes, values_a, offsets_a, weights_a, i, corners_a,
                           width)
            margin = total_of(lanes) - received[i, 0]
            lanes = plus(lanes, plus(
                load(logits, i, width), fill(margin, width)))
            lanes = _softmax(lanes, width)
            if is_last:
                store(logits, i, lanes)
            else:
                _splat(spare_n, offsets_n, weights_n, i, lanes, corners_n, width)
                _splat(spare_a, offsets_a, weights_a, i, lanes, corners_a, width)
        values_n, spare_n = spare_n, values_n
        values_a, spare_a = spare_a, values_a


@jit(inline='always')
def _softmax_of_blocks(values, first, count):
    """In place, of rows ``first`` on and one more label, whose logit is 0."""
    peak = np.float32(0)
    for i in range(first, first + count):
        peak = max(peak, peak_of(load(values, i, BLOCK)))
    total = exp(-peak)
    for i in range(first, first + count):
        lanes = exp(plus(load(values, i, BLOCK), fill(-peak, BLOCK)))
        total += total_of(lanes)
        store(values, i, lanes)
    for i in range(first, first + count):
        store(values, i, plus_times(
            fill(np.float32(0), BLOCK), np.float32(1) / total,
            load(values, i, BLOCK)))


@jit(cache=True)
def mean_field_of_blocks(logits, beliefs, near, alike, received, num_iter):
    """Mean field of any number of labels, filtered in blocks of 8.

    Args:
        logits (ndarray): As in :func:`mean_field`, of shape (N, B * 8).
        beliefs (ndarray): A copy of ``logits``, becomes the probabilities.
        near (tuple): Of places, normalised.
        alike (tuple): Of places and colours, normalised.
        received (ndarray): The sum of both kernels at each pixel, (N, 1).
        num_iter (int): Iterations, at least 1.
    """
    corners_n, offsets_n, weights_n, neighbours_n = near
    corners_a, offsets_a, weights_a, neighbours_a = alike
    values_n = np.zeros((neighbours_n.shape[1] + 1, 8), np.float32)
    values_a = np.zeros((neighbours_a.shape[1] + 1, 8), np.float32)
    spare_n = np.zeros(values_n.shape, np.float32)
    spare_a = np.zeros(values_a.shape, np.float32)
    blocks = logits.shape[1] // 8
    for i in range(len(logits)):
        _softmax_of_blocks(beliefs, i * blocks, blocks)
    for _ in range(num_iter):
        for block in range(blocks):
            _clear(values_n, BLOCK)
            _clear(values_a, BLOCK)
            for i in range(len(logits)):
                lanes = load(beliefs, i * blocks + block, BLOCK)
                _splat(values_n, offsets_n, weights_n, i, lanes, corners_n,
                       BLOCK)
                _splat(values_a, offsets_a, weights_a, i, lanes, corners_a,
                       BLOCK)
            values_n, spare_n = _blur(values_n, spare_n, neighbours_n, BLOCK)
            values_a, spare_a = _blur(values_a, spare_a, neighbours_a, BLOCK)
            for i in range(len(logits)):
                lanes = fill(np.float32(0), BLOCK)
                lanes = _slice(lanes, values_n, offsets_n, weights_n, i,
                               corners_n, BLOCK)
                lanes = _slice(lanes, values_a, offsets_a, weights_a, i,
                               corners_a, BLOCK)
                store(beliefs, i * blocks + block, lanes)
        for i in range(len(logits)):
            margin = -received[i, 0]
            for block in range(i * blocks, (i + 1) * blocks):
                margin += total_of(load(beliefs, block, BLOCK))
            for block in range(i * blocks, (i + 1) * blocks):
                lanes = plus(load(beliefs, block, BLOCK), fill(margin, BLOCK))
                store(beliefs, block, plus(load(logits, block, BLOCK), lanes))
            _softmax_of_blocks(beliefs, i * blocks, blocks)
