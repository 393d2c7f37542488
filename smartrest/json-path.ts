/** One step of a path: into a field, into a place of a list (from 0), into everything, or to every depth. */
export type PathStep =
	| { readonly kind: 'name'; readonly name: string }
	| { readonly kind: 'index'; readonly index: number }
	| { readonly kind: 'all' }
	| { readonly kind: 'descend' };

export type JsonPath = readonly PathStep[];

export type ParsedPath = { readonly ok: true; readonly path: JsonPath } | { readonly ok: false; readonly reason: string };

/** How many values may still be looked at; below zero, something was left out. */
export interface VisitBudget {
	visits: number;
}

const supported = 'use $.a.b ["a"] [0] [*] .* or ..a'.replaceAll('"', "'");
const nameEnd = /[.[]/;
const forbiddenInName = /[\]'"?()*\p{Cc}]/u;

/**
 * Reads the part of JSON path that templates use: names, `['name']`, `[0]`, `[*]`, `.*` and one `..`; the leading `$.` may be
 * left out, as devices do. Filters, slices and scripts are refused.
 */
export function parsePath(text: string, maximumSteps: number): ParsedPath {
	const steps: PathStep[] = [];
	let rest = text.startsWith('$') && (text.length === 1 || /[.[]/.test(text.charAt(1))) ? text.slice(1) : text;
	if (rest === text) {
		if (text === '') return refuse('the path is empty');
		if (!/^[.[]/.test(text)) rest = `.${text}`;
	}
	while (rest !== '') {
		const read = rest.startsWith('[') ? readBracket(rest) : readDotted(rest);
		if (typeof read === 'string') return refuse(read);
		steps.push(...read.steps);
		if (steps.length > maximumSteps) return refuse(`the path has more than ${maximumSteps} steps`);
		rest = read.rest;
	}
	return hasSeveralDescents(steps) ? refuse('the path has more than one ..') : { ok: true, path: steps };
}

/** Paths with several `..` find the same values again and again. */
export function hasSeveralDescents(path: JsonPath): boolean {
	return path.filter(({ kind }) => kind === 'descend').length > 1;
}

interface Read {
	readonly steps: readonly PathStep[];
	readonly rest: string;
}

function readDotted(text: string): Read | string {
	const descends = text.startsWith('..');
	const from = descends ? 2 : 1;
	const before: PathStep[] = descends ? [{ kind: 'descend' }] : [];
	if (descends && text.charAt(from) === '[') return { steps: before, rest: text.slice(from) };
	const length = text.slice(from).search(nameEnd);
	const end = length === -1 ? text.length : from + length;
	const name = text.slice(from, end);
	if (name === '') return `a name is missing after ${descends ? '..' : '.'}`;
	if (name === '*') return { steps: [...before, { kind: 'all' }], rest: text.slice(end) };
	if (forbiddenInName.test(name)) return 'a name has a character that needs brackets or is not supported';
	return { steps: [...before, { kind: 'name', name }], rest: text.slice(end) };
}

function readBracket(text: string): Read | string {
	const quote = text.charAt(1);
	if (quote === "'" || quote === '"') {
		const end = text.indexOf(`${quote}]`, 2);
		if (end === -1) return 'a bracket is not closed';
		const name = text.slice(2, end);
		if (name === '' || name.includes(quote)) return 'a bracket holds no single name';
		return { steps: [{ kind: 'name', name }], rest: text.slice(end + 2) };
	}
	const end = text.indexOf(']');
	if (end === -1) return 'a bracket is not closed';
	const inside = text.slice(1, end);
	const rest = text.slice(end + 1);
	if (inside === '*') return { steps: [{ kind: 'all' }], rest };
	if (/^\d{1,9}$/.test(inside)) return { steps: [{ kind: 'index', index: Number(inside) }], rest };
	return 'a bracket holds neither a place nor * nor a name in quotes';
}

function refuse(reason: string): ParsedPath {
	return { ok: false, reason: `${reason} - ${supported}` };
}

/** What a path finds, in the order of the document; each value that is looked at is taken from the budget. */
export function* selectPath(value: unknown, path: JsonPath, budget: VisitBudget, at = 0): Generator<unknown> {
	if (--budget.visits < 0) return;
	const step = path[at];
	if (step === undefined) {
		yield value;
		return;
	}
	if (typeof value !== 'object' || value === null) return;
	switch (step.kind) {
		case 'name':
			if (!Array.isArray(value) && Object.hasOwn(value, step.name))
				yield* selectPath(Reflect.get(value, step.name), path, budget, at + 1);
			return;
		case 'index':
			if (Array.isArray(value) && step.index < value.length) yield* selectPath(value[step.index], path, budget, at + 1);
			return;
		case 'all':
			for (const item of itemsOf(value, budget)) yield* selectPath(item, path, budget, at + 1);
			return;
		case 'descend':
			yield* selectPath(value, path, budget, at + 1);
			for (const item of itemsOf(value, budget)) yield* selectPath(item, path, budget, at);
	}
}

/** The names of an object are listed before the first is looked at, so all of them are paid for. */
function* itemsOf(value: object, budget: VisitBudget): Generator<unknown> {
	if (Array.isArray(value)) yield* value;
	else {
		const names = Object.keys(value);
		budget.visits -= names.length;
		if (budget.visits >= 0) for (const name of names) yield Reflect.get(value, name);
	}
}

/** Why a value cannot be put at a path, or `undefined`. */
export function assignmentFault(path: JsonPath, maximumIndex: number): string | undefined {
	if (path[0]?.kind !== 'name') return 'the path must begin with a name';
	for (const step of path) {
		if (step.kind === 'all' || step.kind === 'descend') return 'the path names no single place';
		if (step.kind === 'index' && step.index > maximumIndex) return `the path has a place above ${maximumIndex}`;
		if (step.kind === 'name' && step.name === '__proto__') return 'the path has a name that is not allowed';
	}
	return undefined;
}

/**
 * Puts a value at a path that has no `assignmentFault`, and makes what is missing on the way. False where something else is in
 * the way; an empty object gives way to what is there.
 */
export function assignAt(document: Record<string, unknown>, path: JsonPath, value: unknown): boolean {
	let container: object = document;
	for (const [at, step] of path.entries()) {
		const key = keyOf(step, container);
		if (key === undefined) return false;
		const present: unknown = Object.hasOwn(container, key) ? Reflect.get(container, key) : undefined;
		if (at === path.length - 1) return place(container, key, present, value);
		if (present === undefined || present === null) {
			const made = path[at + 1]?.kind === 'index' ? [] : {};
			place(container, key, undefined, made);
			container = made;
		} else if (typeof present === 'object') container = present;
		else return false;
	}
	return false;
}

function keyOf(step: PathStep, container: object): string | number | undefined {
	if (step.kind === 'index') return Array.isArray(container) ? step.index : undefined;
	return step.kind === 'name' && !Array.isArray(container) ? step.name : undefined;
}

function place(container: object, key: string | number, present: unknown, value: unknown): boolean {
	if (present !== undefined && present !== null) return isEmptyObject(value) && typeof present === 'object';
	// A list without holes: JSON has none.
	if (Array.isArray(container) && typeof key === 'number') while (container.length < key) container.push(null);
	return Reflect.set(container, key, value);
}

function isEmptyObject(value: unknown): boolean {
	return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
