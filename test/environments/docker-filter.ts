// Writes the filter of test/helpers/docker-profile.ts to the file that its argument names, for under-filter.c.
import { writeFileSync } from "node:fs";
import { dockerProfile } from "../helpers/docker-profile.ts";
import { refusalFilter } from "../helpers/seccomp.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("no file is named");
writeFileSync(file, refusalFilter(dockerProfile(process.arch === "arm64" ? "arm64" : "x64", "starting")));
