import { basename } from 'node:path';
import { expect } from 'chai';
import { parseSource, type SourceFile, sourceFiles } from '../../support/source-files.ts';

/** A rule of the house: which files it is for, and what is wrong with one, if anything. */
interface StyleRule {
	readonly name: string;
	readonly appliesTo: (path: string) => boolean;
	readonly isBroken: (file: SourceFile) => boolean;
	/** What breaks the rule, as path and text. */
	readonly bad: readonly (readonly [path: string, text: string])[];
	readonly good: readonly (readonly [path: string, text: string])[];
}

const isProduct = (path: string) => !/^(test|bench|scripts|examples)\//.test(path);
const isDoor = (path: string) =>
	/^(?!test|bench|scripts|examples)[^/]+\/((sqlite|mongodb|files|gridfs|s3)\/)?index\.ts$/.test(path);
const linesOf = (count: number) => 'a();\n'.repeat(count);

function linesAtMost(max: number): (file: SourceFile) => boolean {
	return ({ lines }) => lines > max;
}

const rules: readonly StyleRule[] = [
	{
		name: 'a file has at most 500 lines',
		appliesTo: () => true,
		isBroken: linesAtMost(500),
		bad: [['inventory/a.ts', linesOf(501)]],
		good: [['inventory/a.ts', linesOf(500)]],
	},
	{
		name: 'service/compose.ts has fewer than 200 lines',
		appliesTo: (path) => path === 'service/compose.ts',
		isBroken: linesAtMost(199),
		bad: [['service/compose.ts', linesOf(200)]],
		good: [['service/compose.ts', linesOf(199)]],
	},
	{
		name: 'service/main.ts has fewer than 40 lines',
		appliesTo: (path) => path === 'service/main.ts',
		isBroken: linesAtMost(39),
		bad: [['service/main.ts', linesOf(40)]],
		good: [['service/main.ts', linesOf(39)]],
	},
	{
		name: 'a file name is in kebab-case',
		appliesTo: () => true,
		isBroken: ({ path }) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.(contract|d))?\.ts$/.test(path),
		bad: [
			['inventory/managedObject.ts', ''],
			['inventory/managed_object.ts', ''],
			['inventory/Device.ts', ''],
		],
		good: [
			['inventory/managed-object.ts', ''],
			['test/contract/document-store.contract.ts', ''],
		],
	},
	{
		name: 'a file name says what is in the file',
		appliesTo: () => true,
		isBroken: ({ path }) => /^(utils?|helpers?|commons?|types?|constants?|misc|shared)\.ts$/.test(basename(path)),
		bad: [
			['inventory/utils.ts', ''],
			['types.ts', ''],
		],
		good: [['inventory/software-types.ts', '']],
	},
	{
		name: 'the environment is read in service/main.ts only',
		appliesTo: (path) => isProduct(path) && path !== 'service/main.ts',
		isBroken: ({ code }) => /\bprocess \. env\b/.test(code),
		bad: [['service/log.ts', 'const a = process.env.A;']],
		good: [
			['service/main.ts', 'load(process.env);'],
			['test/support/a.ts', 'process.env.A'],
			['config/load.ts', '// process.env\nconst a = "process.env";'],
		],
	},
	{
		name: 'time and chance come in as arguments',
		appliesTo: (path) => isProduct(path) && !/^(service|store\/[^/]+)\//.test(path),
		isBroken: ({ code }) =>
			/\b(Date \. now|Math \. random|performance \. now|(?<!\. )(setTimeout|setInterval) \(|new Date \( \)|new Date [;,)])/.test(
				code,
			),
		bad: [
			['inventory/a.ts', 'const a = Date.now();'],
			['inventory/a.ts', 'const a = new Date();'],
			['inventory/a.ts', 'const a = Math.random();'],
			['operations/a.ts', 'setTimeout(() => {}, 1);'],
			['store/a.ts', 'setInterval(run, 1);'],
		],
		good: [
			['service/scheduler.ts', 'setTimeout(run, 1);'],
			['store/sqlite/a.ts', 'Date.now()'],
			['inventory/a.ts', 'new Date(milliseconds); clock.now();'],
		],
	},
	{
		name: 'exports are named one by one',
		appliesTo: () => true,
		isBroken: ({ code }) => /\bexport (type )?\*|\bexport default\b/.test(code),
		bad: [
			['inventory/a.ts', "export * from './b.ts';"],
			['inventory/a.ts', "export * as b from './b.ts';"],
			['inventory/a.ts', 'export default 1;'],
		],
		good: [['inventory/a.ts', "export { b } from './b.ts'; export const c = 1;"]],
	},
	{
		name: 'a door has only exports from other files',
		appliesTo: isDoor,
		isBroken: ({ code }) => !/^(export (type )?\{[^}]*\} from '' ;? ?)*$/.test(code),
		bad: [
			['inventory/index.ts', 'export const a = 1;'],
			['store/sqlite/index.ts', "import './a.ts';"],
		],
		good: [['inventory/index.ts', "/** Says what. */\nexport { a, type B } from './a.ts';\nexport type { C } from './c.ts';\n"]],
	},
	{
		name: 'the compiler is not told to look away',
		appliesTo: isProduct,
		isBroken: ({ code }) => /\bas any\b|: any\b|< any\b|\bas unknown as\b/.test(code),
		bad: [
			['inventory/a.ts', 'const a = b as any;'],
			['inventory/a.ts', 'function a(b: any) {}'],
			['inventory/a.ts', 'const a = b as unknown as C;'],
		],
		good: [
			['test/unit/a.ts', 'const a = 1 as unknown as string;'],
			['inventory/a.ts', "const any = 'as any'; const a: unknown = b;"],
		],
	},
];

function broken(rule: StyleRule, files: readonly SourceFile[]): string[] {
	return files.filter((file) => rule.appliesTo(file.path) && rule.isBroken(file)).map(({ path }) => path);
}

describe('project/source-style', () => {
	const files = sourceFiles();

	for (const rule of rules) {
		describe(rule.name, () => {
			it('is a rule that sees what breaks it', () => {
				for (const [path, text] of rule.bad) expect(broken(rule, [parseSource(path, text)]), text).to.deep.equal([path]);
				for (const [path, text] of rule.good) expect(broken(rule, [parseSource(path, text)]), text).to.deep.equal([]);
			});

			it('is kept by every file', () => {
				expect(broken(rule, files)).to.deep.equal([]);
			});
		});
	}
});
