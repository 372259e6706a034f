"""collectstatic names every module by its content, however long the chain of imports is."""

import json

from django.core.management import call_command


def test_a_chain_of_modules_longer_than_djangos_own_limit_is_hashed_to_its_end(settings, tmp_path):
    modules = tmp_path / "source"
    modules.mkdir()
    for number in range(15):  # the last file is the first to be imported: the worst order
        (modules / f"m{number:02}.js").write_text(
            f'import "./m{number + 1:02}.js";\n' if number < 14 else "export {};\n"
        )
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [modules], tmp_path / "collected"
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    storage = {"BACKEND": "practika_project.static.HashedStaticStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    call_command("collectstatic", "--noinput", verbosity=0)
    names = json.loads((settings.STATIC_ROOT / "staticfiles.json").read_text())["paths"]
    first = (settings.STATIC_ROOT / names["m00.js"]).read_text()
    assert names["m01.js"] in first
