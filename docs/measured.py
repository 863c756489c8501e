"""What was measured, and the tables that are made of it: nothing on *How accurate and how fast* is typed by hand.

``python docs/accuracy_checks.py`` writes ``docs/measured/accuracy.json``.
``python -m pytest -m benchmark --benchmark-json=run.json tests/benchmarks`` and then
``python docs/measured.py run.json "what else the machine did"`` write ``docs/measured/speed.json``.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parent / "measured"
PACKAGES = ("numba", "numpy", "scipy", "sympy")


def record_accuracy(checks: Iterable) -> None:
    """Run the checks and write what they found."""
    rows = []
    for check in checks:
        began = time.perf_counter()
        value, stated = check.compute()
        rows.append(
            {
                "what": check.what,
                "value": float(value),
                "truth": float(check.truth),
                "stated": None if stated is None else float(stated),
                "source": check.source,
                "seconds": round(time.perf_counter() - began, 2),
            }
        )
    write("accuracy", {"made": provenance(), "checks": rows})


def record_speed(path: Path, beside: str) -> None:
    """Keep of a file of pytest-benchmark what the page needs."""
    run = json.loads(path.read_text("utf-8"))
    cpu = run["machine_info"]["cpu"]
    timed = {found["fullname"]: found for found in run["benchmarks"]}
    rows = []
    for name, said in run["said"].items():
        found = timed.get(name, {"stats": {"min": None}, "extra_info": {}})
        rows.append(
            {
                "test": name.partition("::")[2],
                "subject": said["subject"],
                "outcome": said["outcome"],
                "seconds": found["stats"]["min"],
                "said": [*said["said"], *(f"{k}: {v}" for k, v in found["extra_info"].items())],
            }
        )
    made = provenance() | {
        "date": run["datetime"][:10],
        "processor": cpu.get("brand_raw", platform.machine()),
        "beside": beside,
    }
    write("speed", {"made": made, "benchmarks": rows})


def provenance() -> dict[str, object]:
    """Return when, with which versions and on what."""
    import dynlab as dl

    return {
        "date": datetime.now(UTC).date().isoformat(),
        "dynlab": dl.__version__,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "system": platform.system(),
        "processor": processor(),
        "cores": os.cpu_count(),
    }


def processor() -> str:
    """Return the processor's name where the system tells it."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text("utf-8").splitlines() if listed.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(name: str, data: dict) -> None:
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    (FOLDER / f"{name}.json").write_text(text, "utf-8")


def read(name: str) -> dict:
    """Return what was measured, `accuracy` or `speed`."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def accuracy_table(data: dict) -> str:
    """Return the checks as a table in Markdown."""
    lines = [where(data["made"]), ""]
    lines += [
        "| what | dynlab | off by | error it states | the truth from |",
        "|---|---|---|---|---|",
    ]
    for row in data["checks"]:
        off = abs(row["value"] - row["truth"])
        stated = "-" if row["stated"] is None else size(row["stated"])
        cells = (
            row["what"],
            f"{row['value']:.12g}",
            size(off),
            stated,
            row["source"],
        )
        lines.append(in_a_row(cells))
    return "\n".join(lines)


def speed_table(data: dict) -> str:
    """Return the benchmarks as tables in Markdown, one for each subject, and what was not run."""
    ran = [row for row in data["benchmarks"] if row["outcome"] != "skipped"]
    lines = [where(data["made"]), ""]
    for subject in dict.fromkeys(row["subject"] for row in ran):
        lines += [f"**{subject}**", "", "| benchmark | fastest run | measured |", "|---|---|---|"]
        for row in ran:
            if row["subject"] == subject:
                said = [
                    *row["said"],
                    *(["a bound was not met"] if row["outcome"] == "failed" else []),
                ]
                lines.append(
                    in_a_row((in_words(row["test"]), duration(row["seconds"]), "; ".join(said)))
                )
        lines.append("")
    left = [in_words(row["test"]) for row in data["benchmarks"] if row["outcome"] == "skipped"]
    if left:
        lines += ["Not run, because the other program was not there: " + ", ".join(left) + "."]
    return "\n".join(lines)


def size(error: float) -> str:
    """Return an error by its first digit, with a hyphen at which no line is broken."""
    return f"{error:.0e}".replace("-", "\N{NON-BREAKING HYPHEN}") if error else "0"


def where(made: dict) -> str:
    """Return the sentence that says when and on what."""
    packages = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    beside = f" {made['beside']}" if made.get("beside") else ""
    return (
        f"Measured on {made['date']} with dynlab {made['dynlab']}, Python {made['python']}, {packages}; "
        f"{made['processor']}, {made['cores']} cores.{beside}"
    )


def in_a_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def in_words(test: str) -> str:
    """Return `test_located_spikes[x-2.0]` as `located spikes (x, 2.0)`."""
    name, _, case = test.removesuffix("]").partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({case.replace('-', ', ')})" if case else words


def duration(seconds: float | None) -> str:
    """Return a time in a unit in which it has few digits."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


TABLES = {"accuracy": accuracy_table, "speed": speed_table}

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    record_speed(Path(sys.argv[1]), " ".join(sys.argv[2:]))
