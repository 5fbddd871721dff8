// The same tests as an ordinary user: the way into the pool's pid namespace is another one, by a deputy of the launcher.
import { againAsNobody } from "../helpers/nobody.ts";

for (const file of ["levels", "pid", "options", "mounts", "keys"]) againAsNobody(`isolation/${file}`);
