"""A study from its text: every mistake is named with its file, line and key.

::

    version = 1                              # of this format
    title = "Exponents of Lorenz' equations"

    [model]
    zoo = "lorenz"                           # or file = "cell.toml", or [model.states], ... as in a model
    set = { sigma = 10 }

    [analysis]
    function = "lyapunov_spectrum"
    duration = 500
    transient = 50

    [sweep.over]                             # optional
    rho = { from = 20, to = 30, count = 11 }

    [[sweep.design]]                         # optional: points of other kinds, see `dynlab.study.designs`
    kind = "replicates"
    count = 5

    [outputs]                                # optional
    figure = ["png"]
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dynlab import zoo
from dynlab.errors import DynlabError, StoreError, TextError
from dynlab.study import values
from dynlab.study.analyses import ANALYSES, required
from dynlab.study.designs import Laid, designs
from dynlab.study.lines import lines_of
from dynlab.study.study import Executor, Outputs, Study, Swept
from dynlab.study.values import Place
from dynlab.symbolic.system import System
from dynlab.text.files import ENDINGS, read_model, read_text
from dynlab.text.toml import from_tables, tables_of

__all__ = ["VERSION", "assembled", "from_study_text", "read_study"]

#: Of the format of studies.
VERSION = 1
#: Points of a sweep.
MOST_POINTS = 10_000_000
_MOST_WORKERS = 4096

#: A function and its settings.
Chosen = tuple[str, Mapping[str, Any]]

_TABLES = ("version", "title", "model", "analysis", "sweep", "executor", "outputs")
_INLINE = ("name", "kind", "time", "reference", "states", "parameters", "equations", "observables")
_FIGURES = ("png", "svg", "pdf")


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read a study from a TOML file; nothing in it is run, so it may come from anyone.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Study
        What `run_study` takes.

    Raises
    ------
    StoreError
        If the file is absent, empty, larger than 10 MB or not a text in UTF-8, or of a newer version.
    TextError
        If the text is no study; the message gives line and key.
    UnknownNameError
        If a key, function, model, parameter or state does not exist; the message gives the nearest ones.

    Examples
    --------
    >>> import dynlab as dl, tempfile, pathlib
    >>> text = '''
    ... [model]
    ... zoo = "henon"
    ... [analysis]
    ... function = "lyapunov_spectrum"
    ... duration = 1000
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "henon.toml"
    ...     count = path.write_text(text)
    ...     dl.read_study(path)
    <study henon: lyapunov_spectrum of henon>
    """
    source = Path(path)
    text = read_text(source, "study")
    return from_study_text(text, name=source.name, folder=source.parent)


def from_study_text(text: str, *, name: str, folder: Path) -> Study:
    """Return the study of a text; models beside it are looked for in the folder, and only there."""
    try:
        data = tables_of(text, "study")
    except TextError as error:
        raise TextError(f"{name}: {error}") from None
    place = Place(name, lines_of(text))
    _check_version(data.get("version", VERSION), place / "version")
    values.table(data, place, _TABLES)
    for key in ("model", "analysis"):
        if key not in data:
            raise TextError(
                f"{name} has no [{key}]; a study has a model and an analysis. Add the table."
            )
    system = _system(values.table(data["model"], place / "model"), place / "model", folder)
    return assembled(system, data, place, folder, text)


def assembled(
    system: System, data: Mapping[str, Any], place: Place, folder: Path, text: str
) -> Study:
    """Return the study of a model and the tables of a text."""
    stem = re.sub(r"\W+", "_", Path(place.file).stem) or "study"
    function, settings = _analysis(data["analysis"], place / "analysis", system)
    sweep = (
        _sweep(data["sweep"], place / "sweep", system, (function, settings))
        if "sweep" in data
        else None
    )
    _require_all(function, settings, place / "analysis")
    return Study(
        name=stem,
        title=values.word(data.get("title", stem), place / "title"),
        system=system,
        function=function,
        settings=settings,
        sweep=sweep,
        executor=_executor(data.get("executor", {}), place / "executor", sweep),
        outputs=_outputs(data.get("outputs", {}), place / "outputs", folder),
        text=text,
    )


def _check_version(value: Any, place: Place) -> None:
    version = values.count(value, place)
    if version > VERSION:
        raise StoreError(
            f"{place}: the study has format version {version}, and this dynlab reads up to {VERSION}. "
            "Update dynlab."
        )


# The model


def _system(data: Mapping[str, Any], place: Place, folder: Path) -> System:
    known = ("zoo", "file", "set", "noise", *_INLINE)
    values.table(data, place, known)
    kinds = [k for k in ("zoo", "file", "equations") if k in data]
    if len(kinds) != 1:
        raise TextError(
            f"{place}: [model] says {' and '.join(kinds) or 'nothing'} of where the model comes from. Give one of "
            'zoo = "lorenz", file = "cell.toml", or the tables [model.states] and [model.equations].'
        )
    for key in data:
        if kinds[0] != "equations" and key not in (kinds[0], "set", "noise"):
            raise TextError(
                f"{place / key}: model.{key} belongs to a model with equations of its own, and this one has "
                f"model.{kinds[0]}. Remove one of the two."
            )
    if kinds[0] == "zoo":
        name = values.word(data["zoo"], place / "zoo")
        if name not in zoo.names():
            (place / "zoo").unknown("model of the zoo", name, zoo.names())
        system = zoo.get(name)
    elif kinds[0] == "file":
        system = _from_file(data["file"], place / "file", folder)
    else:
        system = _inline(data, place)
    given = values.named_numbers(data.get("set", {}), place / "set")
    known_names = [p.name for p in system.parameters]
    for name in given:
        if name not in known_names:
            (place / "set" / name).unknown(f"parameter of {system.name!r}", name, known_names)
    return _with_noise(system(**given), data.get("noise", {}), place / "noise")


def _with_noise(system: System, value: Any, place: Place) -> System:
    """Return the system with white noise of constant amplitude in some of its states."""
    amplitudes = values.named_numbers(value, place)
    if not amplitudes:
        return system
    _check_names(amplitudes, place, system.declared, f"state of {system.name!r}")
    try:
        noisy: System = system.with_noise(**amplitudes)
    except DynlabError as error:
        raise _with_place(error, place) from None
    return noisy


def _from_file(value: Any, place: Place, folder: Path) -> System:
    path = folder / values.inner_path(value, place)
    if not path.resolve().is_relative_to(folder.resolve()):
        place.refuse(
            value, "a file in the folder of the study; this one is a link that leads out of it"
        )
    if path.suffix.lower() not in ENDINGS:
        place.refuse(value, f"a model file ({', '.join(ENDINGS)})")
    try:
        return read_model(path)
    except DynlabError as error:
        raise _with_place(error, place) from None


def _inline(data: Mapping[str, Any], place: Place) -> System:
    title = {k: v for k, v in data.items() if k in ("name", "kind", "time", "reference")}
    tables = {
        k: v for k, v in data.items() if k in ("states", "parameters", "equations", "observables")
    }
    try:
        return from_tables({"model": title, **tables})
    except DynlabError as error:
        raise _with_place(error, _blamed(str(error), place)) from None


#: How messages about models name what is wrong; each finds table and key.
_BLAMED = (
    re.compile(r"(states|parameters|equations|observables|model)\.(\w+)"),
    re.compile(r"the (equation|observable)s? (?:of )?'(\w+)'"),
    re.compile(r"no equation for the (state) '(\w+)'"),
)


def _blamed(message: str, place: Place) -> Place:
    """Return where in an inline model a message points."""
    for pattern in _BLAMED:
        found = pattern.search(message)
        if found:
            word, key = found.groups()
            if word == "model":
                return place / key
            return place / (word if word.endswith("s") else f"{word}s") / key
    return place


def _with_place(error: DynlabError, place: Place) -> DynlabError:
    """Return the same error with the line of the study in front."""
    again = error.__class__.__new__(error.__class__)
    again.args = (f"{place}: {error}",)
    return again


# The analysis


def _analysis(value: Any, place: Place, system: System) -> tuple[str, dict[str, Any]]:
    data = values.table(value, place)
    if "function" not in data:
        raise TextError(
            f'{place}: [analysis] has no function. Write function = "lyapunov_spectrum".'
        )
    name = values.choice(*ANALYSES)(data["function"], place / "function")
    kinds = ANALYSES[name].settings
    settings: dict[str, Any] = {}
    for key, item in data.items():
        if key == "function":
            continue
        if key not in kinds:
            (place / key).unknown(f"setting of {name}", key, kinds)
        settings[key] = kinds[key](item, place / key)
    for key in settings.keys() & {*ANALYSES[name].parameters}:
        _check_names(
            settings[key], place / key, _parameters(system), f"parameter of {system.name!r}"
        )
    for key in settings.keys() & {*ANALYSES[name].states}:
        known = (*system.declared, *system.state_names, *system.observable_names)
        _check_names(settings[key], place / key, known, f"state of {system.name!r}")
    return name, settings


def _parameters(system: System) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(p.name for p in system.parameters), *system.parameter_names]))


def _check_names(value: Any, place: Place, known: Iterable[str], what: str) -> None:
    known = tuple(known)
    named = [value] if isinstance(value, str) else value if isinstance(value, dict) else []
    for name in named:
        if name not in known:
            (place if isinstance(value, str) else place / name).unknown(what, name, known)


def _require_all(function: str, settings: Mapping[str, Any], place: Place) -> None:
    for key in required(function):
        if key not in settings:
            raise TextError(f"{place}: {function} needs {key!r}. Add a line: {key} = ...")


# What is repeated, where, and what is written


def _sweep(value: Any, place: Place, system: System, analysis: Chosen) -> Swept:
    data = values.table(value, place, ("over", "design", "seed"))
    if "over" not in data and "design" not in data:
        raise TextError(
            f"{place}: [sweep] has no points. Add [sweep.over] and a parameter below it, or [[sweep.design]]."
        )
    over = values.axes(data["over"], place / "over") if "over" in data else {}
    laid = designs(data.get("design", []), place / "design", most=MOST_POINTS)
    for name, item in over.items():
        if len(set(item)) < len(item):
            (place / "over" / name).refuse(data["over"][name], "each value once")
    _check_varied({name: place / "over" / name for name in over}, laid, system, analysis)
    found = Swept(over, values.seed(data["seed"], place / "seed") if "seed" in data else None, laid)
    if found.size > MOST_POINTS:
        raise TextError(
            f"{place}: the sweep has {found.size} points; the limit is {MOST_POINTS}. Take fewer."
        )
    return found


def _check_varied(
    places: dict[str, Place], laid: tuple[Laid, ...], system: System, analysis: Chosen
) -> None:
    """Hold that each parameter that is varied exists and is varied once."""
    function, settings = analysis
    for one in laid:
        if one.kind == "replicates":
            _check_replicates(one, laid, function, settings)
        for name in one.names:
            at = one.place / ("values" if one.kind == "zipped" else "within") / name
            if name in places:
                raise TextError(
                    f"{at}: {name!r} is varied at {places[name]} already. Take out one."
                )
            places[name] = at
    vary = settings.get("vary")
    for name, at in places.items():
        if name not in _parameters(system):
            at.unknown(f"parameter of {system.name!r}", name, _parameters(system))
        if name == vary or (isinstance(vary, dict) and name in vary):
            raise TextError(
                f"{at}: {name!r} is varied by the analysis itself. Take it out of one of them."
            )


def _check_replicates(
    one: Laid, laid: tuple[Laid, ...], function: str, settings: Mapping[str, Any]
) -> None:
    if one is not next(other for other in laid if other.kind == "replicates"):
        raise TextError(f"{one.place}: there are replicates of replicates. Multiply their counts.")
    if "seed" not in ANALYSES[function].settings or "seed" in settings:
        why = "has its seed in [analysis]" if "seed" in settings else "takes no seed"
        raise TextError(
            f"{one.place}: all replicates would be the same, as {function} {why}. Take one out; [sweep] may have a seed."
        )


def _executor(value: Any, place: Place, sweep: Swept | None) -> Executor:
    data = values.table(value, place, ("kind", "workers"))
    if data and sweep is None:
        raise TextError(
            f"{place}: there is an [executor] and nothing to share out. Add [sweep.over], or remove it."
        )
    kind = values.choice("automatic", "serial", "threads", "processes")(
        data.get("kind", "automatic"), place / "kind"
    )
    if "workers" not in data:
        return Executor(kind)
    workers = values.count(data["workers"], place / "workers")
    if kind in ("automatic", "serial") or workers > _MOST_WORKERS:
        (place / "workers").refuse(
            workers, f'at most {_MOST_WORKERS}, for kind = "threads" or "processes"'
        )
    return Executor(kind, workers)


def _outputs(value: Any, place: Place, folder: Path) -> Outputs:
    data = values.table(value, place, ("folder", "figure", "data", "table", "report"))
    kinds: dict[str, values.Kind] = {
        "folder": values.inner_path, "figure": values.choices(*_FIGURES),
        "data": values.flag, "table": values.flag, "report": values.flag,
    }  # fmt: skip
    found = {key: kinds[key](item, place / key) for key, item in data.items()}
    chosen = Outputs(**found)
    if not (folder / chosen.folder).resolve().is_relative_to(folder.resolve()):
        (place / "folder").refuse(
            chosen.folder, "a folder inside that of the study; this one leads out of it"
        )
    return chosen
