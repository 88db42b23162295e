"""What the libraries of BUILD.bazel consist of, as data for tools/install/install.py."""

LibrariesInfo = provider(
    doc = "A library and what it depends on.",
    fields = {
        "described": "depset of descriptions as JSON, dependencies first",
        "files": "depset of the files that the descriptions name",
    },
)

def _archives(target):
    """The static library of `target` itself, if it has one."""
    return [
        library.pic_static_library or library.static_library
        for linked in target[CcInfo].linking_context.linker_inputs.to_list()
        if linked.owner == target.label
        for library in linked.libraries
        if library.pic_static_library or library.static_library
    ]

def _library_impl(target, ctx):
    if ctx.rule.kind != "cc_library":
        return [LibrariesInfo(described = depset(), files = depset())]
    attributes, files = ctx.rule.attr, ctx.rule.files

    # Zeropoint is installed as source. What others wrote is compiled, as the build has it.
    own = target.label.workspace_name == ""
    sources = files.srcs if own else []
    archives = _archives(target) if files.srcs and not own else []
    described = struct(
        label = str(target.label),
        headers = [struct(path = file.path, short_path = file.short_path) for file in files.hdrs],
        sources = [struct(path = file.path, short_path = file.short_path) for file in sources],
        archives = [file.path for file in archives],
        defines = attributes.defines,
        linkopts = attributes.linkopts,
        deps = [str(dep.label) for dep in attributes.deps],
    )
    below = [dep[LibrariesInfo] for dep in attributes.deps]
    return [LibrariesInfo(
        described = depset([described.to_json()], transitive = [each.described for each in below], order = "postorder"),
        files = depset(files.hdrs + sources + archives, transitive = [each.files for each in below]),
    )]

_library = aspect(
    implementation = _library_impl,
    attr_aspects = ["deps"],
)

def _layers_impl(ctx):
    found = [library[LibrariesInfo] for library in ctx.attr.libraries]
    described = depset(transitive = [each.described for each in found], order = "postorder")
    layers = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(layers, '{"version": "%s", "libraries": [\n%s\n]}\n' % (
        ctx.attr.version,
        ",\n".join(described.to_list()),
    ))
    return [DefaultInfo(files = depset([layers], transitive = [each.files for each in found]))]

layers = rule(
    implementation = _layers_impl,
    attrs = {
        "libraries": attr.label_list(aspects = [_library]),
        "version": attr.string(mandatory = True),
    },
    doc = "NAME.json: the libraries and all below them. Building it builds every file that it names.",
)
