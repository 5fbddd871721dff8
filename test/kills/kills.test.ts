// A few hosts under load are killed; `npm run test:kills` kills more.
import { test } from "node:test";
import { refusal } from "../helpers/isolation.ts";
import { killSome, noCompiler } from "./some.ts";

test(
  "of a host that is killed at any moment nothing is left",
  { skip: noCompiler || (await refusal("shared")) },
  (t) => {
    killSome(t, 14, 20261124, "--longest", "600");
  },
);
