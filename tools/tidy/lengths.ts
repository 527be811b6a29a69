import type { Fault } from "./fault.ts";
import { dottedName, nodeIn, visitNodes, type SyntaxNode } from "./syntax.ts";
import type { SourceFile, Tree } from "./tree.ts";

/** One screen: a longer function hides its branches (style, point 9). */
const functionLinesMax = 70;
/** A file is one noun; beyond this it has become two. */
const fileLinesMax = 400;

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
const suiteCalls = new Set(["test", "it", "describe"]);

export function checkLengths(tree: Tree): readonly Fault[] {
  return [...tree.sources.values()].flatMap((file) => [...fileFaults(file), ...functionFaults(file)]);
}

/** Tests and tables of data are lists: cutting a list in two makes nothing clearer. */
function fileFaults(file: SourceFile): readonly Fault[] {
  const isList = file.isTest || file.path.endsWith(".data.ts");
  const lineCount = file.text.trimEnd().split("\n").length;
  if (isList || lineCount <= fileLinesMax) return [];
  return [{ check: "lengths", path: file.path, line: 0, message: `${lineCount} lines; a file has at most ${fileLinesMax}` }];
}

function functionFaults(file: SourceFile): readonly Fault[] {
  const faults: Fault[] = [];
  visitNodes(file.syntax.program, (node) => {
    if (!functionTypes.has(node.type) || (file.isTest && isSuite(node))) return;
    const line = file.lineAt(node.start);
    const lineCount = file.lineAt(node.end) - line + 1;
    if (lineCount > functionLinesMax) faults.push({ check: "lengths", path: file.path, line, message: `a function of ${lineCount} lines; at most ${functionLinesMax}` });
  });
  return faults;
}

/** A function that declares tests is a list of them, not a procedure. */
function isSuite(node: SyntaxNode): boolean {
  let declaresTests = false;
  visitNodes(node, (inner) => {
    declaresTests ||= inner.type === "CallExpression" && suiteCalls.has((dottedName(nodeIn(inner, "callee")) ?? "").split(".")[0] ?? "");
  });
  return declaresTests;
}
