"""Makes lenet.csv, lstm.csv and batch_norm.csv: layers and their gradients by PyTorch in double precision, for
lenet.dml, lstm.dml and batch_norm.dml to compare with.

Run in this folder: python make_nn.py (PyTorch needed; bench/venv.sh torch makes a Python that has it).
Each file is one column: the results one after the other, each row by row, in the order of the calls of keep() here and
of agrees() there. Both sides make their data by the same formula, filled().

How PyTorch's layers become matloom's: the gates of LSTM lie in the order i, f, g, o, those of lstm in the order
i, f, o, g, and W is t(cbind(weight_ih, weight_hh)), b the sum of both biases. A running moment is
momentum * batch + (1 - momentum) * before, so momentum is 1 - mu; PyTorch's running variance takes in the unbiased
variance of the batch, batch_norm2d's the biased one.
"""
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def filled(phase, scale, *shape):
    k = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (scale * torch.sin(phase + 0.37 * k * k)).reshape(shape)


def leaf(phase, scale, *shape):
    return filled(phase, scale, *shape).requires_grad_()


class Keep:
    def __init__(self, path):
        self.file = open(path, "w")

    def keep(self, *results):
        for result in results:
            self.file.writelines(f"{x:.16g}\n" for x in result.detach().flatten().tolist())


def lenet(out):
    X = leaf(1, 1, 2, 1, 28, 28)
    W1, b1 = leaf(2, 0.3, 4, 1, 5, 5), leaf(3, 0.1, 4)
    W2, b2 = leaf(4, 0.2, 8, 4, 5, 5), leaf(5, 0.1, 8)
    W3, b3 = leaf(6, 0.2, 200, 16), leaf(7, 0.1, 16)
    W4, b4 = leaf(8, 0.5, 16, 10), leaf(9, 0.1, 10)
    h1 = F.max_pool2d(F.relu(F.conv2d(X, W1, b1, padding=2)), 2)
    h2 = F.max_pool2d(F.relu(F.conv2d(h1, W2, b2)), 2)
    h3 = F.relu(h2.flatten(1) @ W3 + b3)
    loss = F.cross_entropy(h3 @ W4 + b4, torch.tensor([2, 6]))
    loss.backward()
    out.keep(loss, h2, W4.grad, b4.grad, W3.grad, b3.grad, W2.grad, b2.grad, W1.grad, b1.grad, X.grad)


def reordered(gates, dim):
    """From the order i, f, g, o to i, f, o, g, or back."""
    i, f, third, fourth = gates.chunk(4, dim)
    return torch.cat([i, f, fourth, third], dim)


def lstm(out):
    n, t, d, m = 3, 4, 5, 6
    X, h, c = leaf(1, 1, n, t, d), leaf(2, 1, 1, n, m), leaf(3, 1, 1, n, m)
    W, b = filled(4, 0.7, d + m, 4 * m), filled(5, 0.4, 4 * m)
    layer = torch.nn.LSTM(d, m, batch_first=True)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(reordered(W[:d], 1).T)
        layer.weight_hh_l0.copy_(reordered(W[d:], 1).T)
        layer.bias_ih_l0.copy_(reordered(b, 0))
        layer.bias_hh_l0.zero_()
    for every in (True, False):
        Y, (_, last) = layer(X, (h, c))
        Y = Y if every else Y[:, -1]
        of = X, layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, h, c
        dX, dx, dh, db, dh0, dc0 = torch.autograd.grad((Y, last), of, (filled(6, 1, *Y.shape), filled(7, 1, 1, n, m)))
        out.keep(Y, last, dX, reordered(torch.cat([dx, dh], 1).T, 1), reordered(db, 0), dh0, dc0)


def batch_norm(out):
    n, c, h, mu, epsilon = 5, 3, 4, 0.75, 1e-3
    X, scale, shift = leaf(1, 2, n, c, h, h), leaf(2, 1, c), leaf(3, 1, c)
    mean, var = filled(4, 1, c), filled(5, 0.5, c) + 1
    cells = n * h * h
    out.keep(F.batch_norm(X, mean, var, scale, shift, False, 0, epsilon))
    moved_mean, moved_var = mean.clone(), var.clone()
    Y = F.batch_norm(X, moved_mean, moved_var, scale, shift, True, 1 - mu, epsilon)
    biased = mu * var + (moved_var - mu * var) * (cells - 1) / cells
    out.keep(Y, moved_mean, biased)
    Y.backward(filled(6, 1, n, c, h, h))
    out.keep(X.grad, scale.grad, shift.grad)


lenet(Keep("lenet.csv"))
lstm(Keep("lstm.csv"))
batch_norm(Keep("batch_norm.csv"))
