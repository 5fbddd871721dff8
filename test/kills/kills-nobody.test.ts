// The same with hosts of an ordinary user.
import { test } from "node:test";
import { notNobody } from "../helpers/nobody.ts";
import { killSome, noCompiler } from "./some.ts";

test("of user nobody's host that is killed at any moment nothing is left", { skip: noCompiler || notNobody }, (t) => {
  killSome(t, 8, 20261125, "--longest", "600", "--nobody");
});
