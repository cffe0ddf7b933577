"""A character model of Shakespeare's sonnets: an LSTM that learns which letter comes next.

    python examples/charlm.py

trains for some seconds, prints the loss per character, and writes some verses of its own. The
emitted code holds one loop forward and one backward, however long the sequences are.
"""

from pathlib import Path

import numpy as np

import graphc as gc

HERE = Path(__file__).resolve().parent
TEXT = (HERE / "data" / "sonnets.txt").read_text("ascii")
ALPHABET = sorted(set(TEXT))
STEPS, HIDDEN = 24, 64

letters = gc.observed("letters", shape="T", classes=len(ALPHABET))
following = gc.observed("following", shape="T", classes=len(ALPHABET))
z = gc.Embedding(len(ALPHABET), 32, name="letter")(letters)
h, *_ = gc.LSTM(HIDDEN, name="lstm")(z)
scores = gc.Linear(len(ALPHABET), name="head")(h, output="scores")
net = gc.Graph(scores, gc.cross_entropy(scores.T, following, name="C"), name="charlm")


def batches(count, size, rng):
    """Yield pieces of the text, and what follows each of their letters."""
    code = {letter: i for i, letter in enumerate(ALPHABET)}
    text = np.array([code[letter] for letter in TEXT])
    for _ in range(count):
        starts = rng.integers(0, len(text) - STEPS, size=size)
        pieces = text[starts[:, None] + np.arange(STEPS + 1)]
        yield pieces[:, :-1], pieces[:, 1:]


def train(program, *, steps=160, size=32):
    """Return the parameters after so many steps, and the losses on the way."""
    rng = np.random.default_rng(0)
    params = program.init_params(seed=0)
    state, losses = program.init_state(params), []
    for t, (given, wanted) in enumerate(batches(steps, size, rng), 1):
        losses.append(program.train_step(params, state, letters=given, following=wanted))
        if t % 40 == 0:
            print(f"step {t:4}: {np.mean(losses[-40:]):.3f} nats per character")
    return params, losses


def write(program, params, start="Shall I", length=160, seed=3):
    """Return a text that goes on from `start`, each letter drawn by its probability."""
    rng = np.random.default_rng(seed)
    text = [ALPHABET.index(letter) for letter in start]
    for _ in range(length):
        scores = program.forward(params, letters=np.array([text[-STEPS:]]))[0, -1]
        p = np.exp((scores - scores.max()).astype(float) * 1.5)
        text.append(int(rng.choice(len(ALPHABET), p=p / p.sum())))
    return "".join(ALPHABET[i] for i in text)


def main():
    """Train, and write."""
    program = gc.compile(net, dtype="float32", step=gc.adam(lr=0.015))
    params, _ = train(program)
    print(write(program, params))


if __name__ == "__main__":
    main()
