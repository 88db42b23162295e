"""A repository of a few files of Zeropoint's own, wherever Zeropoint itself lies."""

def _linked_files_impl(ctx):
    for file, path in ctx.attr.files.items():
        ctx.symlink(file, path)

linked_files = repository_rule(
    implementation = _linked_files_impl,
    attrs = {
        "files": attr.label_keyed_string_dict(mandatory = True, doc = "each file, and its path in the repository"),
    },
)
