"""The files of a source folder, of which there may be hundreds of thousands: a path object only while it is used."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self, overload


class FileList(Sequence[Path]):
    """Paths below a folder, as texts until one is asked for. Its repr shows a count only."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """Paths relative to `folder`, with forward slashes."""
        self._folder, self._names = folder, names

    @classmethod
    def found(cls, folder: Path) -> Self:
        """Everything below a folder that is no folder, sorted by path; links are listed, not followed."""
        names: list[str] = []
        for parent, folders, files in os.walk(folder):
            place = Path(parent).relative_to(folder).as_posix()
            links = [name for name in folders if Path(parent, name).is_symlink()]
            names += [name if place == "." else f"{place}/{name}" for name in (*files, *links)]
        names.sort(key=lambda name: name.replace("/", "\0"))  # as paths are compared: part by part
        return cls(folder, names)

    def __repr__(self) -> str:
        return f"FileList({len(self)} files)"

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, place: int) -> Path: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> Path | Self:
        if isinstance(place, slice):
            return type(self)(self._folder, self._names[place])
        return self._folder / self._names[place]

    @property
    def names(self) -> Sequence[str]:
        """Each path below the folder, with forward slashes."""
        return self._names

    def encoded(self) -> list[bytes]:
        """Each path as the operating system is told it."""
        folder = os.fsencode(self._folder / "_")[:-1]
        return [folder + os.fsencode(name) for name in self._names]

    def below(self, called: str) -> int:
        """How many files in sub-folders are called so, in upper or lower case."""
        return sum(name.casefold().endswith(f"/{called}") for name in self._names)

    def without(self, paths: Collection[Path]) -> Self:
        """Those that are none of these resolved paths."""
        called = {path.name for path in paths}
        kept = [
            name
            for name in self._names
            if name.rpartition("/")[2] not in called or (self._folder / name).resolve() not in paths
        ]
        return type(self)(self._folder, kept)
