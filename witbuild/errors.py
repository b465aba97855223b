"""The errors that witbuild raises on purpose; each carries the exit code of the command line.

WitbuildError                      1   anything below
├── RecipeError                    2   a recipe, option or parameter is wrong: names file, item, field and fix
│   └── RunMismatchError           2   a run directory was made from other parameters: both fingerprints
├── MissingExtraError              2   an optional dependency is not installed: names the pip line
├── PolicyError                    3   something was refused on purpose (private address, no contact, ...)
├── VerificationError              4   bytes are not what a manifest or a law says
├── InputError                     1   a file given to us cannot be read: names file, place, found, fix
│   └── CorruptPartError           1   a part of a run cannot be read: names the file, rest is resumable
├── EmptyError                     1   a stage that must yield something yielded nothing
├── WorkerError                    1   a worker process died (out of memory, crash): names the task
└── RetryLaterError               75   what is needed is not there yet (other slices of a batch job)
"""

from __future__ import annotations


class WitbuildError(Exception):
    """Base of every error that witbuild raises on purpose."""

    exit_code = 1


class RecipeError(WitbuildError):
    """A recipe, an option or a parameter is wrong."""

    exit_code = 2


class RunMismatchError(RecipeError):
    """A run directory was made from other parameters."""


class MissingExtraError(WitbuildError):
    """An optional dependency is not installed.

    Example:
        >>> print(MissingExtraError("witbuild train", "train"))
        witbuild train needs an extra that is not installed: pip install 'witbuild[train]'
    """

    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra that is not installed: pip install 'witbuild[{extra}]'")
        self.what, self.extra = what, extra

    def __reduce__(self) -> tuple[object, ...]:
        """Let it be sent from a worker: made again from its parts, with its notes."""
        return type(self), (self.what, self.extra), self.__dict__


class PolicyError(WitbuildError):
    """Something was refused on purpose."""

    exit_code = 3


class VerificationError(WitbuildError):
    """Bytes are not what a manifest or a law says."""

    exit_code = 4


class InputError(WitbuildError):
    """A file given to witbuild cannot be read."""


class CorruptPartError(InputError):
    """A part of a run cannot be read."""


class EmptyError(WitbuildError):
    """A stage that must yield something yielded nothing."""


class WorkerError(WitbuildError):
    """A worker process died."""


class RetryLaterError(WitbuildError):
    """What is needed is not there yet; run again later."""

    exit_code = 75
