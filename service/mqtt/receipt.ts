import { randomUUID } from 'node:crypto';
import type { Receipt } from '../../operations/index.ts';
import type { IncomingPublish } from './session.ts';

/** Of lines about packages, which may be done again. */
export const noReceipt: Receipt = { key: '', redelivered: false, arrival: '', retried: false };

/** Of one line of a publish. */
export function receiptOf(publish: IncomingPublish, line: number): Receipt {
	const { messageId, redelivered, retried = false } = publish;
	publish.arrival ??= randomUUID();
	return { key: `${messageId}/${line}`, redelivered, arrival: `${publish.arrival}/${line}`, retried };
}

/** Whether what the line reports may have been done before. */
export function mayBeDone({ redelivered, retried }: Receipt): boolean {
	return redelivered || retried;
}
