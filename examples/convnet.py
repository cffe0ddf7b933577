"""A small convolutional network on the handwritten digits, trained in seconds.

    python examples/convnet.py

declares the network, compiles it, and trains it; the accuracy is that on held-out images. The
same model as files: ``graphc build examples/convnet.py -o out/``.
"""

from pathlib import Path

import numpy as np

import graphc as gc

HERE = Path(__file__).resolve().parent
CLASSES, SIDE, BRIGHTEST = 10, 8, 16

image = gc.observed("image", shape=(1, SIDE, SIDE))
y = gc.observed("y", classes=CLASSES)
z = gc.relu(gc.Conv2d(8, 3, padding=1, name="conv1")(image))
z = gc.max_pool2d(z, 2)
z = gc.relu(gc.Conv2d(16, 3, padding=1, name="conv2")(z))
z = gc.flatten(gc.max_pool2d(z, 2))
scores = gc.Linear(CLASSES, name="head")(z, output="scores")
net = gc.Graph(gc.cross_entropy(scores, y, name="C"), name="convnet")


def load():
    """Return images in 0..1 and labels, shuffled, split into training and a held-out fifth."""
    table = np.loadtxt(HERE / "data" / "digits.csv", delimiter=",", skiprows=1)
    table = table[np.random.default_rng(0).permutation(len(table))]
    images = (table[:, :-1] / BRIGHTEST).astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    labels = table[:, -1].astype(int)
    held_out = len(table) // 5
    return (images[held_out:], labels[held_out:]), (images[:held_out], labels[:held_out])


def main():
    """Train, and print the accuracy on the held-out fifth."""
    (images, labels), (test_images, test_labels) = load()
    program = gc.compile(net, dtype="float32", step=gc.sgd(lr=0.03, momentum=0.9))
    run = gc.train(
        program,
        program.init_params(seed=0),
        {"image": images, "y": labels},
        batch_size=32,
        epochs=12,
        seed=1,
    )
    params = run.params
    print(f"average loss of the last epoch: {run.history.epochs[-1]:.4f}")
    guess = program.forward(params, image=test_images).argmax(axis=1)
    right = np.mean(guess == test_labels)
    print(f"test accuracy: {right:.1%} on {len(test_labels)} held-out images")


if __name__ == "__main__":
    main()
