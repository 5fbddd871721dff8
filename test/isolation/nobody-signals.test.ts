// As nobody.test.ts: what is signalled, killed and attacked, which takes longer.
import { againAsNobody } from "../helpers/nobody.ts";

for (const file of ["guardian", "mixed", "signals", "newborn"]) againAsNobody(`isolation/${file}`);
