"""How a network wants its pixels: mean and standard deviation of RGB in [0, 1], by name."""

from __future__ import annotations

NORMALISATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "signed": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


def resolved(normalisation: str, encoder_weights: str | None) -> str:
    """The name that ``auto`` stands for: imagenet with weights from the hub, signed otherwise."""
    if normalisation != "auto":
        return normalisation
    return "imagenet" if encoder_weights else "signed"
