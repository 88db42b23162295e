"""How the numbered examples are declared."""

load("//tests:test.bzl", "python_test")

def example(name, deps = [], copts = [], args = [], data = []):
    """A program of one file, and a test that it prints what NAME.txt holds.

    Args:
      name: the target; NAME.cc is the source.
      deps: the layers that it uses.
      copts: flags that it is compiled with.
      args: its arguments.
      data: the files that it reads.
    """
    native.cc_binary(
        name = name,
        srcs = [name + ".cc"],
        args = args,
        copts = copts,
        data = data,
        deps = deps,
    )
    python_test(
        name = name + "_test",
        main = "output_test.py",
        args = [
            "$(rootpath %s)" % name,
            "$(rootpath %s.txt)" % name,
        ] + args,
        data = data + [
            name,
            name + ".txt",
        ],
    )
