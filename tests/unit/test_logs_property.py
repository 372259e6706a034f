"""Whatever is logged comes out as one JSON line; hypothesis looks for a record that does not."""

import json
import logging
import sys

import pytest

from core.logs import JsonFormatter, SimpleFormatter

hypothesis = pytest.importorskip("hypothesis", reason="pip install -r requirements-dev.txt")
st = hypothesis.strategies


class Unshowable:
    def __str__(self):
        raise ValueError("no string")

    __repr__ = __str__


class UnshowableDict(dict):
    def items(self):
        raise ValueError("no items")


def unprintable_number():
    return 10**5000  # int() and str() stop at 4 300 digits


def circular():
    circle = []
    circle.append({"again": circle})
    return circle


def raised():
    try:
        raise ValueError("first line\nsecond line", Unshowable())
    except ValueError:
        return sys.exc_info()


text = st.one_of(st.text(), st.sampled_from(["\ud800", "a\udfff\n", "\u2028\r", "\ud83d\ude00"]))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.builds(unprintable_number),
    st.floats(),
    st.sampled_from([float("nan"), float("inf")]),
    text,
    st.binary(),
    st.uuids(),
    st.datetimes(),
    st.builds(object),
    st.builds(Unshowable),
    st.builds(circular),
    st.builds(UnshowableDict, st.just({1: 2})),
    st.just(ValueError),
)
keys = st.one_of(text, st.integers(), st.none(), st.tuples(text))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
        st.frozensets(text, max_size=4),
    ),
    max_leaves=8,
)
messages = st.one_of(text, st.sampled_from(["%s %s", "%d", "%(name)s", "%", "%99999d"]), values)
exceptions = st.one_of(st.none(), st.builds(raised), st.just((None, None, None)), st.tuples(leaves, leaves, leaves))


def record(message="Video upload completed", *, args=(), exc_info=None, **extra):
    made = logging.LogRecord("core.uploads", logging.INFO, __file__, 1, message, (), exc_info)
    made.args = args
    made.__dict__.update(extra)
    return made


@hypothesis.settings(deadline=None)
@hypothesis.given(
    message=messages,
    args=st.one_of(st.tuples(values), values, st.just(())),
    exc_info=exceptions,
    extra=st.dictionaries(keys, values, max_size=5),
    created=st.one_of(st.floats(), text),
)
def test_any_record_is_exactly_one_json_object_on_one_line(message, args, exc_info, extra, created):
    made = record(message, args=args, exc_info=exc_info)
    made.created = created
    # `name` and the like are refused by Logger.makeRecord; a record made by hand may hold anything.
    made.__dict__.update(extra)

    line = JsonFormatter().format(made)

    assert line.splitlines() == [line]
    assert line.isascii()
    found = json.loads(line, parse_constant=pytest.fail)
    assert isinstance(found, dict)
    assert found["message"] != "A log record could not be shown"  # the last resort, which nothing needs
    assert {"timestamp", "level", "logger", "message"} <= found.keys()
    json.dumps(found, ensure_ascii=False).encode("utf-8")  # no lone surrogate is left


@hypothesis.settings(deadline=None)
@hypothesis.given(message=messages, args=st.one_of(st.tuples(values), values), exc_info=exceptions, value=values)
def test_any_record_can_be_shown_in_development_as_one_line_before_its_traceback(message, args, exc_info, value):
    made = record(message, args=args, exc_info=exc_info, value=value)
    formatter = SimpleFormatter(fmt="{levelname} {asctime} {module} {message}", style="{")
    first, *traceback = formatter.format(made).split("\n")
    assert first.startswith("INFO ")
    assert bool(traceback) == bool(exc_info and exc_info[0] is not None)
