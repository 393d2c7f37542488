/** Whether a Content-Type is JSON of any vendor: in any case, with any parameters, with a dangling semicolon. */
export function isJsonType(contentType: string): boolean {
	const semicolon = contentType.indexOf(';');
	const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
	return type === 'application/json' || type === 'text/json' || (type.startsWith('application/') && type.endsWith('+json'));
}
