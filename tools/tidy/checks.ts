import { checkBannedSyntax } from "./banned-syntax.ts";
import { checkDocstrings } from "./docstrings.ts";
import type { Fault } from "./fault.ts";
import { checkDeclarations, checkLayers } from "./layers.ts";
import { checkLengths } from "./lengths.ts";
import { checkNames } from "./names.ts";
import { checkBarrels, checkDeadFiles, checkScripts, checkUnusedExports } from "./reach.ts";
import { checkTexts } from "./texts.ts";
import { readTree, type Tree } from "./tree.ts";

const checks: readonly ((tree: Tree) => readonly Fault[])[] = [
  checkLayers, checkDeclarations, checkNames, checkBannedSyntax, checkLengths,
  checkDeadFiles, checkScripts, checkBarrels, checkUnusedExports, checkDocstrings, checkTexts,
];

/** Every fault of the tree at `root`, in the order of its paths and lines. */
export function tidyFaults(root: string): readonly Fault[] {
  const tree = readTree(root);
  const faults = checks.flatMap((check) => check(tree));
  return faults.toSorted((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
}
