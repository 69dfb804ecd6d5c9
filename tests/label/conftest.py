"""A file of encoder weights, as a user would have one."""

import pytest
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import save_file


@pytest.fixture(scope="session")
def mobilenet_weights(tmp_path_factory):
    """Random weights from a fixed seed: shapes and names are what counts here."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = smp.encoders.get_encoder("mobilenet_v2", weights=None)
    path = tmp_path_factory.mktemp("weights") / "encoder.safetensors"
    save_file({name: value.contiguous() for name, value in encoder.state_dict().items()}, path)
    return path
