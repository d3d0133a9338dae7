// SPDX-License-Identifier: Apache-2.0
#include "sandbox/confinement.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <vector>

#include "platform/descriptor.h"
#include "platform/file.h"

namespace sandgate::sandbox {
namespace {

// stdin, stdout, stderr, and what the C library opens for a moment.
constexpr rlim_t kDescriptorsMax = 16;
constexpr int kNice = 10;

// Sanitizers reserve terabytes of address space.
#if defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

bool limit(int resource, rlim_t soft, rlim_t hard) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return false;
  // A limit that is lower already stays.
  rlimit wanted{std::min(soft, now.rlim_max), std::min(hard, now.rlim_max)};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &wanted) == 0;
}

// When memory of the machine or the container runs out, the compiler goes, not the server that started it (proc(5)).
void volunteer_when_memory_is_short() {
  platform::Descriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  // Without it the kernel chooses by size, as ever.
  if (file) (void)!::write(file.get(), "1000", 4);
}

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "add the system calls of this architecture"
#endif

constexpr std::uint32_t kAllowed[] = {
    // open descriptors
    __NR_read,
    __NR_readv,
    __NR_write,
    __NR_writev,
    __NR_close,
    __NR_fstat,
    __NR_lseek,
    __NR_ppoll,
    // memory; mmap and mprotect are looked at below
    __NR_munmap,
    __NR_mremap,
    __NR_madvise,
    __NR_brk,
    // threads
    __NR_futex,
    __NR_set_robust_list,
    __NR_rseq,
    __NR_sched_yield,
    __NR_sched_getaffinity,
    __NR_membarrier,
    __NR_gettid,
    __NR_getpid,
    __NR_tgkill,
    __NR_set_tid_address,
    // signals of its own
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_sigaltstack,
    __NR_restart_syscall,
    // time, randomness, facts about itself
    __NR_clock_gettime,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_getrandom,
    __NR_prlimit64,
    __NR_getrusage,
    __NR_sysinfo,
    __NR_uname,
    __NR_exit,
    __NR_exit_group,
#if defined(__x86_64__)
    __NR_poll,
    __NR_getrlimit,
    __NR_arch_prctl,
#endif
};

constexpr std::uint32_t kDeadly[] = {
    __NR_execve,
    __NR_execveat,
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_socket,
    __NR_socketpair,
    __NR_connect,
    __NR_bind,
    __NR_listen,
    __NR_accept,
    __NR_accept4,
    __NR_sendto,
    __NR_sendmsg,
    __NR_sendmmsg,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_io_uring_setup,
    __NR_mount,
    __NR_umount2,
    __NR_setns,
    __NR_unshare,
    __NR_keyctl,
    __NR_add_key,
    __NR_request_key,
    __NR_userfaultfd,
    __NR_kexec_load,
    __NR_init_module,
    __NR_finit_module,
    __NR_memfd_create,
#if defined(__x86_64__)
    __NR_fork,
    __NR_vfork,
#endif
};

// A filter program: a list of tests of the system call's number, each with its answer (seccomp(2)).
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
    answer(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
    // The numbers of the x32 interface are ours with this bit.
    constexpr std::uint32_t kX32Bit = 0x40000000;
    add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1));
    answer(SECCOMP_RET_KILL_PROCESS);
#endif
  }

  void when(std::uint32_t number, std::uint32_t then) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    answer(then);
  }
  // Looks at the low word of an argument: `then` when any of the bits is set, `otherwise` when none is.
  void when_bits(std::uint32_t number, unsigned argument, std::uint32_t bits, std::uint32_t then,
                 std::uint32_t otherwise) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4));
    load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
    add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    answer(then);
    answer(otherwise);
  }
  void when_equal(std::uint32_t number, unsigned argument, std::uint32_t value, std::uint32_t then,
                  std::uint32_t otherwise) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4));
    load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    answer(then);
    answer(otherwise);
  }
  void answer(std::uint32_t action) { add(BPF_STMT(BPF_RET | BPF_K, action)); }

  bool install() {
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return ::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
  }

 private:
  void add(sock_filter instruction) { code_.push_back(instruction); }
  void load(std::size_t offset) { add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset))); }

  std::vector<sock_filter> code_;
};

}  // namespace

Status limit_resources(const ConfinementLimits& limits, pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    return fail(ErrorKind::kInternal, "PR_SET_PDEATHSIG failed", platform::system_error_text(errno));
  // The parent may have gone before that.
  if (::getppid() != parent) return fail(ErrorKind::kInternal, "the parent process is gone");
  volunteer_when_memory_is_short();
  // SIGXCPU first, so that the parent can tell; a second later SIGKILL.
  bool limited = limit(RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1) && limit(RLIMIT_CORE, 0, 0) &&
                 limit(RLIMIT_FSIZE, 0, 0) && limit(RLIMIT_NOFILE, kDescriptorsMax, kDescriptorsMax) &&
                 (kSanitized || limit(RLIMIT_AS, limits.address_space_bytes, limits.address_space_bytes)) &&
                 ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  if (!limited) return fail(ErrorKind::kInternal, "a limit could not be set", platform::system_error_text(errno));
  // Already nicer than this is fine, too.
  (void)::setpriority(PRIO_PROCESS, 0, kNice);
  return {};
}

bool confine_system_calls() {
  constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
  constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
  constexpr std::uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
  Filter filter;
  for (std::uint32_t number : kAllowed) filter.when(number, kAllow);
  filter.when_bits(__NR_mmap, 2, PROT_EXEC, kRefuse, kAllow);
  filter.when_bits(__NR_mprotect, 2, PROT_EXEC, kRefuse, kAllow);
  filter.when_bits(__NR_clone, 0, CLONE_THREAD, kAllow, kKill);
  // clone3's flags are behind a pointer; without it the C library uses clone.
  filter.when(__NR_clone3, SECCOMP_RET_ERRNO | ENOSYS);
  filter.when_equal(__NR_prctl, 0, PR_SET_NAME, kAllow, kRefuse);
  for (std::uint32_t number : kDeadly) filter.when(number, kKill);
  filter.answer(kRefuse);
  return filter.install();
}

}  // namespace sandgate::sandbox
