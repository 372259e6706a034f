"""Asking one address and judging its answer by the thresholds of its probe."""

from prometheus_client.parser import text_string_to_metric_families

from core.operations.findings import CouldNotTell, Failed
from core.operations.monitor_config import Probe, secret_of
from core.operations.web import Answer, fetch


def ask(probe: Probe) -> str:
    """Return what was found, in a few words; raises Failed when it is not as the probe wants it.

    No answer is a failure, too: whoever cannot be reached is down for whoever asks.
    """
    headers = {"Authorization": f"Bearer {secret_of(probe.bearer_file)}"} if probe.bearer_file else {}
    try:
        answer = fetch(probe.url, timeout_s=probe.timeout_s, headers=headers)
    except CouldNotTell as error:
        raise Failed(str(error)) from error
    if answer.status != probe.status:
        raise Failed(f"answered {answer.status}, not {probe.status}")
    if probe.contains and probe.contains.encode() not in answer.body:
        raise Failed(f"the answer lacks {probe.contains!r}")
    if probe.metric:
        return _judge_metric(probe, answer)
    took_ms = answer.seconds * 1000
    if took_ms > probe.max_ms:
        raise Failed(f"took {took_ms:.0f} ms, more than {probe.max_ms:g}")
    return f"{answer.status} in {took_ms:.0f} ms"


def _judge_metric(probe: Probe, answer: Answer) -> str:
    try:
        samples = [
            sample
            for family in text_string_to_metric_families(answer.body.decode(errors="replace"))
            for sample in family.samples
            if sample.name == probe.metric and _has_labels(sample.labels, probe.labels)
        ]
    except ValueError as error:
        raise Failed("the answer is no Prometheus text") from error
    if not samples:
        raise Failed(f"{probe.metric} is not among the metrics")
    value = sum(sample.value for sample in samples)
    if not probe.minimum <= value <= probe.maximum:
        raise Failed(f"{probe.metric} is {value:g}, not from {probe.minimum:g} to {probe.maximum:g}")
    return f"{probe.metric} is {value:g}"


def _has_labels(found: dict[str, str], wanted: str) -> bool:
    pairs = (pair.partition("=") for pair in wanted.split(",") if pair)
    return all(found.get(name.strip()) == value.strip().strip('"') for name, _, value in pairs)
