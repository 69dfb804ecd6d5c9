"""Losses, each a part with a weight of its own: ``loss(outputs, evidence) -> scalar``.

Pixels of weight 0 add nothing. A batch of nothing else gives loss 0 with gradient zero, never NaN.
"""
