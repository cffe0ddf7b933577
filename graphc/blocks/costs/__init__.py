"""Costs, as in ``torch.nn.functional`` without the suffix ``_loss``, for one sample.

Where PyTorch averages over a batch of N samples, a cost here is that of one sample, and the
compiled program averages. Where PyTorch normalises by something else of the batch (the weights of
its classes, the number of samples that are not ignored), :func:`graphc.over_samples` does so here,
and the average over the samples is PyTorch's number.

With ``reduction="none"`` a cost gives its terms, and is a function then.
"""
