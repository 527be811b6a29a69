import { dirname, join, normalize } from "node:path";
import type { Fault } from "./fault.ts";
import { nodeIn, nodesIn, textIn, visitNodes, type SyntaxNode } from "./syntax.ts";
import { entryPaths, slashes, type SourceFile, type Tree } from "./tree.ts";

/** Files that nobody reaches from a package's entry, a program, a tool, a test, a bench or an example. */
export function checkDeadFiles(tree: Tree): readonly Fault[] {
  const reached = new Set<string>();
  const waiting = startingPaths(tree);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = tree.sources.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    waiting.push(...mentionedPaths(tree, file));
  }
  const dead = [...tree.sources.keys()].filter((path) => !reached.has(path));
  return dead.map((path) => ({ check: "dead-files", path, line: 0, message: "no entry, program, tool, test or script reaches it" }));
}

/** Scripts whose command names a source file that is not there. */
export function checkScripts(tree: Tree): readonly Fault[] {
  const commands = Object.entries(tree.manifest.scripts ?? {});
  const missing = commands.flatMap(([name, command]) => command.split(/\s+/)
    .filter((word) => word.endsWith(".ts") && !tree.sources.has(word))
    .map((word) => `script ${name} runs ${word}, which does not exist`));
  return missing.map((message) => ({ check: "scripts", path: "package.json", line: 0, message }));
}

/** A file that only passes on what others export, and is no entry of its package: import from the source instead. */
export function checkBarrels(tree: Tree): readonly Fault[] {
  const entries = new Set(tree.packages.flatMap((part) => entryPaths(part)));
  const barrels = [...tree.sources.values()].filter((file) => !entries.has(file.path) && passesOnOnly(file));
  return barrels.map(({ path }) => ({ check: "barrels", path, line: 0, message: "re-exports only: a package has one index, its entry" }));
}

/** Exports that no other file takes; what an entry exports is public and therefore taken. */
export function checkUnusedExports(tree: Tree): readonly Fault[] {
  const taken = takenNames(tree);
  return [...tree.sources.values()].flatMap((file) => exportedNames(file)
    .filter((exported) => !taken.has(`${file.path}#${exported.name}`) && !taken.has(`${file.path}#*`) && !isNamedInSignature(file, exported))
    .map(({ name, start }) => ({ check: "unused-exports", path: file.path, line: file.lineAt(start), message: `nobody imports ${name}` })));
}

function startingPaths(tree: Tree): string[] {
  const entries = tree.packages.flatMap((part) => entryPaths(part));
  const scripts = [tree.manifest, ...tree.packages.map((part) => part.manifest)].flatMap((manifest) => Object.entries(manifest.scripts ?? {}));
  const named = scripts.flatMap(([name, command]) => [...command.split(/\s+/), ...(name.startsWith("bench:") ? [`bench/${name.slice("bench:".length)}.ts`] : [])]);
  const selfStanding = [...tree.sources.values()].filter((file) => isSelfStanding(file)).map((file) => file.path);
  return [...entries, ...named, ...selfStanding];
}

/** Run by their own name: tests, tools, examples; ambient declarations are included by the compiler. */
function isSelfStanding({ path }: SourceFile): boolean {
  return /\.test\.tsx?$/.test(path) || /^tools\/[^/]+\.ts$/.test(path) || path.startsWith("examples/") || path.endsWith(".d.ts") || /(^|\/)(vite|vitest)\.config\.ts$/.test(path);
}

/** Imports, and any string that is the path of a source (a worker, a spawned program). */
function mentionedPaths(tree: Tree, file: SourceFile): readonly string[] {
  const paths = file.imports.flatMap(({ specifier }) => resolved(tree, file, specifier));
  visitNodes(file.syntax.program, (node) => {
    const text = node.type === "Literal" ? textIn(node, "value") : undefined;
    if (text !== undefined && /\.tsx?$/.test(text)) paths.push(slashes(normalize(join(dirname(file.path), text))), slashes(normalize(text)));
  });
  return paths;
}

function resolved(tree: Tree, file: SourceFile, specifier: string): readonly string[] {
  if (specifier.startsWith(".")) return [slashes(normalize(join(dirname(file.path), specifier)))];
  const part = tree.packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  const entry = part?.manifest.exports?.[`.${specifier.slice(part.name.length)}`]?.["@tutti/source"];
  return part === undefined || entry === undefined ? [] : [slashes(join(part.folder, entry))];
}

function passesOnOnly(file: SourceFile): boolean {
  const body = nodesIn(file.syntax.program, "body");
  return body.length > 0 && body.every((node) => node.type.startsWith("Export") && nodeIn(node, "source") !== undefined);
}

/** "path#name" for every name that some file takes from another, and "path#*" where all are taken. */
function takenNames(tree: Tree): ReadonlySet<string> {
  const entries = new Set(tree.packages.flatMap((part) => entryPaths(part)));
  const taken = new Set([...entries].map((path) => `${path}#*`));
  for (const file of tree.sources.values()) {
    // Configurations and examples are taken by programs, by their default export; benches by bench/run.ts.
    if (!file.path.startsWith("packages/") || file.path.endsWith(".config.ts")) taken.add(`${file.path}#default`);
    if (/^bench\/[^/]+\.ts$/.test(file.path)) taken.add(`${file.path}#rows`);
    for (const mention of file.imports) {
      for (const path of resolved(tree, file, mention.specifier)) for (const name of mention.names) taken.add(`${path}#${name}`);
    }
  }
  return taken;
}

interface ExportedName {
  readonly name: string;
  readonly start: number;
  readonly isType: boolean;
}

function exportedNames(file: SourceFile): readonly ExportedName[] {
  return nodesIn(file.syntax.program, "body").flatMap((node) => {
    if (node.type === "ExportDefaultDeclaration") return [{ name: "default", start: node.start, isType: false }];
    const isType = node["exportKind"] === "type";
    return node.type === "ExportNamedDeclaration" ? namesOf(node).map((name) => ({ name, start: node.start, isType })) : [];
  });
}

/** A type that the file itself uses belongs to what it exports: who calls a function may name its options. */
function isNamedInSignature(file: SourceFile, { name, isType }: ExportedName): boolean {
  return isType && file.text.split(new RegExp(`\\b${name}\\b`)).length > 2;
}

function namesOf(node: SyntaxNode): readonly string[] {
  const declaration = nodeIn(node, "declaration");
  if (declaration === undefined) return nodesIn(node, "specifiers").map((specifier) => nameOf(nodeIn(specifier, "exported")));
  const declared = declaration.type === "VariableDeclaration" ? nodesIn(declaration, "declarations") : [declaration];
  return declared.map((part) => nameOf(nodeIn(part, "id"))).filter((name) => name !== "");
}

function nameOf(node: SyntaxNode | undefined): string {
  return node === undefined ? "" : (textIn(node, "name") ?? "");
}
