import { z } from 'zod';
import { type Rule, rules } from './rules.ts';
import { type Config, groups } from './schema.ts';
import { type Setting, settings } from './settings.ts';

const configSchema = z.object(groups).check(
	...rules.map((rule: Rule) =>
		z.refine<Config>(rule.holds, {
			path: [...rule.at],
			message: rule.right,
			when: ({ issues }) => !issues.some(({ code, path = [] }) => code !== 'custom' && rule.reads.includes(path.join('.'))),
		}),
	),
);

/** The environment as the process has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One thing that is wrong in the configuration. */
export interface Fault {
	/** The setting's name. */
	readonly name: string;
	/** What was found, and where. A secret is not shown. */
	readonly found: string;
	/** What would be right. */
	readonly right: string;
}

/** Everything that is wrong in the configuration, at once. */
export class ConfigError extends Error {
	override readonly name = 'ConfigError';
	readonly faults: readonly Fault[];

	constructor(faults: readonly Fault[]) {
		const lines = faults.map(({ name, found, right }) => `  ${name}: found ${found}; right is ${right}`);
		super([`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:`, ...lines].join('\n'));
		this.faults = faults;
	}
}

/**
 * Reads all settings: from `environment`, then from `fileText` (a JSON object of settings by name), then the defaults.
 * An empty variable of the environment counts as unset. The result is frozen.
 * @throws ConfigError with all faults
 */
export function load(environment: Environment, fileText?: string): Config {
	const { config, faults } = read(environment, fileText);
	if (config === undefined || faults.length > 0) throw new ConfigError(faults);
	return config;
}

/**
 * The text of `--print-config`: a line for each setting with its value and where that comes from; secrets are hidden.
 * @throws ConfigError with all faults
 */
export function printConfig(environment: Environment, fileText?: string): string {
	const config: Record<string, Record<string, unknown>> = load(environment, fileText);
	const { given } = gather(environment, fileText);
	return settings
		.map(({ name, group, key }) => {
			const value = config[group]?.[key];
			const shown = value === undefined ? '(unset)' : JSON.stringify(value);
			return `${name} = ${shown}  # ${given.get(name)?.origin ?? 'default'}\n`;
		})
		.join('');
}

/** A value as somebody gave it. */
interface Given {
	readonly value: unknown;
	readonly origin: 'environment' | 'file';
}

function read(environment: Environment, fileText: string | undefined): { config?: Config; faults: Fault[] } {
	const { given, faults } = gather(environment, fileText);
	const raw: Record<string, Record<string, unknown>> = {};
	for (const { name, group, key } of settings) {
		raw[group] ??= {};
		raw[group][key] = given.get(name)?.value;
	}
	const result = configSchema.safeParse(raw);
	if (result.success) {
		for (const group of Object.values(result.data)) Object.freeze(group);
		return { config: Object.freeze(result.data), faults };
	}
	const seen = new Set<Setting>();
	for (const issue of result.error.issues) {
		const setting = settings.find(({ group, key }) => group === issue.path[0] && key === issue.path[1]);
		if (setting === undefined || seen.has(setting)) continue;
		seen.add(setting);
		faults.push({
			name: setting.name,
			found: describe(setting, given.get(setting.name)),
			right: issue.code === 'custom' ? issue.message : setting.right,
		});
	}
	return { faults };
}

function gather(environment: Environment, fileText: string | undefined): { given: Map<string, Given>; faults: Fault[] } {
	const given = new Map<string, Given>();
	const faults: Fault[] = [];
	const known = new Set(settings.map(({ name }) => name));
	const file = fileText === undefined ? {} : parseFile(fileText);
	if (file === undefined) {
		faults.push({ name: 'CONFIG_FILE', found: 'a file that holds no JSON object', right: '{ "HTTP_PORT": 8080, … }' });
	}
	for (const [name, value] of Object.entries(file ?? {})) {
		if (name === 'CONFIG_FILE') faults.push({ name, found: 'this name in the file', right: 'to set it in the environment' });
		else if (known.has(name)) given.set(name, { value, origin: 'file' });
		else faults.push({ name, found: 'this name in the file', right: 'a name of docs/reference/configuration.md' });
	}
	for (const { name } of settings) {
		const value = environment[name];
		if (value !== undefined && value !== '') given.set(name, { value, origin: 'environment' });
	}
	return { given, faults };
}

/** Not JSON's own error message: it quotes the file, which may hold passwords. */
function parseFile(fileText: string): object | undefined {
	try {
		const file: unknown = JSON.parse(fileText);
		return typeof file === 'object' && file !== null && !Array.isArray(file) ? file : undefined;
	} catch (error) {
		if (error instanceof SyntaxError) return undefined;
		throw error;
	}
}

function describe(setting: Setting, given: Given | undefined): string {
	if (given === undefined) return setting.value === undefined ? 'nothing' : `the default ${JSON.stringify(setting.value)}`;
	const where = given.origin === 'file' ? 'in the file' : 'in the environment';
	return `${setting.secret ? '[redacted]' : JSON.stringify(given.value).slice(0, 200)} ${where}`;
}
