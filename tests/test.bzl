"""How the project's tests are declared."""

def zeropoint_test(name, srcs = None, deps = [], **kwargs):
    """A Boost.Test program; its sources need only <boost/test/unit_test.hpp>.

    Args:
      name: the target; without srcs, NAME.cc is the source.
      srcs: the sources; several files of one folder make one program.
      deps: the layers that it tests.
      **kwargs: passed on to cc_test.
    """
    native.cc_test(
        name = name,
        size = kwargs.pop("size", "small"),
        srcs = srcs or [name + ".cc"],
        deps = deps + ["//tests:main"],
        **kwargs
    )
