"""What a data set's maker says of it; nothing here is found out, and nothing is made up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from witbuild.errors import CorruptPartError
from witbuild.io import store
from witbuild.io.manifest import dumps, loads

NAME = "about.json"


@dataclass(frozen=True, kw_only=True)
class About:
    """The maker's words; "" is not said."""

    name: str = "witbuild-dataset"
    description: str = "Pairs of an image and its caption, matched against a query list and balanced over it."
    licence: str = ""
    """Of the collection as such: an SPDX name or a URL. The images have their own: LICENSES.parquet."""
    version: str = "1.0.0"
    url: str = ""
    creator: str = ""
    published: str = ""
    """A date, ISO 8601."""

    @staticmethod
    def load(folder: str) -> About:
        """Return what a data set's folder says, or the defaults when it says nothing yet.

        Raises:
            CorruptPartError: the file is not what `save` writes.
        """
        path = store.join(folder, NAME)
        if not store.exists(path):
            return About()
        try:
            return About(**loads(path))
        except TypeError as error:
            raise CorruptPartError(f"{path}: {error}; delete this file and give its options again") from error

    def save(self, folder: str) -> None:
        """Write it into a data set's folder."""
        store.commit_bytes(store.join(folder, NAME), dumps(asdict(self)))

    def changed(self, **given: str) -> About:
        """Return it with what is given in place of what it said; an empty text changes nothing.

        Example:
            >>> About(name="a", url="http://a.test").changed(name="b", url="").name
            'b'
        """
        names = {field.name for field in fields(self)}
        return replace(self, **{name: text for name, text in given.items() if name in names and text})
