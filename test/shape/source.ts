import { dirname, join } from "node:path/posix";
import ts from "typescript";
import { PROJECT } from "./project.ts";

/** One import of a file, of whatever form. */
export interface Import {
  readonly file: string;
  /** A path below the project, or the specifier of a package. */
  readonly target: string;
  readonly kind: "module" | "package";
  /** `false` when only types are imported. */
  readonly isValue: boolean;
}

/** Reads the sources of the project with the compiler's own parser, under the project's options. */
export function readSources(files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(join(PROJECT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, PROJECT);
  return ts.createProgram(files.map((file) => join(PROJECT, file)), options);
}

/** Finds the syntax tree of one of the files that a program was made of. */
export function sourceOf(program: ts.Program, file: string): ts.SourceFile {
  const source = program.getSourceFile(join(PROJECT, file));
  if (source === undefined) throw new Error(`Cannot read ${file}: the compiler has not seen it`);
  return source;
}

/**
 * Lists every import of a file: static, dynamic, by type, by `require` and by reference.
 *
 * @throws {Error} for an import whose target is computed: nobody could say what it imports
 */
export function listImports(source: ts.SourceFile, file: string): readonly Import[] {
  const imports: Import[] = [];
  const add = (specifier: ts.Node | undefined, isValue: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) {
      throw new Error(`Cannot check ${file}: it imports something that is computed`);
    }
    const { text } = specifier;
    const isModule = text.startsWith(".");
    const target = isModule ? join(dirname(file), text) : text;
    imports.push({ file, target, kind: isModule ? "module" : "package", isValue });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.isTypeOnly !== true);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, !node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, false);
    } else if (ts.isExternalModuleReference(node)) {
      add(node.expression, true);
    } else if (ts.isCallExpression(node) && isImportCall(node)) {
      add(node.arguments[0], true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const { fileName } of [...source.referencedFiles, ...source.typeReferenceDirectives]) {
    imports.push({ file, target: fileName, kind: "package", isValue: true });
  }
  return imports;
}

function isImportCall({ expression }: ts.CallExpression): boolean {
  return expression.kind === ts.SyntaxKind.ImportKeyword ||
    ts.isIdentifier(expression) && expression.text === "require";
}

/**
 * Lists the names in a file that neither it nor anything it imports declares, each as often as it
 * occurs; with the member behind it (`Date.now`) where one is named.
 */
export function listGlobals(program: ts.Program, source: ts.SourceFile): readonly string[] {
  const checker = program.getTypeChecker();
  const globals: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isMemberName(node) && isGlobal(checker, node)) {
      globals.push(nameWithMember(node));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return globals;
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return ts.isPropertyAccessExpression(parent) && parent.name === node ||
    ts.isQualifiedName(parent) && parent.right === node ||
    ts.isBindingElement(parent) && parent.propertyName === node ||
    ts.isPropertyAssignment(parent) && parent.name === node;
}

function isGlobal(checker: ts.TypeChecker, node: ts.Identifier): boolean {
  if (node.text === "globalThis" || node.text === "arguments") return true;
  const symbol = ts.isShorthandPropertyAssignment(node.parent)
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : checker.getSymbolAtLocation(node);
  const declarations = symbol?.declarations ?? [];
  return declarations.length > 0 &&
    declarations.every((declaration) => declaration.getSourceFile().isDeclarationFile);
}

function nameWithMember(node: ts.Identifier): string {
  const { parent } = node;
  return ts.isPropertyAccessExpression(parent) && parent.expression === node
    ? `${node.text}.${parent.name.text}`
    : node.text;
}
