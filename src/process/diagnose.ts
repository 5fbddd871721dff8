// The message of a failed launch: which step, which errno, and what a person
// would look for. Looks at the file system only after the failure, to explain.
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type IsolationError, LaunchError, quoted } from "../errors.ts";
import { isolationError } from "./diagnose-isolation.ts";
import {
  EACCES,
  E2BIG,
  EAGAIN,
  ENOENT,
  ENOEXEC,
  ENOMEM,
  ENOSPC,
  ENOTDIR,
  EPERM,
  errnoMeaning,
  errnoName,
} from "../native/errno.ts";
import { explainArguments, explainShortage, explainUserProcesses } from "../native/shortage.ts";
import {
  explainForbidden,
  explainHidden,
  explainLandlock,
  explainLimit,
  explainScarcity,
  landlockCall,
} from "./diagnose-confined.ts";
import { candidates, type LaunchSpec } from "./spec.ts";

/** The stage of a launch, and the system call behind it. */
const SYSCALLS: Readonly<Record<string, string>> = {
  pipe: "pipe2",
  clone: "clone3",
  files: "close_range",
  session: "setsid",
  nice: "setpriority",
  chdir: "chdir",
  open: "openat",
  dup: "dup3",
  setgroups: "setgroups",
  setgid: "setresgid",
  setuid: "setresuid",
  pdeathsig: "prctl",
  execve: "execve",
  watch: "epoll_ctl",
  rlimit: "prlimit64",
  no_new_privs: "prctl",
};

/** Makes the error for a launch that failed at `stage` with `errno`; `detail` says at which limit or rule. */
export async function launchError(
  spec: LaunchSpec,
  stage: string,
  errno: number,
  detail: number,
): Promise<LaunchError | IsolationError> {
  const refusal = await isolationError(spec, stage, errno, detail);
  if (refusal !== undefined) return refusal;
  const name = errnoName(errno);
  const why = await explain(spec, stage, errno, detail).catch(() => undefined);
  const message = `cannot start ${quoted(spec.file)}: ${why ?? `${errnoMeaning(errno)} at ${stage}`} (${stage}: ${name})`;
  const syscall = stage === "landlock" ? landlockCall(spec, detail) : SYSCALLS[stage];
  return new LaunchError(stage, spec.file, message, { syscall, errno: name });
}

async function explain(spec: LaunchSpec, stage: string, errno: number, detail: number): Promise<string | undefined> {
  switch (stage) {
    case "chdir":
      return `the working directory ${quoted(spec.cwd ?? "")} ${await explainDirectory(spec, errno)}`;
    case "open":
      return explainOpen(spec, errno);
    case "setuid":
    case "setgid":
    case "setgroups":
      return errno === EPERM
        ? `this process may not change the child's ${stage.slice(3)} (CAP_SET${stage === "setuid" ? "UID" : "GID"} is needed)`
        : undefined;
    case "nice":
      return errno === EACCES || errno === EPERM ? "a lower niceness than the parent's needs CAP_SYS_NICE" : undefined;
    case "pipe":
      return errno === ENOSPC && spec.notify?.socketAt !== undefined
        ? explainNotify(spec, errno)
        : (explainShortage(errno) ?? explainNotify(spec, errno));
    case "slot":
      return "each supervisor thread of the pool has as many children as it can hold; give the pool more threads";
    case "clone":
    case "files":
    case "watch":
      return explainShortage(errno);
    case "rlimit":
      return explainLimit(spec, errno, detail);
    case "landlock":
      return explainLandlock(spec, errno, detail);
    case "execve":
      return explainExec(spec, errno);
    default:
      return undefined;
  }
}

function explainNotify({ notify }: LaunchSpec, errno: number): string | undefined {
  if (notify?.socketAt === undefined) return undefined;
  const where = `$XDG_RUNTIME_DIR, /dev/shm, /var/tmp${notify.hidesTmp ? "" : " or /tmp"}`;
  return `its NOTIFY_SOCKET has no place in /run, ${where} that it could reach: ${errnoMeaning(errno)}`;
}

async function explainDirectory(spec: LaunchSpec, errno: number): Promise<string> {
  if (errno === ENOENT) return (await explainHidden(spec, spec.cwd ?? ".")) ?? "does not exist";
  return errno === ENOTDIR ? "is not a directory" : `cannot be entered: ${errnoMeaning(errno)}`;
}

async function explainOpen(spec: LaunchSpec, errno: number): Promise<string | undefined> {
  const files = spec.fds.flatMap((plan) => (plan.kind === "file" ? [plan.path] : []));
  for (const file of files) {
    if (errno === ENOENT) {
      const directory = dirname(file);
      const hidden = (await explainHidden(spec, file)) ?? (await explainHidden(spec, directory));
      if (hidden !== undefined) return `${quoted(file)} ${hidden}`;
      const there = await exists(file);
      if (there && files.length > 1) continue;
      return (await exists(directory))
        ? `the file ${quoted(file)} does not exist`
        : `the directory of ${quoted(file)} does not exist`;
    }
  }
  return files.length === 1 ? `${quoted(files[0] ?? "")} cannot be opened: ${errnoMeaning(errno)}` : undefined;
}

async function explainExec(spec: LaunchSpec, errno: number): Promise<string | undefined> {
  const slash = spec.file.includes("/");
  const base = spec.cwd ?? process.cwd();
  const file = slash ? (spec.file.startsWith("/") ? spec.file : `${base}/${spec.file}`) : await findInPath(spec, base);
  switch (errno) {
    case ENOENT:
      if (file === undefined) {
        return spec.path === undefined
          ? "there is no such program in /bin or /usr/bin (the child's PATH is unset)"
          : `there is no such program in the child's PATH (${spec.path})`;
      }
      if (!(await exists(file))) return "there is no such file";
      return explainMissing(spec, file);
    case EACCES: {
      const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
      if (found?.isDirectory() === true) return "it is a directory";
      if (found?.isFile() === true && (found.mode & 0o111) === 0) return "it is not executable (chmod +x)";
      return (await explainForbidden(spec, file)) ?? "permission denied";
    }
    case ENOEXEC:
      return 'it is no program that the kernel knows (a script needs a first line such as "#!/bin/sh")';
    case EAGAIN:
      return `${explainUserProcesses()}${explainScarcity(spec, ["processes"])}`;
    case ENOMEM:
      return `${explainShortage(errno)}${explainScarcity(spec, ["addressSpace", "dataBytes", "stack"])}`;
    case E2BIG:
      return explainArguments(spec.limits.find(({ option }) => option === "stack")?.value);
    default:
      return undefined;
  }
}

/** It is there for us, but not for the child; or what it needs to run is not there. */
async function explainMissing(spec: LaunchSpec, file: string): Promise<string> {
  const hidden = await explainHidden(spec, file);
  if (hidden !== undefined) return `${quoted(file)} ${hidden}`;
  const line = await firstLine(file);
  const interpreter = /^#!\s*(\S+)/.exec(line)?.[1];
  if (interpreter !== undefined) {
    const why = (await explainHidden(spec, interpreter)) ?? "does not";
    return `it exists, but its interpreter ${quoted(interpreter)} ${why}`;
  }
  return "it exists, but its ELF interpreter (dynamic loader) does not; it may be built for another libc";
}

async function firstLine(file: string): Promise<string> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
  return buffer.toString("latin1", 0, bytesRead).split("\n", 1)[0] ?? "";
}

async function findInPath(spec: LaunchSpec, base: string): Promise<string | undefined> {
  for (const candidate of candidates(spec.file, spec.path)) {
    const file = candidate.startsWith("/") ? candidate : `${base}/${candidate}`;
    if (await exists(file)) return file;
  }
  return undefined;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
