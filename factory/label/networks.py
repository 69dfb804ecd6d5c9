"""Networks that a labeler teaches itself: each learns once, and is kept by all that decides what it learns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from factory.core import digests
from factory.core.artefact import Artefact, Identity, Kind
from factory.core.cache import Cache
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, MachineError
from factory.core.version import code_version
from factory.core.writer import is_sealed, open_writer
from factory.segment import checkpoint
from factory.segment.cache import PixelCache
from factory.segment.data import Row
from factory.segment.track import Tracks
from factory.segment.training import Training
from factory.segment.weights import file_in

WEIGHTS = "last.ckpt"
Issues = list[dict[str, str]]
"""What the report is told: where, and the reason."""


@dataclass(frozen=True, kw_only=True)
class NetworkMaker:
    """Trains by ``training`` and keeps in ``cache`` what came of it.

    ``weights`` to start from are a file for the encoder, or a model artefact. A killed training goes on from its last
    saved state, in whichever run asks for the network next.
    """

    training: Training
    weights: Path | None
    cache: Cache

    def __call__(self, said: Dataset, rows: Sequence[Row], seed: int) -> tuple[checkpoint.Trained, Issues]:
        """The network that learnt from some rows of ``said``, and what its training found worth a look."""
        identity = self._identity(said, rows, seed)
        with self.cache.kept(f"network-{identity.name}") as place:
            if not is_sealed(place, identity):
                self._train(said, rows, seed, place, identity)
            header = Artefact.open(place).header
            return checkpoint.load(place / WEIGHTS, classes=said.classes), list(header.issues)

    def _identity(self, said: Dataset, rows: Sequence[Row], seed: int) -> Identity:
        ids = [row.sample.id for row in rows]
        config = {"training": repr(self.training), "rows": digests.of_bytes(digests.canonical(ids))}
        inputs = {"said": said.digest} | ({"weights": digests.of_file(file_in(self.weights))} if self.weights else {})
        return Identity(stage="network", config=config, seed=seed, inputs=inputs, code=code_version())

    def _train(self, said: Dataset, rows: Sequence[Row], seed: int, place: Path, identity: Identity) -> None:
        pixels = partial(PixelCache, size_hw=self.training.size_hw, cache=self.cache)
        with open_writer(place, identity, Kind.MODEL) as out:
            with labelers_keys():
                module = self.training.module(
                    said.classes,
                    sources={"real": pixels(rows=rows)},
                    shares={"real": 1.0},
                    validation=pixels(rows=[]),
                    weights=self.weights,
                    seed=seed,
                    report=out.report,
                )
            out.classes = said.classes
            _, last = self.training.fit(module, out, tracks=Tracks(), devices=1)
            out.write(WEIGHTS, last)
            out.seal()


@contextmanager
def labelers_keys() -> Iterator[None]:
    """Where weights cannot be had, name the labeler's own keys: those of `factory train` are not there.

    A `ConfigError`: nothing has been learnt yet, and what was begun would be in the way of other settings.
    """
    try:
        yield
    except MachineError as error:
        if error.where != "model.encoder_weights":
            raise
        where = "the labeler's training.model.encoder_weights"
        todo = "connect, or give the labeler a file as its weights=…, or set that key of it to null"
        raise ConfigError(error.what, where=where, got=error.got, todo=todo) from error
