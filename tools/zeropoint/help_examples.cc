#include <array>
#include <string>

#include "tools/zeropoint/command.h"

namespace zeropoint::cli {
namespace {

struct HelpExample {
  const char* command;
  const char* subcommand;
  const char* line;
};

// tests/docs runs them in this order in one folder: later ones read what
// earlier ones wrote.
constexpr std::array kExamples = {
    HelpExample{"static", nullptr,
                "zeropoint static model.onnx --data calib.npz --preprocess "
                "preprocess.json -o model.int8.onnx"},
    HelpExample{"convert", nullptr,
                "zeropoint convert model.int8.onnx --to qoperator -o "
                "model.qoperator.onnx"},
    HelpExample{"calibrate", nullptr,
                "zeropoint calibrate model.onnx --data calib.npz --preprocess "
                "preprocess.json --shard 0/2 -o part0.zpcal"},
    HelpExample{"merge", nullptr,
                "zeropoint merge part0.zpcal part1.zpcal -o state.zpcal"},
    HelpExample{"table", nullptr,
                "zeropoint table state.zpcal -o calibration.flatbuffers"},
    HelpExample{"dynamic", nullptr,
                "zeropoint dynamic model.onnx -o model.dynamic.onnx"},
    HelpExample{"weights", nullptr,
                "zeropoint weights model.onnx --data calib.npz --preprocess "
                "preprocess.json --limit 16 -o model.w4.onnx"},
    HelpExample{"qat", nullptr, "zeropoint qat trained.onnx -o model.qat.onnx"},
    HelpExample{"compare", nullptr,
                "zeropoint compare model.onnx model.int8.onnx --data eval.npz "
                "--preprocess preprocess.json --limit 64"},
    HelpExample{"evaluate", "top-k",
                "zeropoint evaluate top-k model.int8.onnx --data eval.npz "
                "--preprocess preprocess.json --k 1,5"},
    HelpExample{"evaluate", "coco",
                "zeropoint evaluate coco --annotations instances.json "
                "--detections found.json"},
    HelpExample{"sensitivity", nullptr,
                "zeropoint sensitivity model.onnx --data calib.npz "
                "--preprocess preprocess.json --limit 8"},
    HelpExample{"run", nullptr,
                "zeropoint run model.int8.onnx --data eval.npz --preprocess "
                "preprocess.json --limit 8 -o outputs.npz"},
    HelpExample{"inspect", nullptr, "zeropoint inspect model.int8.onnx"},
    HelpExample{"passes", nullptr,
                "zeropoint passes model.onnx --pipeline "
                "fold-constant,fold-batch-norm -o folded.onnx"},
};

}  // namespace

void AddExamples(CLI::App& program) {
  for (const HelpExample& example : kExamples) {
    CLI::App* app = program.get_subcommand(example.command);
    if (example.subcommand != nullptr) {
      app = app->get_subcommand(example.subcommand);
    }
    app->footer(std::string("Example:\n  ") + example.line);
  }
}

}  // namespace zeropoint::cli
