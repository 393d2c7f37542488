import { problems } from '../../service/http/index.ts';
import { pageHead, table } from './markdown.ts';

/** Every refusal over HTTP. */
export function renderErrors(): string {
	const text = [
		pageHead('Errors over HTTP', 'service/http/problem.ts').trimEnd(),
		'An answer of 400 or more has the body `{"error": "<code>", "message": "…", "info": "…"}`. The message says what was wrong, where, and what would be right; `details` is there where more can be told.',
		table(
			['code', 'status', 'meaning'],
			Object.entries(problems).map(([code, { status, title }]) => [`\`${code}\``, String(status), title]),
		),
	];
	return `${text.join('\n\n').trimEnd()}\n`;
}
