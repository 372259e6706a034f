"""Static files with a hash of their content in the name, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """The manifest storage that also rewrites `import "./x.js"` inside modules, which would stay unhashed."""

    support_js_module_import_aggregation = True
