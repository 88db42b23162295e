"""How the project's tests are declared."""

def zeropoint_test(name, srcs = None, deps = [], **kwargs):
    """A Boost.Test program; its sources need only <boost/test/unit_test.hpp>.

    Args:
      name: the target; without srcs, NAME.cc is the source.
      srcs: the sources; several files of one folder make one program.
      deps: the layers that it tests.
      **kwargs: passed on to cc_test.
    """
    srcs = srcs or [name + ".cc"]

    # docs/numerics.md names test cases.
    native.filegroup(
        name = name + "_sources",
        srcs = srcs,
        visibility = ["//tests/docs:__pkg__"],
    )
    native.cc_test(
        name = name,
        size = kwargs.pop("size", "small"),
        srcs = srcs,
        deps = deps + ["//tests:main"],
        **kwargs
    )

def python_test(name, main = None, args = [], data = [], **kwargs):
    """A Python program of unittest cases that needs only the standard library.

    py_test does not load under Debian's Bazel; this is sh_test with the machine's python3.

    Args:
      name: the target; without main, NAME.py is the program.
      main: the program.
      args: its arguments.
      data: what it reads.
      **kwargs: passed on to sh_test.
    """
    main = main or name + ".py"
    native.sh_test(
        name = name,
        size = kwargs.pop("size", "small"),
        srcs = ["//tests:python_test.sh"],
        args = ["$(rootpath %s)" % main] + args,
        data = [main] + data,
        **kwargs
    )
