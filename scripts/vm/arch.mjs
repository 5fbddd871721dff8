// The architectures of VMs: what Debian, compilers and the emulator call them.

/**
 * @typedef {object} Arch
 * @property {string} debian name of it in Debian's packages
 * @property {string} triple of its libraries
 * @property {string} loader of dynamic programs
 * @property {string} emulator program of qemu
 * @property {string} emulatorPackage that holds it
 * @property {string[]} machine what is emulated
 * @property {string} parameters of its kernels: the first serial line, and what they need under an emulator
 */

/** @type {Readonly<Record<string, Arch>>} by Node's name */
export const ARCHITECTURES = {
  x64: {
    debian: "amd64",
    triple: "x86_64-linux-gnu",
    loader: "/lib64/ld-linux-x86-64.so.2",
    emulator: "qemu-system-x86_64",
    emulatorPackage: "qemu-system-x86",
    // Without the fifth level of page tables, which would cost a quarter of the time.
    machine: ["-cpu", "max,-la57"],
    // On a busy machine they would see too few ticks of the emulated timer, and panic.
    parameters: "console=ttyS0 no_timer_check",
  },
  arm64: {
    debian: "arm64",
    triple: "aarch64-linux-gnu",
    loader: "/lib/ld-linux-aarch64.so.1",
    emulator: "qemu-system-aarch64",
    emulatorPackage: "qemu-system-arm",
    // Of 2016, without the atomic instructions that came later: what runs here runs everywhere.
    machine: ["-machine", "virt", "-cpu", "cortex-a72"],
    parameters: "console=ttyAMA0",
  },
};

/** This machine's. */
export const own = ARCHITECTURES[process.arch];
