"""Whatever goes wrong, in one message that says what to do."""

from __future__ import annotations

import errno
import os
import tempfile
import traceback

from factory.core.errors import FactoryError, MachineError
from factory.execute.memory import is_out_of_memory

CURES = {
    errno.ENOSPC: "free some disk space; the same command goes on from here",
    errno.EDQUOT: "free some of your disk quota; the same command goes on from here",
    errno.EACCES: "check the permissions of the file or folder",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def explained(error: Exception) -> FactoryError:
    """The error itself, or what the machine refused; the traceback of a fault of ours goes to a file that is named."""
    if isinstance(error, FactoryError):
        return error
    if isinstance(error, MemoryError | RuntimeError) and is_out_of_memory(error):
        todo = "use fewer workers (executor.count=1), a smaller size, tile, crop or batch, or a smaller model"
        return MachineError("out of memory", got=str(error).partition("\n")[0] or None, todo=todo)
    if isinstance(error, OSError):
        todo = CURES.get(error.errno or 0, "check the file or folder; the same command goes on from here")
        return MachineError("the system refused", where=error.filename, got=error.strerror or error, todo=todo)
    handle, name = tempfile.mkstemp(prefix="factory-", suffix=".log")
    with os.fdopen(handle, "w") as log:
        log.write("".join(traceback.format_exception(error)))
    todo = "report it with that file; sealed artefacts are untouched"
    return FactoryError.of(error, what="a fault in the factory itself", where=name, todo=todo)
