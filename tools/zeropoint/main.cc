// The program: parses the command line, calls a flow, prints. No logic of its
// own.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/zeropoint/command.h"

int main(int argc, char** argv) {
  using namespace zeropoint::cli;  // NOLINT(google-build-using-namespace)
  CLI::App program("Quantizes ONNX models.", "zeropoint");
  // Not (1): a misspelt command would be reported as a missing one.
  program.require_subcommand(0, 1);
  program.footer(
      "zeropoint COMMAND --help lists the options of a command.\n"
      "Exit status: 0, 1 for a failure, 2 for wrong usage; errors are one line "
      "on standard error.");
  program.set_version_flag("--version", "zeropoint 0.1.0");
  Run run;
  AddStatic(program, run);
  AddConvert(program, run);
  AddCalibrate(program, run);
  AddMerge(program, run);
  AddTable(program, run);
  AddDynamic(program, run);
  AddQat(program, run);
  AddWeights(program, run);
  AddCompare(program, run);
  AddEvaluate(program, run);
  AddSensitivity(program, run);
  AddRun(program, run);
  AddInspect(program, run);
  AddPasses(program, run);
  AddExamples(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);  // --help
    std::fprintf(stderr, "zeropoint: %s; --help lists the options\n",
                 error.what());
    return kUsage;
  }
  if (!run) {
    std::fprintf(stderr,
                 "zeropoint: a command is required; --help lists them\n");
    return kUsage;
  }
  return run();
}
