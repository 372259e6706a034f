"""collectstatic names every module by its content, however long the chain of imports is."""

import json

from django.core.management import call_command


def test_a_chain_of_modules_longer_than_djangos_own_limit_is_hashed_to_its_end(settings, tmp_path):
    # The deepest folder is taken first and imports from the one above: the worst order.
    folders = [tmp_path / "source" / "/".join("d" * depth) for depth in range(15)]
    for depth, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / f"m{depth}.js").write_text(f'import "../m{depth - 1}.js";\n' if depth else "export {};\n")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = folders[:1], tmp_path / "collected"
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    storage = {"BACKEND": "practika_project.static.HashedStaticStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    call_command("collectstatic", "--noinput", verbosity=0)
    names = json.loads((settings.STATIC_ROOT / "staticfiles.json").read_text())["paths"]
    deepest = f"{'d/' * 14}m14.js"
    above = names[f"{'d/' * 13}m13.js"].rpartition("/")[2]
    assert above in (settings.STATIC_ROOT / names[deepest]).read_text()
