/** The job of a load process, given on its command line by `runLoad`. */
export function readJob<T>(): T {
	return JSON.parse(process.argv[2] ?? '{}');
}

/** Tells the process that started this one. */
export function say(msg: 'ready' | 'result', content: object = {}): void {
	process.stdout.write(`${JSON.stringify({ msg, ...content })}\n`);
}
