"""Static files with a hash of their content in the name, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """The manifest storage that also rewrites `import "./x.js"` inside modules, which would stay unhashed."""

    support_js_module_import_aggregation = True
    # A hash depends on the hashes of what is imported, so each module of the longest chain may take one pass more; the
    # five that Django grants are fewer than the modules between main.js and the last one. A circle never ends.
    max_post_process_passes = 40
