"""DJANGO_EMAIL_URL: every scheme means one way of sending, and whatever is not understood stops the start."""

import pytest

from practika_project import mail
from practika_project.env import Environment

PASSWORD = "s3cr3t-pass"


@pytest.fixture
def refused(monkeypatch) -> list[str]:
    """The sentences recorded while the test runs, apart from those of the process."""
    apart = Environment({})
    monkeypatch.setattr(mail.env, "refuse", apart.refuse)
    return apart.refused


@pytest.mark.parametrize(
    ("scheme", "port", "starttls", "tls"),
    [
        ("smtp", 25, False, False),
        ("smtp+tls", 587, True, False),
        ("submission", 587, True, False),
        ("submit", 587, True, False),
        ("smtp+ssl", 465, False, True),
        ("smtps", 465, False, True),
        ("submissions", 465, False, True),
        ("SMTP+TLS", 587, True, False),
    ],
)
def test_a_server_is_reached_the_way_its_scheme_says(scheme, port, starttls, tls, refused):
    chosen = mail.email_settings(f"{scheme}://ada%40example.org:{PASSWORD}%2F@mail.example.org")
    assert refused == []
    assert chosen["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (chosen["EMAIL_HOST"], chosen["EMAIL_PORT"]) == ("mail.example.org", port)
    assert (chosen["EMAIL_USE_TLS"], chosen["EMAIL_USE_SSL"]) == (starttls, tls)
    assert (chosen["EMAIL_HOST_USER"], chosen["EMAIL_HOST_PASSWORD"]) == ("ada@example.org", f"{PASSWORD}/")


def test_a_port_that_is_told_wins_and_an_account_may_be_left_out(refused):
    chosen = mail.email_settings("smtp+ssl://mail.example.org:2465")
    assert (chosen["EMAIL_PORT"], chosen["EMAIL_USE_SSL"], refused) == (2465, True, [])
    assert (chosen["EMAIL_HOST_USER"], chosen["EMAIL_HOST_PASSWORD"]) == ("", "")


@pytest.mark.parametrize(
    ("url", "backend"),
    [("console:", "console"), ("console://", "console"), ("memory:", "locmem"), ("dummy:", "dummy")],
)
def test_mail_can_stay_on_the_machine(url, backend, refused):
    assert mail.email_settings(url) == {"EMAIL_BACKEND": f"django.core.mail.backends.{backend}.EmailBackend"}
    assert refused == []


def test_mail_into_files_names_its_folder_from_the_root(refused):
    chosen = mail.email_settings("file:///var/mail/practika")
    assert (chosen["EMAIL_FILE_PATH"], refused) == ("/var/mail/practika", [])


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            f"smtpp://ada:{PASSWORD}@mail.example.org",
            "begins with 'smtpp', which is not known. Begin it with one of these and a colon: smtp,",
        ),
        (f"smtp+starttls://ada:{PASSWORD}@mail.example.org", "begins with 'smtp+starttls'"),
        ("console", "has no scheme. Begin it"),
        (PASSWORD, "has no scheme"),
        (f"{PASSWORD}@host:587", "has no scheme"),
        ("smtp+tls://", "is not of the form smtp+tls://account:password@host:587"),
        ("smtps:mail.example.org", "is not of the form smtps://account:password@host:465"),
        (f"smtp://ada:{PASSWORD}@mail.example.org?tls=True", "the scheme says"),
        (f"smtp+tls://ada:pa/{PASSWORD}@mail.example.org", "has no port where a port belongs"),
        (f"smtp+tls://ada:{PASSWORD}@mail.example.org:port", "has no port where a port belongs"),
        (f"smtp+tls://[{PASSWORD}", "has no port where a port belongs"),
        ("submission://ada@mail.example.org", "has an account without a password"),
        (f"submission://:{PASSWORD}@mail.example.org", "has an account without a password"),
        ("file:mail", "Write file:///folder"),
        ("file://mail", "Write file:///folder"),
    ],
)
def test_what_is_not_understood_is_refused_in_a_sentence_without_the_password(url, said, refused):
    chosen = mail.email_settings(url)
    assert len(refused) == 1
    assert refused[0].startswith("DJANGO_EMAIL_URL ")
    assert said in refused[0]
    assert PASSWORD not in refused[0]
    assert chosen["EMAIL_BACKEND"].endswith("console.EmailBackend")
