#include "core/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace nbq {
namespace fs = std::filesystem;

Result<fs::path> find_tool(const std::string& tool, const std::string& package) {
  const char* path = std::getenv("PATH");
  std::istringstream dirs(path != nullptr ? path : "");
  for (std::string dir; std::getline(dirs, dir, ':');) {
    const fs::path candidate = fs::path(dir.empty() ? "." : dir) / tool;
    std::error_code ec;
    if (::access(candidate.c_str(), X_OK) == 0 && !fs::is_directory(candidate, ec))
      return candidate;
  }
  return make_error(ErrorCode::kToolMissing, "{} is not installed: apt-get install {}", tool,
                    package);
}

Result<ProcessResult> run_process(const std::vector<std::string>& argv, const fs::path& working_dir,
                                  const Listener& listener) {
  int pipe_fd[2];
  if (::pipe2(pipe_fd, O_CLOEXEC) != 0)
    return make_error(ErrorCode::kIo, "{}: no pipe: {}", argv[0], std::strerror(errno));
  std::vector<char*> args;
  for (const std::string& a : argv) args.push_back(const_cast<char*>(a.c_str()));
  args.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    ::close(pipe_fd[0]);
    ::close(pipe_fd[1]);
    return make_error(ErrorCode::kIo, "{}: can't be started: {}", argv[0], std::strerror(errno));
  }
  if (pid == 0) {
    if (!working_dir.empty() && ::chdir(working_dir.c_str()) != 0) ::_exit(126);
    ::dup2(pipe_fd[1], 1);
    ::dup2(pipe_fd[1], 2);
    ::execvp(args[0], args.data());
    ::_exit(127);
  }
  ::close(pipe_fd[1]);
  ProcessResult result{0, {}};
  char buffer[4096];
  for (ssize_t n;
       (n = ::read(pipe_fd[0], buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);) {
    if (n < 0) continue;
    const std::string_view piece(buffer, static_cast<std::size_t>(n));
    result.output += piece;
    if (listener && !listener(piece)) {
      // Its own children, if it has any, lose the pipe that they write to.
      ::kill(pid, SIGKILL);
      break;
    }
  }
  ::close(pipe_fd[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace nbq
