"""Handwritten digits: the lecture's network, compiled, then trained with the emitted file alone.

    graphc build examples/digits.py -o out/
    python examples/digits.py

The first command writes the source code, the figure and the formulas; the second imports
``out/digits_numpy_fast.py`` and nothing of graphc, and prints the accuracy on held-out images.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "out"
CLASSES, PIXELS, BRIGHTEST = 10, 64, 16


def declare():
    """Return the model: 64 pixels, linear, ReLU, linear, ReLU, linear, cross-entropy."""
    import graphc as gc

    x = gc.observed("x", shape=PIXELS)
    y = gc.observed("y", classes=CLASSES)
    s1 = gc.Linear(60, name="m0")(x, output="s1")
    z1 = gc.relu(s1, output="z1")
    s2 = gc.Linear(40, name="m1")(z1, output="s2")
    z2 = gc.relu(s2, output="z2")
    s3 = gc.Linear(CLASSES, name="m2")(z2, output="s3")
    return gc.Graph(gc.cross_entropy(s3, y, name="C"), name="digits")


def load():
    """Return images in 0..1 and labels, shuffled, split into training and a held-out fifth."""
    table = np.loadtxt(HERE / "data" / "digits.csv", delimiter=",", skiprows=1)
    table = table[np.random.default_rng(0).permutation(len(table))]
    images, labels = table[:, :PIXELS] / BRIGHTEST, table[:, PIXELS].astype(int)
    held_out = len(table) // 5
    return (images[held_out:], labels[held_out:]), (images[:held_out], labels[:held_out])


def train(net, images, labels, *, epochs=40, batch=32, rate=0.2):
    """Return the parameters after plain mini-batch gradient descent."""
    rng = np.random.default_rng(1)
    params = net.init_params(seed=0)
    for epoch in range(epochs):
        order, losses = rng.permutation(len(images)), []
        for start in range(0, len(images), batch):
            pick = order[start : start + batch]
            loss, grads = net.loss_and_grad(params, images[pick], labels[pick])
            params = net.Params(*(w - rate * g for w, g in zip(params, grads, strict=True)))
            losses.append(loss)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1:3}: average loss {np.mean(losses):.4f}")
    return params


def main():
    """Train with the emitted file, and print the accuracy on the held-out fifth."""
    if not (OUT / "digits_numpy_fast.py").exists():
        sys.exit(f"{OUT}/ holds no compiled model; run: graphc build examples/digits.py -o out/")
    sys.path.insert(0, str(OUT))
    import digits_numpy_fast as net

    assert "graphc" not in sys.modules  # the emitted file stands alone
    (images, labels), (test_images, test_labels) = load()
    params = train(net, images, labels)
    guess = net.forward(params, test_images).argmax(axis=1)
    right = np.mean(guess == test_labels)
    print(f"test accuracy: {right:.1%} on {len(test_labels)} held-out images")


if __name__ == "__main__":
    main()
else:
    net = declare()
