"""The figures for Prometheus: only with the token, and right."""


def test_without_a_token_configured_there_is_nothing(client, db):
    assert client.get("/core/metrics/").status_code == 404


def test_a_wrong_token_is_401(client, db, settings):
    settings.METRICS_TOKEN = "right"
    for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer wröng"}):
        assert client.get("/core/metrics/", headers=given).status_code == 401


def test_the_figures_are_those_of_the_database(client, exercise, settings):
    settings.METRICS_TOKEN = "right"
    answer = client.get("/core/metrics/", headers={"Authorization": "Bearer right"})
    lines = answer.content.decode().splitlines()
    assert answer["Content-Type"].startswith("text/plain")
    assert 'practika_videos{state="ready"} 1.0' in lines
    assert f"practika_video_bytes {float(exercise.reference.size_bytes)}" in lines
    assert "practika_uploads_unfinished 0.0" in lines
