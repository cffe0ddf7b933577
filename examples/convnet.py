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


def train(program, images, labels, *, epochs=12, batch=32, rate=0.03, momentum=0.9):
    """Return the parameters after mini-batch gradient descent with momentum."""
    rng = np.random.default_rng(1)
    params = program.init_params(seed=0)
    speed = [np.zeros_like(w) for w in params]
    for epoch in range(epochs):
        order, losses = rng.permutation(len(images)), []
        for start in range(0, len(images), batch):
            pick = order[start : start + batch]
            loss, grads = program.loss_and_grad(params, image=images[pick], y=labels[pick])
            speed = [momentum * v + g for v, g in zip(speed, grads, strict=True)]
            params = program.Params(*(w - rate * v for w, v in zip(params, speed, strict=True)))
            losses.append(loss)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:3}: average loss {np.mean(losses):.4f}")
    return params


def main():
    """Train, and print the accuracy on the held-out fifth."""
    (images, labels), (test_images, test_labels) = load()
    program = gc.compile(net, dtype="float32")
    params = train(program, images, labels)
    guess = program.forward(params, image=test_images).argmax(axis=1)
    right = np.mean(guess == test_labels)
    print(f"test accuracy: {right:.1%} on {len(test_labels)} held-out images")


if __name__ == "__main__":
    main()
