// The virtual machines that `npm run test:vm` boots.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The kernel series that this test is to run on, such as "6.1"; undefined outside such a VM. */
export const vmKernel: string | undefined = process.env["PIDPOOL_VM"];

/** For the option `skip` of tests that only make sense in a VM. */
export const outsideVm: string | false = vmKernel === undefined && "needs a VM: npm run test:vm";

/** A test's program in C that scripts/vm/guest.mjs has compiled: a VM has no compiler. Undefined elsewhere. */
export function compiledForVm(name: string): string | undefined {
  const file = fileURLToPath(new URL(`../../compiled/${name}`, import.meta.url));
  return vmKernel !== undefined && existsSync(file) ? file : undefined;
}
