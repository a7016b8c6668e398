"""The neural-network workloads of dml/*.dml in PyTorch: python torch_suite.py NAME key=value ...

Double precision on two threads. Each function does what the script of its name does; k is the number of rounds. Backward
passes start from what PyTorch saved in the forward one.
"""
import sys

import torch
import torch.nn.functional as F

from numpy_suite import main

torch.set_num_threads(2)
torch.set_default_dtype(torch.float64)


def rand(*shape):
    return torch.rand(*shape)


def rounds(k, step):
    s = 0.0
    for i in range(1, k + 1):
        result = step(i)
        s += result[(0,) * result.dim()].item()
    return s


def conv(n, c, h, w, f, r, stride, pad, part, k):
    X, W = rand(n, c, h, w), rand(f, c, r, r) * 2 - 1
    D = rand(n, f, (h + 2 * pad - r) // stride + 1, (w + 2 * pad - r) // stride + 1)

    def gradient(i, mask):
        (X if mask[1] else W).view(-1)[0] = i
        both = torch.ops.aten.convolution_backward(D, X, W, None, (stride, stride), (pad, pad), (1, 1), False, (0, 0),
                                                   1, (*mask, False))
        return both[mask.index(True)]

    def forward(i):
        W.view(-1)[0] = i
        return F.conv2d(X, W, stride=stride, padding=pad)

    with torch.no_grad():
        return rounds(k, {"forward": forward, "filter": lambda i: gradient(i, (False, True)),
                          "data": lambda i: gradient(i, (True, False))}[part])


def pool(n, c, h, r, stride, pad, part, k):
    p = (h + 2 * pad - r) // stride + 1
    X, D = rand(n, c, h, h), rand(n, c, p, p)
    window = (r, r), (stride, stride), (pad, pad)
    where = F.max_pool2d(X, *window, return_indices=True)[1] if part == "maxback" else None

    def step(i):
        (D if part == "avgback" else X).view(-1)[0] = i
        if part == "max":
            return F.max_pool2d(X, *window)
        if part == "maxback":
            return torch.ops.aten.max_pool2d_with_indices_backward(D, X, *window, (1, 1), False, where)
        if part == "avg":
            return F.avg_pool2d(X, *window)
        return torch.ops.aten.avg_pool2d_backward(D, X, *window, False, True, None)

    with torch.no_grad():
        return rounds(k, step)


def batchnorm(n, c, h, part, k):
    X, D, g, b = rand(n, c, h, h), rand(n, c, h, h), rand(c), rand(c)
    running = torch.zeros(c), torch.ones(c)
    _, mean, inv = torch.native_batch_norm(X, g, b, *running, True, 0.1, 1e-5)

    def step(i):
        g[0] = i
        if part == "forward":
            return torch.native_batch_norm(X, g, b, *running, True, 0.1, 1e-5)[0]
        return torch.ops.aten.native_batch_norm_backward(D, X, g, *running, mean, inv, True, 1e-5, [True] * 3)[0]

    with torch.no_grad():
        return rounds(k, step)


def lstm(n, t, d, m, part, k):
    layer = torch.nn.LSTM(d, m, batch_first=True)
    X, D = rand(n, t, d).requires_grad_(), rand(n, t, m)
    state = tuple(rand(1, n, m).requires_grad_() for _ in range(2))
    of = [X, *layer.parameters(), *state]
    if part == "forward":
        with torch.no_grad():
            return rounds(k, lambda i: layer(X, state)[0])
    Y = layer(X, state)[0]

    def backward(i):
        D[0, 0, 0] = i
        return torch.autograd.grad(Y, of, D, retain_graph=True)[0]

    return rounds(k, backward)


def affine(n, d, m, part, k):
    X, W, b, D = rand(n, d), rand(d, m), rand(m), rand(n, m)

    def step(i):
        D[0, 0] = i
        if part == "forward":
            W[0, 0] = i
            return X @ W + b
        dX = D @ W.T
        return dX[0, 0] + (X.T @ D)[0, 0]

    return rounds(k, step)


if __name__ == "__main__":
    main(globals())
