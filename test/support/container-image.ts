import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import {
	Copy,
	DockerfileParser,
	From,
	type Instruction,
	JSONInstruction,
	ModifiableInstruction,
	PropertyInstruction,
} from 'dockerfile-ast';
import { runInRoot } from './root-sandbox.ts';

/** What a Dockerfile makes: a root folder, and how a process is started in it. */
export interface ContainerImage {
	readonly folder: string;
	readonly buildArguments: Record<string, string>;
	readonly environment: Record<string, string>;
	readonly labels: Record<string, string>;
	readonly volumes: string[];
	workingFolder: string;
	user: string;
	stopSignal: string;
	command: readonly string[];
	healthCheck: readonly string[];
}

/** The folders that every base image has; the sandbox puts those of this machine over them. */
const baseFolders = ['usr', 'etc', 'proc', 'dev', 'tmp', 'root'];
const baseLinks = ['bin', 'sbin', 'lib', 'lib64'];

/**
 * Does what a Dockerfile says, stage by stage, in `folder`; programs of the base image are those of this machine.
 * `caches` is where cache mounts are kept. Returns the last stage.
 * @throws Error on a step that it does not know
 */
export async function buildImage(
	context: string,
	folder: string,
	caches: Readonly<Record<string, string>>,
): Promise<ContainerImage> {
	const stages = new Map<string, ContainerImage>();
	let image: ContainerImage | undefined;
	for (const step of DockerfileParser.parse(readFileSync(join(context, 'Dockerfile'), 'utf8')).getInstructions()) {
		if (step instanceof From) {
			image = emptyImage(join(folder, String(stages.size)));
			stages.set(step.getBuildStage() ?? String(stages.size), image);
		} else if (image) {
			await perform(step, image, { context, stages, caches });
		} else if (step.getKeyword() !== 'ARG') throw new Error(`${step.getKeyword()} before FROM`);
	}
	if (!image) throw new Error('no FROM');
	return image;
}

function emptyImage(folder: string): ContainerImage {
	for (const name of baseFolders) mkdirSync(join(folder, name), { recursive: true });
	for (const name of baseLinks) symlinkSync(join('usr', name), join(folder, name));
	chmodSync(folder, 0o755);
	return {
		folder,
		buildArguments: {},
		environment: {},
		labels: {},
		volumes: [],
		workingFolder: '/',
		user: '0:0',
		stopSignal: 'SIGTERM',
		command: [],
		healthCheck: [],
	};
}

interface Build {
	readonly context: string;
	readonly stages: ReadonlyMap<string, ContainerImage>;
	readonly caches: Readonly<Record<string, string>>;
}

async function perform(step: Instruction, image: ContainerImage, build: Build): Promise<void> {
	const words = step.getExpandedArguments().map((word) => word.getValue());
	const keyword = step.getKeyword();
	switch (keyword) {
		case 'EXPOSE':
			return;
		case 'ARG':
			Object.assign(image.buildArguments, propertiesOf(step, {}));
			return;
		case 'LABEL':
			Object.assign(image.labels, propertiesOf(step, image.buildArguments));
			return;
		case 'ENV':
			Object.assign(image.environment, propertiesOf(step, image.buildArguments));
			return;
		case 'WORKDIR':
			image.workingFolder = posix.resolve(image.workingFolder, words[0] ?? '');
			mkdirSync(join(image.folder, image.workingFolder), { recursive: true });
			return;
		case 'USER':
			image.user = words[0] ?? '';
			return;
		case 'VOLUME':
			image.volumes.push(...words);
			return;
		case 'STOPSIGNAL':
			image.stopSignal = words[0] ?? '';
			return;
		case 'CMD':
			image.command = execForm(textAfterFlags(step));
			return;
		case 'HEALTHCHECK':
			image.healthCheck = execForm(textAfterFlags(step).replace(/^CMD\s+/, ''));
			return;
		case 'COPY':
			copy(step, words, image, build);
			return;
		case 'RUN':
			await run(step, image, build);
			return;
		default:
			throw new Error(`a step that this test does not know: ${keyword}`);
	}
}

function copy(step: Instruction, words: readonly string[], image: ContainerImage, { context, stages }: Build): void {
	const from = step instanceof Copy ? step.getFromFlag()?.getValue() : undefined;
	const stage = stages.get(from ?? '');
	if (from && !stage) throw new Error(`COPY --from=${from}: no such stage`);
	const isIgnored = ignoreRule(readFileSync(join(context, '.dockerignore'), 'utf8'));
	const target = words.at(-1) ?? '';
	for (const source of words.slice(0, -1)) {
		const absolute = stage ? join(stage.folder, posix.resolve(stage.workingFolder, source)) : join(context, source);
		const to = join(image.folder, image.workingFolder, target, target.endsWith('/') ? source : '');
		cpSync(absolute, to, {
			recursive: true,
			filter: (path) => stage !== undefined || !isIgnored(relative(context, path)),
		});
	}
}

async function run(step: Instruction, image: ContainerImage, { caches }: Build): Promise<void> {
	const flags = step instanceof ModifiableInstruction ? step.getFlags() : [];
	const mounts: [target: string, source: string][] = flags.map((flag) => {
		const options = new Map(flag.getOptions().map((option) => [option.getName(), option.getValue() ?? '']));
		const target = options.get('target') ?? '';
		const source = caches[target];
		if (flag.getName() !== 'mount' || options.get('type') !== 'cache' || !source) throw new Error(`RUN ${flag}: not known`);
		mkdirSync(join(image.folder, target), { recursive: true });
		return [target, source];
	});
	await runInRoot(['sh', '-c', textAfterFlags(step)], { ...image, mounts, isWritable: true });
}

function propertiesOf(step: Instruction, values: Readonly<Record<string, string>>): Record<string, string> {
	if (!(step instanceof PropertyInstruction)) return {};
	const expand = (text: string) => text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
	return Object.fromEntries(step.getProperties().map((property) => [property.getName(), expand(property.getValue() ?? '')]));
}

function textAfterFlags(step: Instruction): string {
	const flags = step instanceof ModifiableInstruction ? step.getFlags() : [];
	const text = step instanceof JSONInstruction ? step.getRawArgumentsContent() : step.getArgumentsContent();
	return flags.reduce((rest, flag) => rest.replace(flag.toString(), ''), text ?? '').trim();
}

/** A shell between the engine and the process would keep signals to itself. */
function execForm(text: string): string[] {
	const words: unknown = JSON.parse(text);
	if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) throw new Error(`not a list of texts: ${text}`);
	return words;
}

/** Names, `*` and `!` are known. The last line that fits a path, or a folder above it, decides. */
export function ignoreRule(text: string): (path: string) => boolean {
	const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
	const rules = lines.map((line) => {
		const pattern = line.replace(/^!/, '');
		if (/[?[\]\\]|\*\*/.test(pattern)) throw new Error(`.dockerignore: a pattern that this test does not know: ${line}`);
		const source = pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*');
		return { keeps: line.startsWith('!'), pattern: new RegExp(`^${source}$`) };
	});
	return function isIgnored(path: string): boolean {
		if (path === '' || path === '.') return false;
		const deciding = rules.findLast(({ pattern }) => pattern.test(path));
		return deciding ? !deciding.keeps : isIgnored(dirname(path));
	};
}
