"""A transformer's encoder block learns to answer by place: which letter stood where I point?

    python examples/transformer.py

The model reads a piece of Shakespeare's sonnets and a number k, and is to name the letter k places
before the end. That takes what attention is for: to look somewhere and bring back what is there.
"""

from pathlib import Path

import numpy as np

import graphc as gc

HERE = Path(__file__).resolve().parent
TEXT = (HERE / "data" / "sonnets.txt").read_text("ascii").lower()
ALPHABET = sorted(set(TEXT))
STEPS, FEATURES = 16, 32

letters = gc.observed("letters", shape=STEPS, classes=len(ALPHABET))
k = gc.observed("k", classes=STEPS)
answer = gc.observed("answer", classes=len(ALPHABET))
pointer = gc.Embedding(STEPS, FEATURES, name="pointer")(k)
z = gc.Embedding(len(ALPHABET), FEATURES, name="letter")(letters)
z = gc.LearnedPositionalEncoding(STEPS, name="place")(z)
sequence = gc.add(z, pointer, name="ask")
block = gc.TransformerEncoderLayer(FEATURES, 2, 64, norm_first=True, name="encoder")
scores = gc.Linear(len(ALPHABET), name="head")(block(sequence)[-1], output="scores")
net = gc.Graph(scores, gc.cross_entropy(scores, answer, name="C"), name="transformer")


def batch(size, rng):
    """Return pieces of the text, where to look, and what stands there."""
    code = {letter: i for i, letter in enumerate(ALPHABET)}
    text = np.array([code[letter] for letter in TEXT])
    pieces = text[rng.integers(0, len(text) - STEPS, size=size)[:, None] + np.arange(STEPS)]
    places = rng.integers(0, STEPS, size=size)
    return {"letters": pieces, "k": places, "answer": pieces[np.arange(size), STEPS - 1 - places]}


def train(program, *, steps=300, size=64):
    """Return the parameters after so many steps."""
    rng = np.random.default_rng(0)
    params = program.init_params(seed=0)
    state, losses = program.init_state(params), []
    for t in range(1, steps + 1):
        losses.append(program.train_step(params, state, **batch(size, rng)))
        if t % 100 == 0:
            print(f"step {t:4}: average loss {np.mean(losses[-100:]):.3f}")
    return params


def main():
    """Train, and print how often it is right on pieces that it has not seen so."""
    program = gc.compile(net, dtype="float32", step=gc.adam(lr=gc.warmup(50, 0.01)))
    params = train(program)
    asked = batch(1000, np.random.default_rng(1))
    guess = program.forward(params, letters=asked["letters"], k=asked["k"]).argmax(axis=1)
    print(f"test accuracy: {np.mean(guess == asked['answer']):.1%} on 1000 questions")


if __name__ == "__main__":
    main()
