// The pool that the suite tests: at the library's default isolation, or at the
// one that TEST_ISOLATION names.
import * as pidpool from "pidpool";

const { TEST_ISOLATION } = process.env;

export class ProcessPool extends pidpool.ProcessPool {
  constructor(options: pidpool.PoolOptions = {}) {
    const isolation = TEST_ISOLATION as pidpool.Isolation | undefined;
    super(isolation === undefined ? options : { isolation, ...options });
  }
}
