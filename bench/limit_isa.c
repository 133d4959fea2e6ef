// Makes a process believe that its processor has no more than AVX2: bench/cpu --limit avx2 loads it
// before everything else. The CPUID instruction is made to fault (Linux's ARCH_CPUID, x86-64) and
// is answered here without the features beyond, so that libraries which offer no such choice take
// their AVX2 paths.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { kArchSetCpuid = 0x1012 };

static long allow(long on) { return syscall(SYS_arch_prctl, kArchSetCpuid, on); }

// Leaf 7: AVX-512 and AMX; leaf 7, subleaf 1: AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA, and what
// came with them.
static void hide(unsigned leaf, unsigned subleaf, unsigned r[4]) {
  if (leaf != 7) return;
  if (subleaf == 0) {
    r[1] &=
        ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31);
    r[2] &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
    r[3] &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
  } else if (subleaf == 1) {
    r[0] &= ~(1u << 4 | 1u << 5 | 1u << 21 | 1u << 23);
    r[3] &= ~(1u << 4 | 1u << 5 | 1u << 10 | 1u << 19);
  }
}

static void on_fault(int signal_number, siginfo_t* info, void* context) {
  (void)info;
  greg_t* g = ((ucontext_t*)context)->uc_mcontext.gregs;
  const unsigned char* at = (const unsigned char*)g[REG_RIP];
  if (at[0] != 0x0f || at[1] != 0xa2) {  // a real fault
    signal(signal_number, SIG_DFL);
    return;
  }
  const unsigned leaf = (unsigned)g[REG_RAX], subleaf = (unsigned)g[REG_RCX];
  unsigned r[4];
  allow(1);
  __asm__ volatile("cpuid"
                   : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                   : "a"(leaf), "c"(subleaf));
  allow(0);
  hide(leaf, subleaf, r);
  g[REG_RAX] = r[0];
  g[REG_RBX] = r[1];
  g[REG_RCX] = r[2];
  g[REG_RDX] = r[3];
  g[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  if (sigaction(SIGSEGV, &action, NULL) != 0 || allow(0) != 0) {
    fprintf(stderr, "limit_isa: this processor or kernel can't hide its features\n");
    exit(4);
  }
}
