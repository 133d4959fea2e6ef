#include "cli/launch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

namespace nbq::cli {
namespace {

/// How long the others may take to tell that they lost the one that ended first.
constexpr timespec kGrace{1, 0};

Result<int> free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof a;
  const bool found = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&a), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) == 0;
  if (fd >= 0) ::close(fd);
  if (!found)
    return make_error(ErrorCode::kIo, "no free port on 127.0.0.1: {}", std::strerror(errno));
  return ntohs(a.sin_port);
}

/// This program's arguments, as it was started. The file tells no size.
Result<std::vector<std::string>> own_arguments() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (text.empty())
    return make_error(ErrorCode::kIo, "/proc/self/cmdline can't be read: --nproc needs it");
  std::vector<std::string> args;
  for (std::size_t at = 0; at < text.size(); at += args.back().size() + 1)
    args.emplace_back(text.c_str() + at);
  return args;
}

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using TemporaryFile = std::unique_ptr<std::FILE, CloseFile>;

std::string contents(std::FILE* file) {
  std::string text;
  std::rewind(file);
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  return text;
}

struct Child {
  pid_t pid = 0;
  bool running = true;
  int status = 0;
  TemporaryFile output;  ///< rank 0: stdout; others: stderr

  bool killed() const { return WIFSIGNALED(status); }
  int exit() const { return killed() ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }
  bool failed() const { return !running && (killed() || (exit() != 0 && exit() != 130)); }
};

class Launcher {
 public:
  Launcher();
  ~Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  Result<Launched> run(int count);

 private:
  Status start(int rank, int count, const std::string& port, std::vector<char*>& args);
  [[noreturn]] void become(int rank, int count, const std::string& port, Child& child,
                           std::vector<char*>& args) const;
  bool running() const;
  void reap();
  void signal_all(int signal);
  void wait_for_all();
  /// The child that failed first; end() if none did.
  std::vector<Child>::iterator culprit();
  Result<Launched> outcome();

  std::vector<Child> children_;
  sigset_t waited_{}, before_{};
  pid_t self_ = ::getpid();
  bool interrupted_ = false;
};

Launcher::Launcher() {
  sigemptyset(&waited_);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&waited_, s);
  sigprocmask(SIG_BLOCK, &waited_, &before_);
}

Launcher::~Launcher() {
  signal_all(SIGKILL);
  for (Child& c : children_)
    if (c.running) ::waitpid(c.pid, &c.status, 0);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void Launcher::become(int rank, int count, const std::string& port, Child& child,
                      std::vector<char*>& args) const {
#if defined(__linux__)
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != self_) ::_exit(1);
#endif
  // A terminal's Ctrl-C reaches the launcher alone, which tells each child once.
  ::setpgid(0, 0);
  const auto set = [](const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);
  };
  for (const char* name : {"RANK", "LOCAL_RANK"}) set(name, std::to_string(rank));
  for (const char* name : {"WORLD_SIZE", "LOCAL_WORLD_SIZE"}) set(name, std::to_string(count));
  set("MASTER_ADDR", "127.0.0.1");
  set("MASTER_PORT", port);
  ::unsetenv("GLOO_SOCKET_IFNAME");
  ::unsetenv("TORCHELASTIC_USE_AGENT_STORE");
  const int out = ::fileno(child.output.get());
  ::dup2(out, rank == 0 ? STDOUT_FILENO : STDERR_FILENO);
  if (rank != 0) ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
  ::execv("/proc/self/exe", args.data());
  ::_exit(127);
}

Status Launcher::start(int rank, int count, const std::string& port, std::vector<char*>& args) {
  Child child;
  child.output.reset(std::tmpfile());
  if (!child.output)
    return make_error(ErrorCode::kIo, "no temporary file for rank {}'s output: {}", rank,
                      std::strerror(errno));
  child.pid = ::fork();
  if (child.pid == 0) become(rank, count, port, child, args);
  if (child.pid < 0)
    return make_error(ErrorCode::kIo, "rank {} can't be started: {}", rank, std::strerror(errno));
  ::setpgid(child.pid, child.pid);
  children_.push_back(std::move(child));
  return ok_status();
}

bool Launcher::running() const {
  return std::any_of(children_.begin(), children_.end(), [](const Child& c) { return c.running; });
}

void Launcher::reap() {
  for (Child& c : children_)
    if (c.running && ::waitpid(c.pid, &c.status, WNOHANG) == c.pid) c.running = false;
}

void Launcher::signal_all(int signal) {
  for (const Child& c : children_)
    if (c.running) ::kill(c.pid, signal);
}

std::vector<Child>::iterator Launcher::culprit() {
  const auto lost = exit_code({ErrorCode::kPeerLost, {}});
  const auto own = std::find_if(children_.begin(), children_.end(),
                                [&](const Child& c) { return c.failed() && c.exit() != lost; });
  if (own != children_.end()) return own;
  return std::find_if(children_.begin(), children_.end(),
                      [](const Child& c) { return c.failed(); });
}

void Launcher::wait_for_all() {
  while (running() && culprit() == children_.end()) {
    const int signal = sigwaitinfo(&waited_, nullptr);
    if (signal > 0 && signal != SIGCHLD) {
      interrupted_ = true;
      signal_all(signal == SIGHUP ? SIGTERM : signal);
    }
    reap();
  }
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  while (running() && sigtimedwait(&ended, nullptr, &kGrace) > 0) reap();
  reap();
}

Result<Launched> Launcher::outcome() {
  const auto failed = culprit();
  if (failed == children_.end())
    return Launched{children_[0].exit(), contents(children_[0].output.get())};
  const auto rank = failed - children_.begin();
  const std::string text = contents(failed->output.get());
  if (failed->killed() && interrupted_) return Launched{130, {}};
  if (failed->killed())
    return make_error(ErrorCode::kIo,
                      "rank {} (process {}) was killed by signal {} ({}); the other processes were "
                      "ended. --resume goes on from the last checkpoint",
                      rank, failed->pid, WTERMSIG(failed->status),
                      strsignal(WTERMSIG(failed->status)));
  if (rank == 0) return Launched{failed->exit(), text};
  std::fputs(text.c_str(), stderr);
  return make_error(ErrorCode::kIo,
                    "rank {} ended with exit code {}, its message stands before this one; the "
                    "other processes were ended",
                    rank, failed->exit());
}

Result<Launched> Launcher::run(int count) {
  NBQ_ASSIGN(const int port, free_port());
  NBQ_ASSIGN(std::vector<std::string> own, own_arguments());
  std::vector<char*> args;
  for (std::string& a : own) args.push_back(a.data());
  args.push_back(nullptr);
  for (int rank = 0; rank < count; ++rank) NBQ_TRY(start(rank, count, std::to_string(port), args));
  wait_for_all();
  return outcome();
}

}  // namespace

bool is_launched() { return std::getenv("LOCAL_RANK") != nullptr; }

Result<Launched> launch(int count) {
  Launcher launcher;
  return launcher.run(count);
}

}  // namespace nbq::cli
