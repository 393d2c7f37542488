import { createLedger } from '../support/ledger.ts';

export type SoakLedgers = ReturnType<typeof createSoakLedgers>;

/** One ledger for each kind of thing that is sent. */
export function createSoakLedgers() {
	return { packages: createLedger(), lists: createLedger(), operations: createLedger() };
}
