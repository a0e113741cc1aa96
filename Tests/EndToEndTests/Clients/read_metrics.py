"""Reads Prometheus' text format from standard input with the Python client's own parser, checks what every document must
hold, and prints the samples: one a line, `name{label=value,...} number`, labels sorted."""

import sys

from prometheus_client.parser import text_string_to_metric_families


def series(sample):
    """A histogram's buckets belong together by their other labels."""
    return tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))


def check_histogram(family):
    buckets, counts = {}, {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            buckets.setdefault(series(sample), []).append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_count"):
            counts[series(sample)] = sample.value
    assert buckets.keys() == counts.keys(), f"{family.name}: buckets without a count"
    for key, values in buckets.items():
        bounds = [bound for bound, _ in values]
        heights = [height for _, height in values]
        assert bounds == sorted(bounds) and bounds[-1] == float("inf"), f"{family.name}: {bounds}"
        assert heights == sorted(heights), f"{family.name}: buckets shrink"
        assert heights[-1] == counts[key], f"{family.name}: +Inf is not the count"


def main():
    families = list(text_string_to_metric_families(sys.stdin.read()))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "a family comes twice"
    for family in families:
        assert family.documentation, f"{family.name} has no help"
        if family.type == "histogram":
            check_histogram(family)
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            print(f"{sample.name}{{{labels}}} {sample.value:g}")


main()
