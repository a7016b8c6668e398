"""Makes lib_graph.tsv: graphs by SciPy, for lib_graph.dml to compare with.

Run in this folder: python make_lib_graph.py > lib_graph.tsv (NumPy and SciPy needed). Irises are nodes; those at most
sqrt(0.2) apart are joined by an edge of that length. Columns: the component of each node, the length of the shortest
path from the first, from the last (-1 for none), and the node's share of the stationary distribution of PageRank, by eigenvectors.
"""
import numpy as np
from scipy.sparse.csgraph import connected_components, dijkstra

tenths = np.rint(10 * np.loadtxt("../../data/iris.csv", delimiter=",", skiprows=1, usecols=range(1, 5)))
squares = ((tenths[:, None] - tenths[None]) ** 2).sum(axis=2)
# Of two equal irises the edge has the length 0.01, since no edge has length 0.
edges = np.where(squares == 0, 0.01, np.sqrt(squares) / 10) * (squares <= 20)
np.fill_diagonal(edges, 0)
label = connected_components(edges)[1]
paths = dijkstra(edges, indices=[0, len(edges) - 1])
passed = (edges > 0).astype(float)
passed[:, passed.sum(axis=0) == 0] = 1
passed /= passed.sum(axis=0)
n = len(edges)
values, vectors = np.linalg.eig(0.85 * passed + 0.15 / n)
rank = np.real(vectors[:, np.argmax(np.real(values))])
print("component\tfirst\tlast\trank")
for row in zip(label, *paths, rank / rank.sum()):
    print("\t".join(repr(float(x)) if np.isfinite(x) else "-1" for x in row))
