import { existsSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import type { Fault } from "./fault.ts";
import { isTestPath, packageOf, readJsonLines, slashes, type Package, type SourceFile, type Tree } from "./tree.ts";

/** A package imports only from smaller numbers; equal numbers never see each other. Everything under apps/ is 7. */
const layers: Readonly<Record<string, number>> = {
  "@tutti/base": 0,
  "@tutti/protocol": 1, "@tutti/engine": 1,
  "@tutti/learning": 2, "@tutti/privacy": 2, "@tutti/dashboard": 2,
  "@tutti/rounds": 3,
  "@tutti/device": 4, "@tutti/coordinator": 4,
  "@tutti/simulator": 5,
  "@tutti/cli": 6,
};
const appLayer = 7;

/** All that the pure packages may take from outside (style, point 26): small, audited, without platform. */
const pureDependencies: Readonly<Record<string, RegExp>> = {
  "@tutti/base": /^@noble\//, "@tutti/protocol": /^(@noble\/.*|typebox)$/, "@tutti/engine": /^(@noble\/.*|fft\.js)$/,
  "@tutti/learning": /^(@noble\/.*|fft\.js)$/, "@tutti/privacy": /^(@noble\/.*|fft\.js)$/, "@tutti/rounds": /^@noble\//,
};

export function checkLayers(tree: Tree): readonly Fault[] {
  return [...tree.sources.values()].flatMap((file) => file.imports.flatMap((mention) =>
    importFaults(tree, file, mention.specifier).map((message) => ({ check: "layers", path: file.path, line: file.lineAt(mention.start), message }))));
}

function importFaults(tree: Tree, file: SourceFile, specifier: string): readonly string[] {
  if (specifier.startsWith("node:")) return [];
  const from = packageOf(tree, file.path);
  if (specifier.startsWith(".")) return relativeFaults(tree, file, from, specifier);
  const name = packageName(specifier);
  if (!name.startsWith("@tutti/")) return from === undefined ? [] : externalFaults(tree, file, from, name);
  const to = tree.packages.find((candidate) => candidate.name === name);
  if (to === undefined) return [`imports ${specifier}, which is no package of this workspace`];
  // A platform's part, a project of its own, stands on its package's pure part as a stranger would.
  if (to === from && specifier === name && dirname(nearestConfig(tree, file.path)) !== from.folder) return [];
  const deep = specifier === name || isExported(to, specifier) ? [] : [`imports ${specifier}: only what ${name} lists under "exports" is public`];
  return from === undefined ? deep : [...deep, ...orderFaults(from, to), ...declarationFaults(tree, file, from, specifier)];
}

function relativeFaults(tree: Tree, file: SourceFile, from: Package | undefined, specifier: string): readonly string[] {
  const target = slashes(normalize(join(dirname(file.path), specifier)));
  const to = packageOf(tree, target);
  return to === from || to === undefined ? outsideFaults(from, target, file.isTest) : [`reaches into ${to.name} by path: import ${to.name} instead`];
}

/** Tests may read what all packages share: their support, and vectors that more than one of them must meet. */
function outsideFaults(from: Package | undefined, target: string, isTest: boolean): readonly string[] {
  const mayLeave = from === undefined || target.startsWith(`${from.folder}/`) || (isTest && /^(test\/support|vectors)\//.test(target));
  return mayLeave ? [] : [`leaves its package: ${target}`];
}

function orderFaults(from: Package, to: Package): readonly string[] {
  const fromLayer = layerOf(from);
  const toLayer = layerOf(to);
  return toLayer < fromLayer ? [] : [`${from.name} (layer ${fromLayer}) imports ${to.name} (layer ${toLayer})`];
}

function declarationFaults(tree: Tree, file: SourceFile, from: Package, specifier: string): readonly string[] {
  const name = packageName(specifier);
  const faults = isDeclared(from, name, file.isTest) ? [] : [`${name} is not declared in ${from.folder}/package.json`];
  if (file.isTest) return faults;
  const config = nearestConfig(tree, file.path);
  const project = projectOf(tree, specifier);
  return references(tree, config).includes(project) ? faults : [...faults, `${config} does not reference ${project}`];
}

function externalFaults(tree: Tree, file: SourceFile, from: Package, name: string): readonly string[] {
  const isTool = file.isTest && Object.hasOwn(tree.manifest.devDependencies ?? {}, name);
  if (isTool) return [];
  if (!isDeclared(from, name, file.isTest)) return [`${name} is not declared in ${from.folder}/package.json`];
  const allowed = pureDependencies[from.name];
  return allowed === undefined || file.isTest || allowed.test(name) ? [] : [`${from.name} is pure and may not take ${name}`];
}

/** Declarations that nothing needs: a dependency or a reference that no source of the package imports. */
export function checkDeclarations(tree: Tree): readonly Fault[] {
  return tree.packages.flatMap((part) => [...versionFaults(part.folder, part), ...unusedDeclarations(tree, part)])
    .concat(versionFaults(".", { name: "", folder: ".", manifest: tree.manifest }));
}

function unusedDeclarations(tree: Tree, part: Package): readonly Fault[] {
  const files = [...tree.sources.values()].filter((file) => file.path.startsWith(`${part.folder}/`) && !isTestPath(file.path));
  const specifiers = files.flatMap((file) => file.imports.map((mention) => mention.specifier));
  if (files.every(isEmptyModule)) return [];
  const path = `${part.folder}/package.json`;
  const imported = new Set(specifiers.map(packageName));
  const unused = Object.keys(part.manifest.dependencies ?? {}).filter((name) => !imported.has(name));
  const dependencies = unused.map((name) => ({ check: "declarations", path, line: 0, message: `${name} is declared and never imported` }));
  return [...dependencies, ...configsOf(files, tree).flatMap((config) => unusedReferences(tree, config, files))];
}

function unusedReferences(tree: Tree, config: string, files: readonly SourceFile[]): readonly Fault[] {
  const own = files.filter((file) => nearestConfig(tree, file.path) === config);
  if (own.every(isEmptyModule)) return [];
  const needed = new Set(own.flatMap((file) => file.imports.map(({ specifier }) => specifier.startsWith("@tutti/")
    ? projectOf(tree, specifier)
    : dirname(nearestConfig(tree, slashes(normalize(join(dirname(file.path), specifier))))))));
  const unused = references(tree, config).filter((project) => !needed.has(project));
  return unused.map((project) => ({ check: "declarations", path: config, line: 0, message: `references ${project} and imports nothing of it` }));
}

function versionFaults(folder: string, { manifest }: Package): readonly Fault[] {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  const loose = versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
  return loose.map(([name, version]) => ({ check: "declarations", path: slashes(join(folder, "package.json")), line: 0, message: `${name} ${version}: versions are exact` }));
}

/** A room that is laid out and not yet furnished: its declarations are plans, not faults. */
function isEmptyModule(file: SourceFile): boolean {
  return file.path.endsWith(".d.ts") || file.text.trim() === "export {};";
}

function layerOf(part: Package): number {
  return part.folder.startsWith("apps/") ? appLayer : (layers[part.name] ?? appLayer);
}

function packageName(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function isExported(to: Package, specifier: string): boolean {
  return Object.hasOwn(to.manifest.exports ?? {}, `.${specifier.slice(to.name.length)}`);
}

function isDeclared(from: Package, name: string, isTest: boolean): boolean {
  const { dependencies, devDependencies, peerDependencies } = from.manifest;
  return Object.hasOwn({ ...dependencies, ...peerDependencies, ...(isTest ? devDependencies : {}) }, name);
}

/** The folder of the tsconfig project behind `specifier`: an entry such as ./node has one of its own. */
function projectOf(tree: Tree, specifier: string): string {
  const to = tree.packages.find((candidate) => candidate.name === packageName(specifier));
  const entry = to?.manifest.exports?.[`.${specifier.slice(packageName(specifier).length)}`]?.["@tutti/source"];
  if (to === undefined || entry === undefined) return specifier;
  return dirname(nearestConfig(tree, slashes(join(to.folder, entry))));
}

function nearestConfig(tree: Tree, path: string): string {
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const config = `${folder}/tsconfig.json`;
    if (existsSync(join(tree.root, config))) return config;
  }
  return "tsconfig.json";
}

function configsOf(files: readonly SourceFile[], tree: Tree): readonly string[] {
  return [...new Set(files.map((file) => nearestConfig(tree, file.path)))];
}

function references(tree: Tree, config: string): readonly string[] {
  const folder = join(tree.root, dirname(config));
  const parsed = readJsonLines(join(tree.root, config)) as { references?: readonly { path: string }[] };
  return (parsed.references ?? []).map(({ path }) => slashes(relative(tree.root, join(folder, path))));
}
