"""Every public header includes what it needs, can be included twice, and compiles without exceptions and RTTI."""

COPTS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
    # nothing here runs: half the time
    "-O0",
    "-U_FORTIFY_SOURCE",
]

def _include_paths(library):
    """The headers of a layer's library as they are written in an #include."""
    paths = {}
    for header in library[CcInfo].compilation_context.direct_public_headers:
        # strip_include_prefix lists a header twice: where it is, and as the compiler sees it.
        before, marker, path = header.short_path.partition("include/zeropoint/")
        if marker and not before:
            paths["zeropoint/" + path] = None
    return sorted(paths)

def _alone_impl(ctx):
    sources = []
    for path in _include_paths(ctx.attr.library):
        if path in ctx.attr.exclude:
            continue
        source = ctx.actions.declare_file("%s/%s.cc" % (ctx.label.name, path.replace("/", "_")))
        ctx.actions.write(source, '#include "%s"\n#include "%s"  // the guard holds\n' % (path, path))
        sources.append(source)
    return [DefaultInfo(files = depset(sources))]

_alone = rule(
    implementation = _alone_impl,
    attrs = {
        "exclude": attr.string_list(),
        "library": attr.label(providers = [CcInfo]),
    },
    doc = "One source a header, which includes it twice and nothing else.",
)

def _together_impl(ctx):
    source = ctx.actions.declare_file(ctx.label.name + ".cc")
    paths = [
        path
        for library in ctx.attr.libraries
        for path in _include_paths(library)
        if path not in ctx.attr.exclude
    ]
    if ctx.attr.backwards:
        paths = reversed(paths)
    ctx.actions.write(source, "".join(['#include "%s"\n' % path for path in paths]))
    return [DefaultInfo(files = depset([source]))]

_together = rule(
    implementation = _together_impl,
    attrs = {
        "backwards": attr.bool(),
        "exclude": attr.string_list(),
        "libraries": attr.label_list(providers = [CcInfo]),
    },
    doc = "One source that includes every header of some layers, in or against the order of their names.",
)

def headers_alone(name, library, exclude = []):
    """A library that compiles each header of `library` alone and twice.

    Args:
      name: the target.
      library: a layer's cc_library.
      exclude: headers, as they are written in an #include, that are not for everyone to include.
    """
    _alone(
        name = name + "_sources",
        exclude = exclude,
        library = library,
    )
    native.cc_library(
        name = name,
        srcs = [name + "_sources"],
        copts = COPTS,
        # As many compilations as headers: tools/lint.sh builds these.
        tags = ["manual"],
        deps = [library],
        alwayslink = True,
    )

def headers_together(name, libraries, exclude = [], copts = [], backwards = False):
    """A library with one source that includes every header of `libraries`.

    A header that lacks an #include is found by one of the two orders, unless another header brings it in both.

    Args:
      name: the target.
      libraries: layers' cc_library targets.
      exclude: headers, as they are written in an #include, that are not for everyone to include.
      copts: further compiler options.
      backwards: against the order of the headers' names.
    """
    _together(
        name = name + "_source",
        backwards = backwards,
        exclude = exclude,
        libraries = libraries,
    )
    native.cc_library(
        name = name,
        srcs = [name + "_source"],
        copts = COPTS + copts,
        deps = libraries,
        alwayslink = True,
    )
