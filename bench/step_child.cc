#include "step_child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace nbq {
namespace {

[[noreturn]] void become(std::vector<char*> argv, int in, int out) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  execvp(argv[0], argv.data());
  _exit(127);
}

}  // namespace

Result<StepChild> StepChild::start(const std::vector<std::string>& argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that ended is an error of step()
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
    return make_error(ErrorCode::kIo, "pipe: {}", std::strerror(errno));
  std::vector<char*> args;
  for (const std::string& a : argv) args.push_back(const_cast<char*>(a.c_str()));
  args.push_back(nullptr);
  StepChild child;
  child.pid_ = fork();
  if (child.pid_ < 0) return make_error(ErrorCode::kIo, "fork: {}", std::strerror(errno));
  if (child.pid_ == 0) become(std::move(args), in[0], out[1]);
  close(in[0]);
  close(out[1]);
  child.to_ = in[1];
  child.from_ = fdopen(out[0], "r");
  const auto line = child.read_line();
  if (!line.ok() || *line != "ready")
    return make_error(ErrorCode::kToolMissing, "{} did not start", argv[0]);
  return child;
}

StepChild::StepChild(StepChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      to_(std::exchange(other.to_, -1)),
      from_(std::exchange(other.from_, nullptr)) {}

StepChild::~StepChild() {
  if (to_ >= 0) close(to_);  // the end of its input is the end of its work
  if (from_ != nullptr) std::fclose(from_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

Result<std::string> StepChild::read_line() {
  char text[128];
  if (std::fgets(text, sizeof text, from_) == nullptr)
    return make_error(ErrorCode::kIo, "the other program ended");
  text[std::strcspn(text, "\n")] = 0;
  return std::string(text);
}

Result<double> StepChild::step() {
  if (write(to_, "step\n", 5) != 5) return make_error(ErrorCode::kIo, "the other program ended");
  NBQ_ASSIGN(const std::string line, read_line());
  return std::atof(line.c_str());
}

}  // namespace nbq
