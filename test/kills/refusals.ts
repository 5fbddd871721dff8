// Which levels this machine refuses to this user, as JSON: the library's own
// reasons, by the levels' names.
import { refusal } from "../helpers/isolation.ts";
import { LEVELS } from "./levels.ts";

const reasons: Record<string, string> = {};
for (const { name, isolation } of LEVELS) {
  const reason = await refusal(isolation);
  if (reason !== false) reasons[name] = reason;
}
process.stdout.write(JSON.stringify(reasons));
