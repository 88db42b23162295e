// RunSamples: runs a model on every sample and writes its outputs.
#ifndef ZEROPOINT_FLOW_RUN_SAMPLES_H_
#define ZEROPOINT_FLOW_RUN_SAMPLES_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/npz_writer.h"
#include "zeropoint/data/tensor_proto.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/keeping_sink.h"
#include "zeropoint/flow/progress.h"

namespace zeropoint {

/// Takes the outputs of a model, sample by sample.
class OutputWriter {
 public:
  virtual ~OutputWriter() = default;
  /// All outputs of the next sample, in the model's order.
  virtual Status Write(std::span<const Tensor> outputs) = 0;
  /// Makes what was written appear. Without it nothing does.
  virtual Status Commit() = 0;
};

/// One .npz: an array [samples, ...output shape] for each output. Shapes must
/// not change from sample to sample.
class NpzOutputWriter final : public OutputWriter {
 public:
  NpzOutputWriter(std::string path, std::vector<std::string> names,
                  std::size_t samples)
      : path_(std::move(path)), names_(std::move(names)), samples_(samples) {}

  Status Write(std::span<const Tensor> outputs) override {
    if (!writer_) {
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        arrays_.push_back({names_[i], outputs[i].type(), outputs[i].dims()});
      }
      ZEROPOINT_ASSIGN_OR_RETURN(NpzWriter writer,
                                 NpzWriter::Create(path_, arrays_, samples_));
      writer_ = std::make_unique<NpzWriter>(std::move(writer));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].dims() != arrays_[i].sample_dims) {
        return InvalidData("output '" + names_[i] +
                           "' changes its shape from " +
                           FormatDims(arrays_[i].sample_dims) + " to " +
                           FormatDims(outputs[i].dims()) +
                           "; write to a folder instead of a .npz");
      }
      ZEROPOINT_RETURN_IF_ERROR(writer_->Append(i, outputs[i].view()));
    }
    return Status();
  }

  Status Commit() override {
    return writer_ ? writer_->Commit() : InvalidData("there is no sample");
  }

 private:
  std::string path_;
  std::vector<std::string> names_;
  std::size_t samples_;
  std::vector<NpzArraySpec> arrays_;
  std::unique_ptr<NpzWriter> writer_;
};

/// A folder with test_data_set_K/output_J.pb, as the ONNX test data have it. It
/// is filled under another name, which it loses on Commit().
class FolderOutputWriter final : public OutputWriter {
 public:
  FolderOutputWriter(std::string path, std::vector<std::string> names)
      : path_(std::move(path)),
        partial_(path_ + ".partial"),
        names_(std::move(names)) {}
  FolderOutputWriter(const FolderOutputWriter&) = delete;
  FolderOutputWriter& operator=(const FolderOutputWriter&) = delete;
  ~FolderOutputWriter() override {
    std::error_code ignored;
    std::filesystem::remove_all(partial_, ignored);
  }

  Status Write(std::span<const Tensor> outputs) override {
    const std::string folder =
        partial_ + "/test_data_set_" + std::to_string(samples_++);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return CannotWrite(error);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      ZEROPOINT_RETURN_IF_ERROR(WriteFileAtomically(
          folder + "/output_" + std::to_string(i) + ".pb",
          EncodeDataTensor(names_[i], outputs[i].view()).SerializeAsString()));
    }
    return Status();
  }

  Status Commit() override {
    std::error_code error;
    if (std::filesystem::exists(path_, error)) {
      return IoError("'" + path_ + "' exists already; remove it first");
    }
    std::filesystem::rename(partial_, path_, error);
    return error ? CannotWrite(error) : Status();
  }

 private:
  Status CannotWrite(const std::error_code& error) const {
    return IoError("cannot write folder '" + path_ + "': " + error.message());
  }
  std::string path_;
  std::string partial_;
  std::vector<std::string> names_;
  std::size_t samples_ = 0;
};

/// Runs all samples of `source`, writes the values of `outputs` and commits.
/// Returns the number of samples.
template <Executor E>
Result<std::size_t> RunSamples(E& executor, FeedSource& source,
                               std::span<const std::string> outputs,
                               OutputWriter& writer,
                               const ProgressHook& progress = {}) {
  KeepingSink sink(outputs.size());
  std::size_t samples = 0;
  for (;;) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Feeds> feeds, source.Next());
    if (!feeds) break;
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(*feeds, outputs, sink)
            .WithContext("sample " + std::to_string(samples)));
    ZEROPOINT_RETURN_IF_ERROR(writer.Write(sink.tensors()));
    ++samples;
    if (progress) progress("running", samples, source.size());
  }
  ZEROPOINT_RETURN_IF_ERROR(writer.Commit());
  return samples;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_RUN_SAMPLES_H_
