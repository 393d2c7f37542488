import type { CopiedCollection, CopyEnd, CopyProgress, CopyReport } from '../store/index.ts';

/** What the command ends with. */
export const exitCodes = { finished: 0, failed: 1, usage: 2, differs: 3, stopped: 4 } as const;

export const helpText = `npm run migrate -- --from <store> [--to <store>] [--verify]

Copies everything from one store into another, empty one. No service may run on either. Stopped or killed,
it goes on when the same command is given again; until it is finished, no service starts on the target.

  --from     sqlite:<directory> or mongodb://…; it is only read, but for a note of the copy
  --to       the same; when it is not given, the store that the settings name (MONGODB_URL or DATA_DIR),
             so that no password is in the list of processes
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
			? `${number(documents)} documents are in ${target.place}; their ${compared} are those of ${source.place}. ${seconds.toFixed(1)} s${wasBegun ? ', begun earlier' : ''}.\nNow start the service on it, and keep the source until you have seen it work.`
			: `${source.place} and ${target.place} differ: somebody else has written to one of them. Remove the target and begin anew.`;
	return ['', ...collections.flatMap(collectionLines), '', ending, ''].join('\n');
}

function collectionLines({ name, source, target, compared }: CopiedCollection): string[] {
	const same =
		source === target ? `${number(target)} documents` : `${number(target)} documents, but ${number(source)} in the source`;
	const hash = compared ? `  ${compared.digest.slice(0, 16)}` : '';
	const lines = [`  ${name.padEnd(16)} ${same}${hash}`];
	if (compared && compared.differing > 0) {
		const ids = compared.examples.map((id) => JSON.stringify(id)).join(', ');
		lines.push(
			`    ${number(compared.differing)} documents differ: ${ids}${compared.differing > compared.examples.length ? ', …' : ''}`,
		);
	}
	return lines;
}

function number(value: number): string {
	return value.toLocaleString('en-US');
}
