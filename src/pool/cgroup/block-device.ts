// The number by which io.max knows a disk.
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readIfThere } from "./files.ts";
import { refusal } from "./refusal.ts";

/** glibc's gnu_dev_major() and gnu_dev_minor(). */
export function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${BigInt.asUintN(32, minor)}`;
}

/**
 * `major:minor` of the whole disk: io.max takes no partitions.
 *
 * @param device `major:minor`, a block device, or any path on a file system that lies on one.
 * @throws IsolationError
 */
export async function wholeDisk(device: string): Promise<string> {
  let number = device;
  if (device.startsWith("/")) {
    try {
      const stats = await stat(device, { bigint: true });
      number = deviceNumber(stats.isBlockDevice() ? stats.rdev : stats.dev);
    } catch (error) {
      throw refusal(`limits.io: there is no device ${device}`, undefined, error);
    }
  }
  let sys: string;
  try {
    sys = await realpath(`/sys/dev/block/${number}`);
  } catch (error) {
    throw refusal(
      `limits.io: ${device} is not on a block device (its number is ${number})`,
      'name the disk itself, such as "/dev/sda" or "8:0"',
      error,
    );
  }
  if ((await readIfThere(join(sys, "partition"))) === undefined) return number;
  return (await readFile(join(dirname(sys), "dev"), "utf8")).trim();
}
