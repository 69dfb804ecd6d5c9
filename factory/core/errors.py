"""The one error tree of the factory.

    FactoryError            every failure a user can cause or cure
    ├── ConfigError         a key, a value or a combination of them in the configuration
    ├── InputError          a file or folder handed in by the user
    ├── ArtefactError       an artefact that is missing, unsealed, of another kind, or different
    ├── MachineError        the machine lacks something: a system library, disk space, memory, a Python version
    ├── WorkerError         a worker process failed for good
    └── TrainingError       training cannot go on sensibly

A message says what is wrong and where, what was got and what was expected, and what to do next. The command line
prints it and exits non-zero; a traceback reaches nobody but developers.
"""

from __future__ import annotations

from typing import Self

BELOW = "\n" + " " * 12


class FactoryError(Exception):
    """A failure with a cause, a place and a cure.

    ``what`` is one sentence; ``where`` a file, key or sample id; ``got`` and ``expected`` the two sides of the
    disagreement; ``todo`` the next thing to try. Further lines of each stand below its first.
    """

    def __init__(
        self, what: str, *, where: object = None, got: object = None, expected: object = None, todo: str | None = None
    ) -> None:
        super().__init__(what, where, got, expected, todo)
        self.what, self.where, self.got, self.expected, self.todo = what, where, got, expected, todo

    def __str__(self) -> str:
        parts = (("where", self.where), ("got", self.got), ("expected", self.expected), ("do", self.todo))
        stated = [f"  {name + ':':<10}{value}" for name, value in parts if value is not None]
        return "\n".join([self.what, *(one.replace("\n", BELOW) for one in stated)])

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process with every part intact, also those set since it was made."""
        return (_rebuild, (type(self), self.what, self.where, self.got, self.expected, self.todo))

    def one_line(self) -> str:
        """The same message for a report's table."""
        return " ".join(str(self).replace("\n  ", "; ").split())

    @classmethod
    def of(cls, cause: BaseException, *, what: str, where: object = None, todo: str | None = None) -> Self:
        """Wrap a library's exception, its own words as ``got``."""
        return cls(what, where=where, got=f"{type(cause).__name__}: {cause}".strip(), todo=todo)


def _rebuild(
    kind: type[FactoryError], what: str, where: object, got: object, expected: object, todo: str | None
) -> FactoryError:
    return kind(what, where=where, got=got, expected=expected, todo=todo)


class ConfigError(FactoryError):
    """A key, a value or a combination of them that cannot work."""


class InputError(FactoryError):
    """A file or folder of the user's that cannot be used as it is."""


class ArtefactError(FactoryError):
    """An artefact that is missing, unsealed, damaged, of another kind, or made differently."""


class MachineError(FactoryError):
    """Something the machine lacks: a library, a compiler, disk space, a Python version."""


class WorkerError(FactoryError):
    """A worker process that failed for good."""


class TrainingError(FactoryError):
    """Training that cannot go on sensibly."""
