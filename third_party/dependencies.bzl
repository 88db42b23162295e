"""What Zeropoint is built from, for its own WORKSPACE and for those of its users."""

load(":linked_files.bzl", "linked_files")
load(":pip_archive.bzl", "pip_archive")

def _of_zeropoint(file):
    # A plain label would be looked for in the workspace that calls the macro.
    return "@zeropoint//third_party" + file

def _once(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def zeropoint_dependencies():
    """Declares every repository that Zeropoint refers to. One that the workspace has declared before is left as it is."""

    # Debian's own Starlark packages (bazel-rules-java, bazel-rules-proto, bazel-platforms, bazel-skylib).
    for name, path in {
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "platforms": "/usr/share/bazel/tools/platforms",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        _once(native.local_repository, name, path = path)

    # Debian's rules_cc 0.0.4 does not load under Debian's Bazel 4.2.3; these two stand in.
    _once(linked_files, "rules_cc", files = {
        _of_zeropoint(":empty.BUILD"): "cc/BUILD.bazel",
        _of_zeropoint(":rules_cc.bzl"): "cc/defs.bzl",
    })
    _once(linked_files, "remote_coverage_tools", files = {
        _of_zeropoint(":coverage_tools.BUILD"): "BUILD.bazel",
    })

    # Libraries that Debian packages provide under /usr/include and /usr/lib.
    _once(linked_files, "system", files = {
        _of_zeropoint(":system.BUILD"): "BUILD.bazel",
    })

    # What draws in the HTML report: Chart.js of libjs-chart.js, dagre as Netron has it.
    _once(
        native.new_local_repository,
        "chart_js",
        build_file = _of_zeropoint(":chart_js.BUILD"),
        path = "/usr/share/javascript/chart.js",
    )
    _once(
        pip_archive,
        "netron",
        build_file = _of_zeropoint(":netron.BUILD"),
        keep = "netron",
        keep_as = "netron",
        package = "netron",
        sha256 = "37e94827e9eddadc27b94b70aacdd531436ce56b467dcba3c52144709e3612bb",
        version = "9.3.3",
        wheel_tags = [
            "312",
            "none",
            "any",
        ],
    )

    # The wheel carries every C++ source and header of onnx, and its conformance data.
    _once(
        pip_archive,
        "onnx",
        build_file = _of_zeropoint(":onnx.BUILD"),
        package = "onnx",
        sha256 = "7abf381d278f31ac62487fddedc9dd42da842dce94d5d43536836ee3efdf4a2b",
        version = "1.23.2",
        wheel_tags = [
            "312",
            "abi3",
            "manylinux_2_28_x86_64",
        ],
    )

    # numpy's source archive carries Google Highway.
    _once(
        pip_archive,
        "highway",
        build_file = _of_zeropoint(":highway.BUILD"),
        keep = "numpy/_core/src/highway/hwy",
        keep_as = "hwy",
        package = "numpy",
        sha256 = "5cddc243c75114ba845f01b1f87aca1572dbf7b6c2d88636ed3e1d2bccd7f1bf",
        version = "2.5.5",
    )
