"""What a benchmark prints and records goes into the file of ``--benchmark-json``, beside the times.

So one file has all that a run measured, and the page *How accurate and how fast* is made from it.
"""

from __future__ import annotations

import pytest

SAID = pytest.StashKey[dict]()


def pytest_configure(config):
    config.stash[SAID] = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        doc = (item.module.__doc__ or item.module.__name__).strip()
        item.config.stash[SAID][item.nodeid] = {
            "subject": doc.splitlines()[0].rstrip("."),
            "outcome": report.outcome,
            "said": [line for line in report.capstdout.splitlines() if line.strip()],
            "recorded": dict(item.user_properties),
        }


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config, benchmarks, output_json):
    output_json["said"] = config.stash[SAID]
