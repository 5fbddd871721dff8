// What is open and what is shut for an ordinary user, whose files are not root's.
import { againAsNobody } from "../helpers/nobody.ts";

for (const file of ["child", "sibling", "tree"]) againAsNobody(`security/${file}`);
