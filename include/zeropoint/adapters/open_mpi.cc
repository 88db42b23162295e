#include "zeropoint/adapters/open_mpi.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "zeropoint/core/status.h"

namespace zeropoint {
namespace {

// Open MPI's handles are pointers to objects that the library exports; those
// below are opaque. https://www.open-mpi.org/doc/v4.1
using Comm = void*;
using Datatype = void*;
using ErrorHandler = void*;
using MpiStatus = void;

constexpr int kSuccess = 0;
constexpr int kThreadFunneled = 1;
constexpr int kTag = 0;
constexpr std::size_t kMostErrorText = 256;
// MPI counts in int.
constexpr std::size_t kMostBytesAtOnce = std::size_t{1} << 30;

int EnvironmentNumber(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return 0;
  int number = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end ? number : 0;
}

}  // namespace

struct OpenMpi::Run {
  int (*init_thread)(int*, char***, int, int*);
  int (*finalize)();
  int (*comm_rank)(Comm, int*);
  int (*comm_size)(Comm, int*);
  int (*comm_set_errhandler)(Comm, ErrorHandler);
  int (*send)(const void*, int, Datatype, int, int, Comm);
  int (*iprobe)(int, int, Comm, int*, MpiStatus*);
  int (*recv)(void*, int, Datatype, int, int, Comm, MpiStatus*);
  int (*error_string)(int, char*, int*);
  Comm world;
  Datatype byte;
  ErrorHandler errors_return;

  int rank = 0;
  int size = 1;

  Status Load() {
    // Open MPI's own plug-ins look for its symbols among the global ones.
    void* library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) {
      return NotFound(std::string("cannot load Open MPI: ") + dlerror() +
                      "; install it, or start the program without mpirun");
    }
    std::string missing;
    const auto find = [&](const char* name, auto& to) {
      void* symbol = dlsym(library, name);
      if (symbol == nullptr) missing += std::string(" ") + name;
      static_assert(sizeof(to) == sizeof(symbol));
      std::memcpy(&to, &symbol, sizeof(symbol));
    };
    find("MPI_Init_thread", init_thread);
    find("MPI_Finalize", finalize);
    find("MPI_Comm_rank", comm_rank);
    find("MPI_Comm_size", comm_size);
    find("MPI_Comm_set_errhandler", comm_set_errhandler);
    find("MPI_Send", send);
    find("MPI_Iprobe", iprobe);
    find("MPI_Recv", recv);
    find("MPI_Error_string", error_string);
    find("ompi_mpi_comm_world", world);
    find("ompi_mpi_byte", byte);
    find("ompi_mpi_errors_return", errors_return);
    if (missing.empty()) return Status();
    return NotFound("libmpi.so.40 is no Open MPI 4 or 5: it lacks" + missing);
  }

  Status Check(int code, const char* doing) const {
    if (code == kSuccess) return Status();
    std::array<char, kMostErrorText> text{};
    int length = 0;
    error_string(code, text.data(), &length);
    return IoError(std::string(doing) + ": " + text.data());
  }

  /// Calls f(part, count) for the parts of `bytes` that MPI takes at once.
  template <class Byte, class F>
  static Status ForParts(Byte* bytes, std::size_t size, F f) {
    for (std::size_t at = 0; at < size; at += kMostBytesAtOnce) {
      const std::size_t count = std::min(size - at, kMostBytesAtOnce);
      ZEROPOINT_RETURN_IF_ERROR(f(bytes + at, static_cast<int>(count)));
    }
    return Status();
  }

  Status SendPart(const char* bytes, int count, int to) const {
    return Check(send(bytes, count, byte, to, kTag, world), "sending by MPI");
  }

  Status ReceivePart(char* bytes, int count, int from) const {
    for (int arrived = 0;;) {
      ZEROPOINT_RETURN_IF_ERROR(Check(
          iprobe(from, kTag, world, &arrived, nullptr), "waiting for MPI"));
      if (arrived != 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Check(recv(bytes, count, byte, from, kTag, world, nullptr),
                 "receiving by MPI");
  }
};

bool OpenMpi::StartedByMpirun() {
  return EnvironmentNumber("OMPI_COMM_WORLD_SIZE") > 0;
}

int OpenMpi::RanksOnThisMachine() {
  return std::max(1, EnvironmentNumber("OMPI_COMM_WORLD_LOCAL_SIZE"));
}

Result<OpenMpi> OpenMpi::Join() {
  auto run = std::make_unique<Run>();
  ZEROPOINT_RETURN_IF_ERROR(run->Load());
  int provided = 0;
  ZEROPOINT_RETURN_IF_ERROR(
      run->Check(run->init_thread(nullptr, nullptr, kThreadFunneled, &provided),
                 "starting MPI"));
  OpenMpi joined(std::move(run));
  Run& mpi = *joined.run_;
  ZEROPOINT_RETURN_IF_ERROR(
      mpi.Check(mpi.comm_set_errhandler(mpi.world, mpi.errors_return),
                "asking MPI for errors"));
  ZEROPOINT_RETURN_IF_ERROR(
      mpi.Check(mpi.comm_rank(mpi.world, &mpi.rank), "asking MPI for a rank"));
  ZEROPOINT_RETURN_IF_ERROR(mpi.Check(mpi.comm_size(mpi.world, &mpi.size),
                                      "asking MPI for its size"));
  return joined;
}

OpenMpi::OpenMpi(std::unique_ptr<Run> run) : run_(std::move(run)) {}
OpenMpi::OpenMpi(OpenMpi&&) noexcept = default;
OpenMpi::~OpenMpi() {
  if (run_ != nullptr) run_->finalize();
}

int OpenMpi::rank() const { return run_->rank; }
int OpenMpi::size() const { return run_->size; }

Status OpenMpi::Send(std::string_view bytes, int to) {
  const std::uint64_t size = bytes.size();
  std::array<char, sizeof(size)> header{};
  std::memcpy(header.data(), &size, sizeof(size));
  ZEROPOINT_RETURN_IF_ERROR(run_->SendPart(header.data(), sizeof(size), to));
  return Run::ForParts(bytes.data(), bytes.size(),
                       [&](const char* part, int count) {
                         return run_->SendPart(part, count, to);
                       });
}

Result<std::string> OpenMpi::Receive(int from) {
  std::uint64_t size = 0;
  std::array<char, sizeof(size)> header{};
  ZEROPOINT_RETURN_IF_ERROR(
      run_->ReceivePart(header.data(), sizeof(size), from));
  std::memcpy(&size, header.data(), sizeof(size));
  std::string bytes(size, '\0');
  ZEROPOINT_RETURN_IF_ERROR(
      Run::ForParts(bytes.data(), bytes.size(), [&](char* part, int count) {
        return run_->ReceivePart(part, count, from);
      }));
  return bytes;
}

}  // namespace zeropoint
