"""The peer of `factory predict`, the loop anyone would write; its words: checkpoint, images, out, longest side."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from factory.segment.checkpoint import load


def predict(checkpoint: Path, images: Path, out: Path, longest: int) -> None:
    """`<name>.png` of class ids and `<name>_overlay.png`, at the pictures' own sizes."""
    model, classes = (trained := load(checkpoint)).model.eval(), trained.classes
    palette = classes.palette()
    with torch.inference_mode():
        for path in sorted(images.iterdir()):
            picture = Image.open(path).convert("RGB")
            scale = min(longest / max(picture.size), 1)
            small = picture.resize([round(scale * side) for side in picture.size], Image.Resampling.BILINEAR)
            pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255
            height, width = pixels.shape[2:]
            padded = functional.pad(pixels, (0, -width % 16, 0, -height % 16))
            logits = model(padded)[..., :height, :width]
            full = functional.interpolate(logits, size=picture.size[::-1], mode="bilinear")
            mask = full.argmax(dim=1)[0].numpy().astype(np.uint8)
            Image.fromarray(mask).save(out / f"{path.stem}.png")
            blended = Image.blend(picture, Image.fromarray(palette[mask]), 0.5)
            blended.save(out / f"{path.stem}_overlay.png")


if __name__ == "__main__":
    predict(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
