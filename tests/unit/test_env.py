"""Environment variables are read strictly, and every mistake is told at once."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.limits import Limit
from practika_project.env import Environment, Variable


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "1", "yes", "On", " true "])
def test_words_for_true_in_any_case_are_true(word):
    assert Environment({"USE_S3": word}).flag("USE_S3", False) is True


@pytest.mark.parametrize("word", ["false", "False", "0", "no", "OFF"])
def test_words_for_false_in_any_case_are_false(word):
    assert Environment({"USE_S3": word}).flag("USE_S3", True) is False


def test_a_misspelled_flag_is_refused_in_a_sentence_that_says_what_to_write():
    environment = Environment({"USE_S3": "ture"})

    assert environment.flag("USE_S3", False) is False
    assert environment.refused == ["USE_S3 is 'ture', which is neither true nor false. Write True or False."]


@pytest.mark.parametrize("value", ["", "   "])
def test_an_empty_value_counts_as_unset(value):
    environment = Environment({"A": value})

    assert environment.text("A", "default") == "default"
    assert environment.flag("A", True) is True
    assert environment.number("A", 7) == 7
    assert environment.items("A", ["x"]) == ["x"]
    assert environment.choice("A", "x", ("x", "y")) == "x"
    assert environment.refused == []


@pytest.mark.parametrize("value", ["1e3", "1_000", "ten", "1.5", "٣", "0x10", "9" * 5000])
def test_what_is_not_plain_digits_is_no_number(value):
    environment = Environment({"WEB_CONCURRENCY": value})

    assert environment.number("WEB_CONCURRENCY", 2, minimum=1) == 2
    assert "which is not a whole number. Write digits only, at least 1." in environment.refused[0]


def test_a_number_below_its_minimum_is_refused():
    environment = Environment({"WEB_CONCURRENCY": "0"})

    assert environment.number("WEB_CONCURRENCY", 2, minimum=1) == 2
    assert environment.refused == ["WEB_CONCURRENCY is '0', which is too small. Write 1 or more."]


def test_a_list_is_split_at_commas_and_stripped_of_what_is_empty():
    assert Environment({"HOSTS": " a.example, ,b.example,"}).items("HOSTS", []) == ["a.example", "b.example"]


def test_a_default_list_is_not_shared_with_the_caller():
    default = ["localhost"]
    Environment({}).items("HOSTS", default).append("elsewhere.example")
    assert default == ["localhost"]


def test_a_choice_is_returned_as_it_is_spelled_in_the_program():
    assert Environment({"LEVEL": "warning"}).choice("LEVEL", "INFO", ("INFO", "WARNING")) == "WARNING"


def test_an_unknown_choice_is_refused_with_the_known_ones():
    environment = Environment({"LEVEL": "loud"})

    assert environment.choice("LEVEL", "INFO", ("INFO", "WARNING")) == "INFO"
    assert environment.refused == ["LEVEL is 'loud', which is not known. Write one of: INFO, WARNING."]


def test_a_secret_comes_from_a_file_without_its_last_line_break(tmp_path):
    (tmp_path / "key").write_text("s3cret with spaces \n")
    environment = Environment({"KEY_FILE": str(tmp_path / "key")})

    assert environment.secret("KEY") == "s3cret with spaces "
    assert environment.refused == []


def test_a_secret_given_twice_is_refused(tmp_path):
    (tmp_path / "key").write_text("one")
    environment = Environment({"KEY": "two", "KEY_FILE": str(tmp_path / "key")})

    assert environment.secret("KEY") == ""
    assert environment.refused == ["KEY and KEY_FILE are both set. Unset one of them."]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read"), (b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "is not text")],
)
def test_a_secret_file_that_holds_no_secret_is_refused(tmp_path, content, reason):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    environment = Environment({"KEY_FILE": str(tmp_path / "key")})

    assert environment.secret("KEY", "default") == "default"
    assert f"which {reason}" in environment.refused[0]


def test_a_secret_file_longer_than_any_secret_is_refused_without_reading_it_whole():
    environment = Environment({"KEY_FILE": "/dev/zero"})
    environment.secret("KEY")
    assert "is too long for a secret" in environment.refused[0]


def test_no_sentence_shows_a_secret(tmp_path):
    (tmp_path / "key").write_bytes(b"hunter2\xff")
    environment = Environment({"A": "hunter2", "A_FILE": "x", "B_FILE": str(tmp_path / "key")})
    environment.secret("A")
    environment.secret("B")
    assert len(environment.refused) == 2
    assert "hunter2" not in "".join(environment.refused)


def test_bytes_that_are_no_text_are_shown_as_escapes():
    environment = Environment({"USE_S3": "tr\udcffue\n"})
    environment.flag("USE_S3", False)
    environment.refused[0].encode("utf-8")
    assert "\n" not in environment.refused[0]


def test_all_problems_are_raised_together_one_a_line_and_each_once():
    environment = Environment({"A": "maybe", "B": "many"})
    environment.flag("A", False)
    environment.flag("A", False)
    environment.number("B", 1)
    environment.refuse("C is missing. Set it.")

    with pytest.raises(ImproperlyConfigured) as caught:
        environment.stop_if_refused()
    assert [line.split()[0] for line in str(caught.value).split("\n")] == ["A", "B", "C"]


def test_nothing_is_raised_when_nothing_was_refused():
    Environment({}).stop_if_refused()


def test_every_variable_that_was_asked_for_is_remembered_with_kind_and_default():
    environment = Environment({})
    environment.text("A", "a")
    environment.flag("B", True)
    environment.number("C", 3)
    environment.items("D", ["d"])
    environment.choice("E", "e", ("e",))
    environment.secret("F")

    assert list(environment.variables.values()) == [
        Variable("A", "text", "a"),
        Variable("B", "flag", True),
        Variable("C", "number", 3),
        Variable("D", "list", ["d"]),
        Variable("E", "choice", "e"),
        Variable("F", "secret", ""),
    ]


def test_a_list_of_networks_is_read_strictly():
    environment = Environment({"GOOD": "10.0.0.0/8, 192.0.2.7,2001:db8::/32", "BAD": "10.0.0.1/8"})

    assert [str(network) for network in environment.networks("GOOD")] == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]
    assert environment.networks("BAD") == []
    assert "which is not a list of networks." in environment.refused[0]


@pytest.mark.parametrize("value", ["10/5m", "10/5m,100", "a,b", "1/1m,2/1m,3/1m", "0/1m,1/1m"])
def test_limits_are_two_each_with_an_amount_and_a_time(value):
    environment = Environment({"PRACTIKA_LIMIT_API": value})
    usual = environment.limits("PRACTIKA_LIMIT_API", ["10/5m", "100/5m"])
    assert usual == (Limit(10, 300_000), Limit(100, 300_000))
    assert "Write one of an account and one from an address" in environment.refused[0]
    assert Environment({"A": " 1/s , 2/d "}).limits("A", ["9/m", "9/m"]) == (Limit(1, 1000), Limit(2, 86_400_000))
