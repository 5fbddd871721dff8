// The same with hosts of an ordinary user.
import { test } from "node:test";
import { refusal } from "../helpers/isolation.ts";
import { notNobody } from "../helpers/nobody.ts";
import { killSome, noCompiler } from "./some.ts";

test(
  "of user nobody's host that is killed at any moment nothing is left",
  { skip: noCompiler || notNobody || (await refusal("shared")) },
  (t) => {
    killSome(t, 8, 20261125, "--longest", "600", "--nobody");
  },
);
