import type { Fault } from "./fault.ts";
import { dottedName, nodeIn, nodesIn, textIn, visitNodes, type SyntaxNode } from "./syntax.ts";
import type { SourceFile, Tree } from "./tree.ts";

/** Packages whose decisions are synchronous: only shells and the engine wait (style, point 10). */
const waitlessPackages = /^packages\/(base|protocol|learning|privacy|rounds)\/src\/(?!node\/)/;

/** The only files that may read the machine's clock or draw hidden randomness: the adapters behind the ports. */
const platformAdapters = [/^packages\/device\/src\/(node|browser)\//, /^packages\/[a-z]+\/src\/(.*\/)?system-clock\.ts$/];
const hiddenSources = new Map([
  ["Date.now", "the clock is a port: Clock"],
  ["Math.random", "randomness is a port: SeededRandom or SecureRandom"],
]);
const unrunMembers = new Set(["only", "skip", "todo", "skipIf", "runIf"]);
const suiteNames = new Set(["test", "it", "describe"]);

export function checkBannedSyntax(tree: Tree): readonly Fault[] {
  return [...tree.sources.values()].flatMap((file) => {
    const faults: Fault[] = [];
    visitNodes(file.syntax.program, (node, parent) => {
      const message = bannedType(node, file) ?? hiddenInput(node, file) ?? waiting(node, file) ?? mutableModule(node, parent, file) ?? unrunTest(node, file);
      if (message !== undefined) faults.push({ check: "banned-syntax", path: file.path, line: file.lineAt(node.start), message });
    });
    return faults;
  });
}

function bannedType(node: SyntaxNode, file: SourceFile): string | undefined {
  switch (node.type) {
    case "TSAnyKeyword":
      return "`any`: say what is known, or `unknown`";
    case "TSNonNullExpression":
      return "`!`: narrow instead of promising";
    case "TSEnumDeclaration":
      return "`enum`: a union of literals is erasable";
    case "TSModuleDeclaration":
      return isNamespace(node) && !file.path.endsWith(".d.ts") ? "`namespace`: a file is the module" : undefined;
    default:
      return node["definite"] === true ? "`!`: give the value where it is declared" : undefined;
  }
}

/** `declare module "x"` and `declare global` have the same node and add to what others wrote. */
function isNamespace(node: SyntaxNode): boolean {
  return nodeIn(node, "id")?.type === "Identifier" && node["kind"] !== "global";
}

function hiddenInput(node: SyntaxNode, file: SourceFile): string | undefined {
  if (platformAdapters.some((adapter) => adapter.test(file.path))) return undefined;
  if (node.type === "MemberExpression") return why(dottedName(node));
  const isNow = node.type === "NewExpression" && dottedName(nodeIn(node, "callee")) === "Date" && nodesIn(node, "arguments").length === 0;
  return isNow ? why("Date.now") : undefined;
}

function why(name: string | undefined): string | undefined {
  const reason = name === undefined ? undefined : hiddenSources.get(name.replace(/^globalThis\./, ""));
  return reason === undefined ? undefined : `${name}: ${reason}`;
}

function waiting(node: SyntaxNode, file: SourceFile): string | undefined {
  const waits = node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node["await"] === true);
  return waits && !file.isTest && waitlessPackages.test(file.path) ? "`await` in a package that decides: shells wait" : undefined;
}

function mutableModule(node: SyntaxNode, parent: SyntaxNode | undefined, file: SourceFile): string | undefined {
  const isModuleLevel = parent?.type === "Program" || parent?.type === "ExportNamedDeclaration";
  const isMutable = node.type === "VariableDeclaration" && node["kind"] !== "const" && node["declare"] !== true;
  const isLibrary = file.path.startsWith("packages/") && !file.isTest;
  return isLibrary && isModuleLevel && isMutable ? "a module-level variable: state has an owner" : undefined;
}

function unrunTest(node: SyntaxNode, file: SourceFile): string | undefined {
  if (!file.isTest) return undefined;
  if (node.type === "MemberExpression") return skippedTest(node);
  const isSleep = file.path.startsWith("packages/") && node.type === "CallExpression" && dottedName(nodeIn(node, "callee")) === "setTimeout";
  return isSleep ? "setTimeout in a unit test: a test never sleeps" : undefined;
}

function skippedTest(node: SyntaxNode): string | undefined {
  const object = dottedName(nodeIn(node, "object")) ?? "";
  const member = textIn(nodeIn(node, "property") ?? node, "name") ?? "";
  const isUnrun = suiteNames.has(object.split(".")[0] ?? "") && unrunMembers.has(member);
  return isUnrun ? `${object}.${member}: a test runs, or says what it requires (test/support/requires.ts)` : undefined;
}
