import { basename } from "node:path";
import type { Fault } from "./fault.ts";
import { nodeIn, nodesIn, textIn, visitNodes, type SyntaxNode } from "./syntax.ts";
import type { SourceFile, Tree } from "./tree.ts";

/** Words that say nothing about what they name. */
const emptyWords = new Set(["util", "utils", "helper", "helpers", "common", "core", "misc"]);
/** Quantities without unit or qualifier (style, point 2): sizeBytes, deadlineMs, noiseStdDev. */
const bareQuantities = new Set(["timeout", "size", "noise"]);
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;

export function checkNames(tree: Tree): readonly Fault[] {
  return [...tree.sources.values()].flatMap((file) => [...pathFaults(file.path), ...identifierFaults(file)]);
}

function pathFaults(path: string): readonly Fault[] {
  const words = path.split("/").map((part) => part.replace(/\..*$/, ""));
  const empty = words.filter((word) => emptyWords.has(word)).map((word) => `"${word}" says nothing: name the noun that is inside`);
  const shape = kebabCase.test(basename(path)) ? [] : ["a file's name is a kebab-case noun"];
  return [...empty, ...shape].map((message) => ({ check: "names", path, line: 0, message }));
}

function identifierFaults(file: SourceFile): readonly Fault[] {
  const faults: Fault[] = [];
  visitNodes(file.syntax.program, (node) => {
    for (const declared of declaredNames(node)) {
      const name = textIn(declared, "name") ?? "";
      const message = nameFault(name);
      if (message !== undefined) faults.push({ check: "names", path: file.path, line: file.lineAt(declared.start), message });
    }
  });
  return faults;
}

function nameFault(name: string): string | undefined {
  if (emptyWords.has(name.toLowerCase())) return `"${name}" says nothing: name the noun that is inside`;
  return bareQuantities.has(name) ? `"${name}" alone has no unit and no qualifier` : undefined;
}

/** The identifiers that `node` itself brings into being: variables, parameters, types, declared members. */
function declaredNames(node: SyntaxNode): readonly SyntaxNode[] {
  switch (node.type) {
    case "VariableDeclarator":
      return identifiers(nodeIn(node, "id"));
    case "FunctionDeclaration": case "FunctionExpression": case "ArrowFunctionExpression": case "TSDeclareFunction":
      return [...identifiers(nodeIn(node, "id")), ...nodesIn(node, "params").flatMap((param) => identifiers(param))];
    case "ClassDeclaration": case "TSInterfaceDeclaration": case "TSTypeAliasDeclaration":
      return identifiers(nodeIn(node, "id"));
    case "TSPropertySignature": case "TSMethodSignature": case "PropertyDefinition": case "MethodDefinition":
      return node["computed"] === true ? [] : identifiers(nodeIn(node, "key"));
    default:
      return [];
  }
}

/** The identifiers of a binding: `a`, `{ a, b: c }`, `[a]`, `a = 1`, `...a`. */
function identifiers(binding: SyntaxNode | undefined): readonly SyntaxNode[] {
  if (binding === undefined) return [];
  switch (binding.type) {
    case "Identifier":
      return [binding];
    case "AssignmentPattern":
      return identifiers(nodeIn(binding, "left"));
    case "RestElement":
      return identifiers(nodeIn(binding, "argument"));
    case "ArrayPattern":
      return nodesIn(binding, "elements").flatMap((element) => identifiers(element));
    case "ObjectPattern":
      return nodesIn(binding, "properties").flatMap((property) => property["shorthand"] === true ? [] : identifiers(nodeIn(property, "value") ?? property));
    default:
      return [];
  }
}
