"""The command line of the benches; see the package."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

import tests.benchmarks as package
from recorder.system.cores import available_cores
from tests.benchmarks import history
from tests.benchmarks.common import Figure, Options, Ratio

TITLES = {
    "recorder": "Recording",
    "store": "Reading",
    "pictures": "Pictures in any colours",
    "loader": "Loading batches",
    "mixing": "Batch diversity",
    "training": "Training",
    "network": "The network",
    "memory": "Memory",
    "evaluation": "Evaluation",
    "startup": "Start-up time",
    "library": "Listing sessions",
    "kills": "Killed recorders",
    "failures": "Failing disks and power cuts",
    "limits": "The limits of a machine",
    "properties": "Everything in any order",
    "mutations": "Damaged and malicious files",
    "latency": "From a key to the picture",
    "responsive": "The window",
    "first": "The first five minutes",
    "realtime": "Real time",
    "players": "Scripted players",
}
ROOMS = {
    "kills": "robustness",
    "mutations": "robustness",
    "properties": "robustness",
    "responsive": "window",
    "first": "window",
    "realtime": "window",
}
LONG = ("first", "realtime", "players")


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m tests.benchmarks",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[*TITLES, []], metavar="NAME")
    parser.add_argument("--size", choices=("small", "full"), default="full")
    parser.add_argument("--minutes", type=float, default=10.0, help="of play for realtime")
    parser.add_argument("--out", type=Path, help="a Markdown file for the tables")
    arguments = parser.parse_args()
    options = Options(arguments.size == "small", arguments.minutes)
    ratios: dict[str, float] = {}
    for name in arguments.names or [name for name in TITLES if name not in LONG]:
        bench = getattr(importlib.import_module(f"tests.benchmarks.{ROOMS.get(name, name)}"), name)
        print(f"\n## {TITLES[name]}\n", flush=True)
        lines = []
        for line in bench(options):
            if isinstance(line, Ratio):
                ratios[line.name] = line.value
                continue
            if isinstance(line, Figure):
                if arguments.out:
                    (arguments.out.parent / line.name).write_text(line.svg, encoding="utf-8")
                print(line.text, flush=True)
                lines.append(f"![{line.about}]({line.name})")
                continue
            print(line, flush=True)
            lines.append(line)
        if arguments.out:
            put(arguments.out, name, "\n".join(lines), options)
    if arguments.out and not arguments.names and not options.small:
        for told in history.add(arguments.out, history.Run.here(ratios)):
            print(f"worse: {told}", flush=True)


def put(file: Path, name: str, text: str, options: Options) -> None:
    """Put what a bench found under its heading, which is added at the end where it is missing."""
    old = file.read_text() if file.exists() else "# Benchmarks\n"
    size = " --size small" if options.small else ""
    told = f"`python -m tests.benchmarks {name}{size}` on {machine()}:"
    section = f"## {TITLES[name]}\n\n{told}\n\n{text.strip()}\n"
    parts = re.split(r"^(?=## )", old, flags=re.MULTILINE)
    for index, part in enumerate(parts):
        if part.startswith(f"## {TITLES[name]}\n"):
            # What somebody wrote below the figures stays.
            _, rule, written = part.partition("\n<!-- end of figures -->\n")
            parts[index] = section + (rule + written if rule else "\n")
            break
    else:
        last = next((index for index, part in enumerate(parts) if part.startswith(history.HEADING)), len(parts))
        parts.insert(last, f"{section}\n")
    file.write_text("".join(parts).rstrip() + "\n")


def machine() -> str:
    """Its processor, cores and memory."""
    kilobytes = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1])  # type: ignore[index]
    return f"{history.processor()}, {available_cores()} cores with {kilobytes / 2**20:.0f} GB of memory"


if __name__ == "__main__":
    main()
