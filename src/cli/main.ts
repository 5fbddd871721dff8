#!/usr/bin/env node
// What `npx pidpool` runs.
import { cli } from "./cli.ts";

process.exitCode = await cli(process.argv.slice(2), process.stdout, process.stderr, process.env);
