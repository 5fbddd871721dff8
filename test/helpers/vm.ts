// The virtual machines that `npm run test:vm` boots.

/** The kernel series that this test is to run on, such as "6.1"; undefined outside such a VM. */
export const vmKernel: string | undefined = process.env["PIDPOOL_VM"];

/** For the option `skip` of tests that only make sense in a VM. */
export const outsideVm: string | false = vmKernel === undefined && "needs a VM: npm run test:vm";
