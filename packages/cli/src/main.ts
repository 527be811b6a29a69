#!/usr/bin/env node
import { interruptionOf } from "./interruption.ts";
import { processOutput } from "./output.ts";

const nodeMajorMin = 24;

// Before anything else is loaded: an older Node fails on the first import, and not in words.
if (Number(process.versions.node.split(".")[0]) < nodeMajorMin) {
  process.stderr.write(`tutti: needs Node ${nodeMajorMin} or newer; this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  const { runTutti } = await import("./tutti.ts");
  process.exitCode = await runTutti(process.argv.slice(2), { output: processOutput(), environment: process.env, interrupted: interruptionOf(process) });
}
