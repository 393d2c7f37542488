import type { CopiedCollection, CopyEnd, CopyProgress, CopyReport } from '../store/index.ts';

/** What the command ends with. */
export const exitCodes = { finished: 0, failed: 1, usage: 2, differs: 3, stopped: 4 } as const;

export const helpText = `npm run migrate -- --from <store> [--to <store>] [--verify]

Copies everything from one store into another, empty one. No service may run on either. Stopped or killed,
it goes on when the same command is given again; until it is finished, no service starts on the target.

  --from     sqlite:<directory>, mongodb://…, or mongodb: for the store of MONGODB_URL, so that no password is
             shown by npm or in the list of processes; it is only read, but for a note of the copy
  --to       the same; when it is not given, the store that a service with these settings would use
  --verify   compares every document, and not only their numbers
  --help     shows this text and ends

Ends with 0 when everything is copied, 1 when it was refused or failed, 2 when the words are wrong,
3 when source and target differ, 4 when it was stopped by a signal.
`;

const everyMilliseconds = 2000;

/** Writes a line when a collection begins and when it is done, and every two seconds between. */
export function progressWriter(out: { write(text: string): unknown }, elapsed: () => number): (progress: CopyProgress) => void {
	let said = { name: '', isDone: false, at: 0 };
	return ({ collection, work, documents, of }) => {
		if (of === 0) return;
		const [name, isDone, at] = [`${collection} ${work}`, documents >= of, elapsed()];
		if (name === said.name && (isDone ? said.isDone : at - said.at < everyMilliseconds)) return;
		said = { name, isDone, at };
		const percent = of === 0 ? 100 : Math.floor((100 * documents) / of);
		out.write(`${collection.padEnd(16)} ${String(percent).padStart(3)} %  ${number(documents)} of ${number(of)} ${work}\n`);
	};
}

/** What a person reads at the end. */
export function reportText(
	{ outcome, wasBegun, collections }: CopyReport,
	{ source, target, seconds }: { readonly source: CopyEnd; readonly target: CopyEnd; readonly seconds: number },
): string {
	if (outcome === 'stopped') return `Stopped: give the same command again, and it goes on.\n`;
	const documents = collections.reduce((sum, { target: found }) => sum + found, 0);
	const compared = collections.some((each) => each.compared) ? 'numbers and contents' : 'numbers';
	const ending =
		outcome === 'finished'
			? `${target.place} has ${documentsText(documents)}; their ${compared} are those of ${source.place}. ${seconds.toFixed(1)} s${wasBegun ? ', begun earlier' : ''}.\nNow start the service on it, and keep the source until you have seen it work.`
			: `${source.place} and ${target.place} differ: somebody else has written to one of them. Remove the target and begin anew.`;
	return ['', ...collections.flatMap(collectionLines), '', ending, ''].join('\n');
}

function collectionLines({ name, source, target, compared }: CopiedCollection): string[] {
	const same = source === target ? `${documentsText(target)}` : `${documentsText(target)}, but ${number(source)} in the source`;
	const hash = compared ? `  ${compared.digest.slice(0, 16)}` : '';
	const lines = [`  ${name.padEnd(16)} ${same}${hash}`];
	if (compared && compared.differing > 0) {
		const ids = compared.examples.map((id) => JSON.stringify(id)).join(', ');
		lines.push(
			`    ${documentsText(compared.differing)} that differ: ${ids}${compared.differing > compared.examples.length ? ', …' : ''}`,
		);
	}
	return lines;
}

function documentsText(count: number): string {
	return `${number(count)} ${count === 1 ? 'document' : 'documents'}`;
}

function number(value: number): string {
	return value.toLocaleString('en-US');
}
